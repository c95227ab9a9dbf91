"""What a data set refuses before anything is trained on it."""

from typing import Any

import numpy as np
import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.labelled_images import LabelledImages
from lightning_imbal.data.look.suspected import suspected_groups
from lightning_imbal.data.pictures.cut_outs import CutOuts
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.pictures.open import unreadable
from lightning_imbal.data.sample_table import count_images
from lightning_imbal.data.splits.base import PARTS
from lightning_imbal.data.splits.groups import DUPLICATES, torn_groups
from lightning_imbal.errors import UserError


def check_groups(data: LabelledImages) -> None:
    """Refuses a split that has images of one group in several parts."""
    if data.groups is not None and len(torn := torn_groups(data.table["part"], data.groups)):
        one = "photograph" if data.group_by == DUPLICATES else data.group_by
        raise UserError(
            f"{type(data.split).__name__} puts images of one {one} into several parts ({len(torn)} times, "
            f"the first is {torn.iloc[0]}): choose Holdout or KFold, which keep them together, or do not group it."
        )


def groups_suspected(data: LabelledImages) -> dict[str, Any] | None:
    """What may belong together though nobody said so, see `suspected_groups`; None where groups are known."""
    if "group" in data.index or "path" not in data.index:
        return None
    files = data.index["path"].str.removeprefix(f"{data.root}/")
    return suspected_groups(data.table, files, data.unused_columns(), data.index["path"])


def check_split(data: LabelledImages) -> None:
    """Refuses a split that tears groups, and one without a part for the results: that of the test, unless locked."""
    check_groups(data)
    if data.lock_test:
        if not len(data.rows("val")):
            raise UserError(
                "The test part is locked (data.lock_test=true), and there is no validation part to look at instead: "
                "give the split one, such as data.split.val=0.1."
            )
        return
    if not len(data.rows("test")):
        raise UserError(
            f"{type(data.split).__name__} leaves no image to test on: choose a split with a test part, such as "
            "data.split=Holdout(test=0.2)."
        )


def check_pictures(data: LabelledImages) -> None:
    """Opens every picture of the parts that was not opened before, or fills the cache, which does so.

    Raises:
        BadImageError: One cannot be read, and is not to be left out.
    """
    if not isinstance(data.images, ImageFiles | CutOuts) or data.on_bad_image == "skip":
        return
    rows = _rows_of_parts(data)
    if bad := data.images.find_bad(rows):
        raise unreadable(len(bad), len(rows), bad[min(bad)])


def remember_pictures(data: LabelledImages) -> None:
    """Notes that the pictures of the parts, which somebody else has opened, are good."""
    if data.cache == "none" and isinstance(data.images, ImageFiles | CutOuts):
        data.images.remember(_rows_of_parts(data))


def _rows_of_parts(data: LabelledImages) -> list[int]:
    return np.flatnonzero(data.table["part"].isin(PARTS)).tolist()


def check_unseen(earlier: LabelledImages, later: LabelledImages) -> None:
    """Refuses a stage that would test on images that an earlier one was trained on."""
    seen = earlier.table["image"][earlier.table["part"].isin(["train", "val"])]
    test = later.table["image"][later.rows("test")]
    if test.isin(seen).any():
        raise UserError(
            f"{test.isin(seen).sum()} of the {len(test)} test images of the second stage are training images of the "
            "first: give both stages the same split."
        )


def report_missing_classes(data: LabelledImages, earlier: LabelledImages | None = None) -> None:
    """Says which classes have no image to be evaluated on, unless it was said of the data of an earlier stage."""
    said = [] if earlier is None else missing_classes(earlier)
    for sentence in missing_classes(data):
        if sentence not in said:
            rank_zero_info(sentence)


def missing_classes(data: LabelledImages) -> list[str]:
    """Sentences about the classes that a part, or the test part of a fold, has no image of, and what follows."""
    told = missing_in_folds(data)
    for part in ("val",) if _folds(data) is not None else ("val", "test"):
        counts = count_images(data.labels_of(part), data.class_names)
        empty = ", ".join(name for name, images in counts.items() if not images)
        if empty and any(counts.values()):
            told.append(f"The {part} part has no image of: {empty}. Scores of such a class mean nothing.")
    return told


def missing_in_folds(data: LabelledImages) -> list[str]:
    """A sentence about the classes that the test part of a fold has no image of, if there are any."""
    folds = _folds(data)
    if folds is None:
        return []
    readable = (data.table["part"] != "unreadable").to_numpy()
    images = pd.crosstab(data.table["class"][readable], folds[readable]).reindex(data.class_names, fill_value=0)
    without = {name: [str(fold) for fold in images.columns[row == 0]] for name, row in images.iterrows()}
    if not (named := ", ".join(f"{name} (fold {', '.join(listed)})" for name, listed in without.items() if listed)):
        return []
    return [
        f"Of the {images.shape[1]} folds, counted from 0, some have no test image of: {named}. The scores of such a "
        "fold leave the class out; folds are joined before they are scored. Take fewer to have such a class in each."
    ]


def _folds(data: LabelledImages) -> np.ndarray | None:
    """The fold that tests each row; None if there are none, or the one that would be tested is locked."""
    return None if data.lock_test else data.split.test_folds(data.index, data.groups)
