"""A reader sees the old file or the new one, whatever happens in between."""

import os
import subprocess
import sys

import pytest

from lightning_imbal.atomic_files import discard_halves_of, write_json, write_whole


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


def test_only_what_an_ended_process_has_left_of_the_file_itself_is_discarded(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    left = [f".t.csv.{ended.pid}", f".t.csv.{os.getpid()}", f".t2.csv.{ended.pid}", ".t.csv.old", "t.csv"]
    for name in left:
        (tmp_path / name).touch()
    discard_halves_of(tmp_path / "t.csv")
    assert {file.name for file in tmp_path.iterdir()} == set(left[1:])
