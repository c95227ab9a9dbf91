"""How many wrong labels a list of suspicious ones finds, where the true classes of some images are known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lightning_imbal.errors import UserError
from lightning_imbal.runs.reading import reading
from lightning_imbal.runs.spreadsheet import without_apostrophes
from lightning_imbal.wording import did_you_mean, number_of

ALL = "all"


def read_truth(file: Path, class_names: Sequence[str], images: Sequence[str]) -> pd.Series:
    """The true class of images, by their id.

    Args:
        file: CSV with the columns `image` and `label`.
        class_names: What a label may be.
        images: Those that were looked at.

    Raises:
        UserError: It is no such file, names an image twice or an unknown class, or none of these images.
    """
    if not file.is_file():
        raise UserError(f"--truth {file} is no file: name a CSV with the columns image and label.")
    with reading(file, "give a CSV with the columns image and label"):
        table = without_apostrophes(pd.read_csv(file, dtype="str", keep_default_na=False))[["image", "label"]]
    if twice := table["image"][table["image"].duplicated()].tolist():
        raise UserError(f"--truth {file} names {twice[0]} twice: give each image once.")
    if strange := [name for name in table["label"] if name not in class_names]:
        hint = did_you_mean(strange[0], class_names) or f"the classes are {', '.join(class_names)}."
        raise UserError(f"--truth {file} has the label {strange[0]!r}, which the runs do not know: {hint}")
    if not table["image"].isin(list(images)).any():
        raise UserError(
            f"--truth {file} has none of the images that were looked at: it names {table['image'].iloc[0]!r} where the "
            f"runs name {images[0]!r}."
            if len(table)
            else f"--truth {file} has no rows: give the true class of some images."
        )
    return table.set_index("image")["label"]


def found_of_truth(table: pd.DataFrame, truth: pd.Series) -> pd.DataFrame:
    """How many wrong labels are among as many images, the most suspicious first, as there are wrong labels.

    Only images whose true class is known are counted, as if the list were of them alone.

    Args:
        table: As `Suspicions.table`.
        truth: True classes by image.

    Returns:
        A row for `all` and for each class that was given wrongly (`label`): `known` images, how many of them are
        `wrong`, how many of these were `found`, how many would be within as many of the most suspicious of their class
        (`found_in_class`), `by_chance` (expected of a random list), how many known images are `suspicious`, and how
        many of these are `right_to_suspect`.
    """
    known = table[table["image"].isin(truth.index)]
    wrong = (known["label"] != known["image"].map(truth)).to_numpy()
    inspected = np.arange(len(known)) < wrong.sum()
    of_label = pd.Series(wrong, index=known.index).groupby(known["label"])
    in_class = known.groupby("label").cumcount().to_numpy() < of_label.transform("sum").to_numpy()
    counts = pd.DataFrame(
        {
            "label": known["label"],
            "known": 1,
            "wrong": wrong,
            "found": wrong & inspected,
            "found_in_class": wrong & in_class,
            "by_chance": wrong * wrong.mean(),
            "suspicious": known["suspicious"],
            "right_to_suspect": known["suspicious"].to_numpy() & wrong,
        }
    )
    of_class = counts.groupby("label", sort=False).sum()
    together = counts.drop(columns="label").sum().to_frame(ALL).T
    return pd.concat([together, of_class[of_class["wrong"] > 0]]).rename_axis("label").reset_index()


def truth_text(found: pd.DataFrame) -> str:
    """The row of `all` in a sentence."""
    row = found.iloc[0]
    known, wrong = int(row["known"]), int(row["wrong"])
    if not wrong:
        return (
            f"All {number_of(known, 'image')} with a known true class are labelled rightly: there is nothing to find."
        )
    share = row["found"] / wrong
    return (
        f"Of {number_of(wrong, 'wrong label')} among {known:,} images with a known true class, {int(row['found'])} "
        f"({share:.0%}) are found by looking at the {wrong:,} most suspicious; by chance {row['by_chance']:.1f}. "
        f"{int(row['suspicious']):,} are marked as suspicious, and {int(row['right_to_suspect'])} of these are wrong."
    )
