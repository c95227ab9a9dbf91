"""One file is one file, whatever it is called."""

import pandas as pd
import pytest

from lightning_imbal.data.index.find_files import identities
from lightning_imbal.data.sample_table import check_index
from lightning_imbal.errors import UserError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two pictures, one of them also behind a link, in a folder that is also behind a link."""
    (tmp_path / "images" / "sub").mkdir(parents=True)
    for name in ("a.png", "b.png"):
        (tmp_path / "images" / name).touch()
    (tmp_path / "images" / "link.png").symlink_to("a.png")
    (tmp_path / "again").symlink_to("images")
    monkeypatch.chdir(tmp_path)
    return tmp_path


OTHER_NAMES = ["images/./a.png", "images/sub/../a.png", "./images/a.png", "images/link.png", "again/a.png"]


@pytest.mark.parametrize("name", [*OTHER_NAMES, "{}/images/a.png", "{}/again/link.png"])
def test_other_names_of_a_file_are_refused(folder, name):
    paths = pd.Series(["images/b.png", "images/a.png", name.format(folder)])
    first, second, third = identities(paths)
    assert first != second == third
    index = pd.DataFrame({"image": ["b", "a", "other"], "path": paths, "label": [0, 1, 1]})
    with pytest.raises(UserError, match=r"names one image twice, as a and as other \(1 such rows\)"):
        check_index(index, ["x", "y"], "CSVData")
    check_index(index[:2], ["x", "y"], "CSVData")


def test_absent_files_differ_by_name(folder):
    found = identities(pd.Series(["images/c.png", "images/d.png", "nowhere/c.png", "nowhere/d.png"]))
    assert len({*found}) == 4
