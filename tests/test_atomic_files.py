"""A reader sees the old file or the new one, whatever happens in between."""

import pytest

from lightning_imbal.atomic_files import write_json, write_whole


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    file = tmp_path / "below" / "metrics.json"
    write_json(file, {"name": "Läsion"})
    old = file.read_text(encoding="utf-8")

    def write(path):
        path.write_text("half")
        assert file.read_text(encoding="utf-8") == old
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(file, write)
    assert file.read_text(encoding="utf-8") == old and list(file.parent.iterdir()) == [file]
