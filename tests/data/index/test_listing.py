"""Pictures below a folder: in the order of before, without litter, links followed but not in circles."""

import os

import pytest

from lightning_imbal.data.index.listing import files_below, pictures_below, pictures_in, refuse_unnamed_dicom
from lightning_imbal.errors import UserError


def make(root, *files):
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_sorted_folder_by_folder(tmp_path):
    make(tmp_path, "b/1.png", "a-b/1.png", "a/2.JPG", "a/1.tif", "a.png", "notes.txt")
    assert pictures_in(tmp_path) == ["a/1.tif", "a/2.JPG", "a-b/1.png", "a.png", "b/1.png"]
    assert pictures_below(tmp_path) == sorted(
        path for path in tmp_path.rglob("*") if path.suffix in (".png", ".tif", ".JPG")
    )


def test_dicom_is_a_picture_and_its_index_is_not(tmp_path):
    make(tmp_path, "a/1.dcm", "a/2.DICOM", "a/3.IMA", "a/4", "DICOMDIR", "notes.txt")
    assert pictures_in(tmp_path) == ["a/1.dcm", "a/2.DICOM", "a/3.IMA"]
    refuse_unnamed_dicom(tmp_path)
    for name in ("DICOMDIR", "a/4"):
        (tmp_path / name).write_bytes(bytes(128) + b"DICM" + bytes(9))
    with pytest.raises(UserError, match=r"no pictures by their names, but a/4 is DICOM: .* end in .dcm"):
        refuse_unnamed_dicom(tmp_path)


def test_litter_is_no_picture(tmp_path):
    make(
        tmp_path, "a/1.png", "a/._1.png", "__MACOSX/a/1.png", "a/.ipynb_checkpoints/1-checkpoint.png", "a/@eaDir/1.png"
    )
    assert files_below(tmp_path) == ["a/1.png"]


def test_links_are_followed_but_not_in_circles(tmp_path):
    make(tmp_path, "store/a/1.png", "set/b/2.png")
    (tmp_path / "set" / "a").symlink_to(tmp_path / "store" / "a")
    (tmp_path / "set" / "b" / "up").symlink_to(tmp_path / "set")
    (tmp_path / "store" / "a" / "self").symlink_to(".")
    assert files_below(tmp_path / "set") == ["a/1.png", "b/2.png"]


def test_name_that_is_no_text_is_refused(tmp_path):
    make(tmp_path, "a.png")
    assert pictures_below(tmp_path) == [tmp_path / "a.png"]
    os.close(os.open(os.fsencode(tmp_path) + b"/\xe4.png", os.O_CREAT))
    with pytest.raises(UserError, match=r"udce4.png' is not UTF-8: rename the file"):
        pictures_below(tmp_path)
