"""A locked test part: nothing opens its pictures, and all else is as it was."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from opened_files import opened_below

from lightning_imbal.data import DigitsLT, FolderData, Holdout, KFold
from lightning_imbal.data.checks import check_pictures, check_split, missing_classes
from lightning_imbal.errors import UserError


@pytest.fixture
def opened(tmp_path):
    """The pictures that were opened in the folder of the images."""
    with opened_below(tmp_path / "images") as paths:
        yield paths


def write(folder, kind="png", sizes=(24, 14)):
    rng = np.random.default_rng(0)
    depth = np.uint16 if kind == "tif" else np.uint8
    for number, size in enumerate(sizes):
        for image in range(size):
            file = folder / "images" / f"class{number}" / f"{number}_{image}.{kind}"
            file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(file), rng.integers(0, 200, (12, 12, 3)).astype(depth))


def build(folder, lock_test=True, **more):
    more = {"split": Holdout(test=0.3, val=0.2), "cache_dir": str(folder / "cache"), "num_workers": 0} | more
    return FolderData(root=str(folder / "images"), image_size=12, lock_test=lock_test, **more)


def use(data):
    """What a training does with its data."""
    check_split(data)
    check_pictures(data)
    assert sum(data.class_counts) == len(data.rows("train")) and not missing_classes(data)
    for part in ("train", "val"):
        loaded = data.dataset(part, [data.test_recipe])
        assert all(torch.is_tensor(loaded[place]["image"]) for place in range(len(loaded)))
    assert not len(data.test_dataloader())
    return data.depth.said


@pytest.mark.parametrize(
    ("kind", "cache", "on_bad_image"),
    [
        *(("png", "none", "raise"), ("png", "memory", "raise"), ("png", "disk", "raise"), ("png", "none", "skip")),
        *(("jpg", "none", "raise"), ("tif", "memory", "skip"), ("tif", "disk", "raise")),
    ],
)
def test_no_picture_of_the_test_part_is_opened(kind, cache, on_bad_image, tmp_path, opened):
    write(tmp_path, kind)
    whole = build(tmp_path, lock_test=False)
    test = {*whole.table["path"].iloc[whole.rows("test")]}
    seen = {*whole.table["path"]} - test
    assert len(test) == 12
    for path in test:
        Path(path).write_bytes(b"no picture")  # one that was looked at would be refused, or reported
    opened.clear()
    use(build(tmp_path, cache=cache, on_bad_image=on_bad_image))
    assert test.isdisjoint(opened) and seen <= {*opened}


def test_an_unlocked_part_is_opened(tmp_path, opened):
    """The same count sees what it is to see."""
    write(tmp_path)
    data = build(tmp_path, lock_test=False)
    check_pictures(data)
    assert {*data.table["path"]} == {*opened}


@pytest.mark.parametrize("more", [{}, {"split": KFold(folds=3, fold=1, val=0.2)}, {"group_by": "duplicates"}])
def test_all_else_is_as_it_was(more, tmp_path):
    write(tmp_path)
    whole, locked = build(tmp_path, lock_test=False, **more), build(tmp_path, **more)
    rest = whole.table[whole.table["part"] != "test"].reset_index(drop=True)
    pd.testing.assert_frame_equal(locked.table, rest)
    assert locked.class_counts == whole.class_counts and not missing_classes(locked)
    for part in ("train", "val"):
        for one, two in zip(whole.rows(part), locked.rows(part), strict=True):
            np.testing.assert_array_equal(whole.images[int(one)], locked.images[int(two)])


def test_pictures_that_are_no_files_keep_their_places():
    args = {"split": Holdout(test=0.3, val=0.1), "image_size": 32, "num_workers": 0}
    whole, locked = DigitsLT(**args), DigitsLT(lock_test=True, **args)
    assert locked.class_counts == whole.class_counts
    for part in ("train", "val"):
        names = [data.table["image"].iloc[data.rows(part)].tolist() for data in (whole, locked)]
        assert names[0] == names[1]
    row, first = int(locked.rows("val")[5]), int(whole.rows("val")[5])
    np.testing.assert_array_equal(locked.images[row], whole.images[first])
    assert len(locked.images) == len(locked.index) < len(whole.index)


def test_without_a_validation_part_there_is_nothing_to_look_at(tmp_path):
    write(tmp_path)
    with pytest.raises(UserError, match=r"locked.*give the split one"):
        check_split(build(tmp_path, split=Holdout(test=0.3)))
