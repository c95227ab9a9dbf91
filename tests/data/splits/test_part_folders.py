"""Folders of parts by their usual names; what is unclear is refused, what is left out is said."""

import pytest

from lightning_imbal.data.splits.part_folders import find_parts, tell_what_is_left_out
from lightning_imbal.errors import DatasetNotFoundError, UserError


def made(root, *folders):
    for folder in folders:
        (root / folder).mkdir(parents=True)
    return root


@pytest.mark.parametrize(
    ("folders", "parts"),
    [
        (["test/a", "train/a", "val/a"], {"train": "train", "val": "val", "test": "test"}),
        (["Testing/a", "Training/a"], {"train": "Training", "test": "Testing"}),
        (["TRAIN/a", "Validation/a"], {"train": "TRAIN", "val": "Validation"}),
        (["train/a", "valid/a"], {"train": "train", "val": "valid"}),
        (["train", "test"], {"train": "train", "test": "test"}),
        (["test", "control"], {}),
        (["a", "b"], {}),
    ],
)
def test_parts_by_their_names(tmp_path, told, folders, parts):
    found = find_parts(made(tmp_path, *folders))
    assert {part: folder.name for part, folder in found.items()} == parts and list(found) == list(parts)
    tell_what_is_left_out(tmp_path, found)
    assert not told.text


@pytest.mark.parametrize(
    ("folders", "sentence"),
    [
        (["train/a", "val/a", "valid/a"], "two folders for the val part, val and valid"),
        (["train/a", "Training/a"], "two folders for the train part, Training and train"),
        (["test/a", "val/a"], "has test and val, but no folder of training images"),
        (["test/a", "extra/a"], "has test, but no folder of training images"),
        (["test", "val"], "has test and val, but no folder of training images"),
    ],
)
def test_unclear_parts_are_refused(tmp_path, folders, sentence):
    with pytest.raises(UserError, match=sentence):
        find_parts(made(tmp_path, *folders))


def test_what_lies_beside_the_parts_is_said(tmp_path, told):
    made(tmp_path, "train/a", "Test/a", "extra/a", ".git")
    tell_what_is_left_out(tmp_path, find_parts(tmp_path))
    assert "images are taken from train, Test; left out: extra." in told.text


def test_absent_folder_is_named(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="no folder .*nowhere"):
        find_parts(tmp_path / "nowhere")
