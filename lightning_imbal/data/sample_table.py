"""From the index of a data set to its sample table: what is checked, the part of every row, the class sizes."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.index.find_files import identities
from lightning_imbal.errors import UserError


def check_index(index: pd.DataFrame, class_names: Sequence[str], owner: str) -> None:
    """Refuses an index that names an image twice or a class that is not there.

    Raises:
        UserError: The message names the first such image.
    """
    if index.empty:
        raise UserError(f"{owner} has no images: look at its folder and label file.")
    if len(class_names) < 2:
        raise UserError(f"{owner} has only the class {class_names[0]}: give images of at least two classes.")
    twice = index["image"].duplicated()
    if twice.any():
        raise UserError(
            f"{owner} names the image {index['image'][twice.to_numpy()].iloc[0]} twice "
            f"({twice.sum()} such rows): keep one row per image."
        )
    if "path" in index:
        _refuse_second_names(index, owner)
    outside = ~index["label"].between(0, len(class_names) - 1)
    if outside.any():
        row = index[outside].iloc[0]
        raise UserError(
            f"{owner} gives {row['image']} the label {row['label']}, but its {len(class_names)} classes are numbered "
            f"0 to {len(class_names) - 1}: mend the labels."
        )


def _refuse_second_names(index: pd.DataFrame, owner: str) -> None:
    """Refuses a file that is named in two ways: it may be in two parts, which look at names alone."""
    files = pd.Series(identities(index["path"]))
    if (again := files.duplicated()).any():
        second = int(again.to_numpy().argmax())
        first = files.tolist().index(files[second])
        raise UserError(
            f"{owner} names one image twice, as {index['image'].iloc[first]} and as {index['image'].iloc[second]} "
            f"({again.sum()} such rows): keep one row per image."
        )


def sample_table(
    index: pd.DataFrame,
    part: np.ndarray,
    bad: Mapping[int, str],
    subsample: Callable[[np.ndarray, np.ndarray], np.ndarray],
    class_names: Sequence[str],
) -> pd.DataFrame:
    """Adds the columns `class` (by name) and `part` to an index, and tells of pictures that are left out.

    Args:
        index: One row per image.
        part: What the split says of every row, shape (N,); empty: left out.
        bad: Why a picture cannot be read, by row.
        subsample: Chooses the training rows to keep, from the labels of all rows and the training rows.
        class_names: Name of each class, in label order.
    """
    part[list(bad)] = "unreadable"
    train = np.flatnonzero(part == "train")
    part[np.setdiff1d(train, subsample(index["label"].to_numpy(), train))] = ""
    if bad:
        rank_zero_info(f"Left out {len(bad)} of {len(part)} images that cannot be read. The first: {bad[min(bad)]}")
    return index.assign(part=part, **{"class": np.array(class_names)[index["label"]]})


def count_images(label: np.ndarray, class_names: Sequence[str]) -> dict[str, int]:
    """Images of every class by its name, from the labels (N,), in label order."""
    counts = np.bincount(label, minlength=len(class_names))
    return dict(zip(class_names, counts.tolist(), strict=True))


def count_training_images(label: np.ndarray, class_names: Sequence[str]) -> list[int]:
    """Class sizes of the training part by its labels (N,), ordered by label.

    Raises:
        UserError: A class has no image.
    """
    counts = count_images(label, class_names)
    if empty := ", ".join(name for name, images in counts.items() if not images):
        raise UserError(f"The training part has no image of: {empty}. Choose another split, or leave it out.")
    return list(counts.values())
