"""A folder a level too high or too low, or an archive, is told from the right one."""

import pytest

from lightning_imbal.data.look.right_root import check_root, no_classes, right_root
from lightning_imbal.errors import DatasetNotFoundError


def make(root, *files):
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


CLASSES = ("a/1.png", "b/1.png")


def test_the_folders_lie_deeper(tmp_path):
    make(tmp_path, *(f"set/images/{name}" for name in CLASSES), "set/readme.txt")
    assert right_root(tmp_path) == tmp_path / "set" / "images"
    assert f"they are in {tmp_path}/set/images: give data.root=" in str(no_classes(tmp_path))
    assert right_root(tmp_path / "set" / "images") is None


def test_the_folder_is_that_of_one_class(tmp_path):
    make(tmp_path, *CLASSES)
    assert right_root(tmp_path / "a") == tmp_path
    assert f"they are beside it, in {tmp_path}: give data.root=" in str(no_classes(tmp_path / "a"))


def test_what_is_no_folder_is_told(tmp_path):
    make(tmp_path, "set.zip", "labels.csv")
    for name, sentence in (("set.zip", "is an archive: unpack it"), ("labels.csv", "is a file"), ("x", "no folder")):
        with pytest.raises(DatasetNotFoundError, match=sentence):
            check_root(tmp_path / name)
    assert "has no pictures but the archive set.zip: unpack it" in str(no_classes(tmp_path))
    check_root(tmp_path)
