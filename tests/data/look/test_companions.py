"""Masks and other companions are found by their names and by what they show, and nothing else is."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from lightning_imbal.data.look.companions import find_companions, refuse_companions
from lightning_imbal.errors import UserError


def paint(root: Path, file: str, mask: bool = False) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    picture = np.random.default_rng(len(file)).integers(0, 256, (12, 12, 3), np.uint8)
    if mask:
        picture = np.zeros((12, 12), np.uint8)
        picture[3:8, 2:9] = 255
    assert cv2.imwrite(str(root / file), picture)


def found(root, pictures, masks, label=lambda file: file.split("/")[0]):
    """Patterns of the companions among pictures and masks of these names; they must be all masks and no picture."""
    for file in pictures:
        paint(root, file)
    for file in masks:
        paint(root, file, mask=True)
    files = sorted([*pictures, *masks])
    kinds = find_companions(pd.DataFrame({"file": files, "label": [label(file) for file in files]}), root)
    assert sorted(file for kind in kinds for file in kind.files) == sorted(masks)
    return [kind.pattern for kind in kinds]


NUMBERS = range(3)


@pytest.mark.parametrize(
    ("picture", "mask", "patterns"),
    [
        ("sick/images/s-{}.png", "sick/masks/s-{}.png", ["**/masks/*"]),
        ("sick/{}.png", "sick/Ground Truth/{}.png", ["**/Ground Truth/*"]),
        ("sick/s ({}).png", "sick/s ({})_mask.png", ["*_mask*"]),
        ("sick/s ({}).png", "sick/s ({})_mask_1.png", ["*_mask*"]),
        ("sick/I_{}.jpg", "sick/I_{}_segmentation.png", ["*_segmentation*"]),
        ("sick/I_{}.jpg", "sick/mask_I_{}.png", ["mask_*"]),
        ("sick/I_{}.jpg", "sick/I_{}-GT.png", ["*-GT*"]),
        ("sick/I_{}.jpg", "sick/lungs/I_{}.png", ["**/lungs/*"]),
        ("sick/{}.png", "masks/{}.png", ["**/masks/*"]),
        ("sick/{}.png", "well/unknown_{}_mask.png", ["*_mask*"]),
    ],
)
def test_masks(tmp_path, picture, mask, patterns):
    assert found(tmp_path, [picture.format(i) for i in NUMBERS], [mask.format(i) for i in NUMBERS]) == patterns


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mask/{}.jpg", "no_mask/{}.jpg"),
        ("with_mask/with_mask_{}.jpg", "without_mask/without_mask_{}.jpg"),
        ("a/1/{}.png", "a/2/{}.png"),
        ("a/lesion_{}.png", "b/{}.png"),
        ("label 0/{}.png", "label 1/{}.png"),
    ],
)
def test_photographs_are_no_masks_whatever_they_are_called(tmp_path, one, other):
    assert not found(tmp_path, [name.format(i) for name in (one, other) for i in NUMBERS], [])


def test_masks_of_many_classes(tmp_path):
    pictures = [f"class {k}/{i}.png" for k in range(12) for i in NUMBERS]
    assert found(tmp_path, pictures, [file.replace("/", "/lungs/") for file in pictures]) == ["**/lungs/*"]


def test_thumbnails_are_told_by_the_picture_that_they_belong_to(tmp_path):
    files = [f"a/{i}{mark}.png" for i in NUMBERS for mark in ("", "_thumb")]
    for file in files:
        paint(tmp_path, file)
    table = pd.DataFrame({"file": files, "label": "a"})
    assert [kind.pattern for kind in find_companions(table, tmp_path)] == ["*_thumb*"]
    assert not find_companions(table, tmp_path, opened=True)
    with pytest.raises(UserError, match=r"3 pictures .* the first is a/0_thumb.png of a/0.png: .*exclude='\*_thumb\*'"):
        refuse_companions(table, tmp_path)


def test_usual_pictures_are_not_opened(tmp_path, no_decoder):
    files = [f"{part}/{name}/{i}.png" for part in ("train", "test") for name in "ab" for i in NUMBERS]
    assert not find_companions(pd.DataFrame({"file": files, "label": [file.split("/")[1] for file in files]}), tmp_path)
