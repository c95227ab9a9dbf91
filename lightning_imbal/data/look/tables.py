"""Looks at label files: which one names the pictures, and in which columns."""

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lightning_imbal.data.index.label_files import read_columns, stripped
from lightning_imbal.data.look.columns import (
    IMAGE_COLUMNS,
    LABEL_COLUMNS,
    OF_LABELS,
    SPLIT_COLUMNS,
    columns_called,
    one_hot_columns,
)
from lightning_imbal.data.look.label_columns import TEXT, columns_of, names_pictures, stems_of
from lightning_imbal.data.look.look import Look, Question
from lightning_imbal.data.splits.base import PART_CALLED
from lightning_imbal.errors import UserError

MOST = 100  # classes
MOST_COLUMNS = 500


@dataclass(frozen=True)
class LabelTable:
    """A label file that names pictures below a folder.

    Args:
        path: The file.
        table: All of it, as text.
        image: Columns that name the pictures, the likeliest first.
        labels: Columns that may be the labels, the likeliest first.
        one_hot: Columns of 0 and 1 that may be the classes.
        share: Share of the pictures that it names.
    """

    path: Path
    table: pd.DataFrame
    image: list[str]
    labels: list[str]
    one_hot: list[str]
    share: float


def read_label_table(path: Path, stems: Collection[str], label: str | None = None) -> LabelTable | None:
    """Reads a file; None if it does not name pictures with labels.

    Args:
        path: The file.
        stems: The names of the pictures, see `stems_of`.
        label: Column of the labels, if the user has named it.
    """
    try:
        columns = columns_of(path)
        if len(columns) > MOST_COLUMNS:  # of pixels
            return None
        table = stripped(read_columns(path, columns, **TEXT))
    except UserError:
        return None
    called = columns_called(columns, IMAGE_COLUMNS)
    likeliest = [*called, *(column for column in columns if column not in called)]
    image = [column for column in likeliest if names_pictures(table[column], stems)]
    if not image:
        return None
    free = table.drop(columns=image)
    usual = columns_called(list(free), LABEL_COLUMNS, OF_LABELS)
    candidates = dict.fromkeys([*([label] if label is not None and label in free else []), *usual])
    labels = [column for column in candidates if 1 < free[column].nunique() <= MOST]
    one_hot = one_hot_columns(free)
    share = table[image[0]].nunique() / len(stems)
    return LabelTable(path, table, image, labels, one_hot, share) if labels or one_hot else None


def look_at_table(found: LabelTable, root: Path) -> Look:
    """The settings of `CSVData` for a label file."""
    look = Look("CSVData", {"root": str(root), "labels": str(found.path)}, "pictures named in a label file")
    if found.share < 1:
        look.reasons["labels"] = f"names {found.share:.0%} of the pictures, the others are not used"
    image, *others = found.image
    look.set("image_column", image, "its values are the names of pictures")
    for other in others:
        if not stems_of(found.table[image].dropna()) & stems_of(found.table[other].dropna()):
            options = tuple(f"--data.image_column {shlex.quote(column)}" for column in (image, other))
            look.questions.append(Question(f"Are the images in {image}, or in {other}?", options, unanswered=True))
    if found.labels:
        label, *others = _different(found.table, found.labels)
        look.set("label_column", label, f"{found.table[label].nunique()} different values")
        for other in others:
            first, second = (f"{column} ({_values(found.table[column])})" for column in (label, other))
            options = tuple(f"--data.label_column {shlex.quote(column)}" for column in (label, other))
            look.questions.append(Question(f"Is the label {first}, or {second}?", options, unanswered=True))
    else:
        look.set("label_column", found.one_hot, "columns of 0 and 1")
    for column in columns_called(list(found.table), SPLIT_COLUMNS):
        if found.table[column].str.lower().map(PART_CALLED).notna().all():
            look.set("split_column", column, f"its values are {_values(found.table[column])}")
            break
    return look


def _different(table: pd.DataFrame, columns: list[str]) -> list[str]:
    """Columns none of which only renames the values of another one; of two such, that with words counts."""
    kept: list[str] = []
    for column in columns:
        same = next((other for other in kept if _renames(table[column], table[other])), None)
        if same is None:
            kept.append(column)
        elif _numbers(table[same]) and not _numbers(table[column]):
            kept[kept.index(same)] = column
    return kept


def _renames(one: pd.Series, other: pd.Series) -> bool:
    pairs = pd.DataFrame({"one": one, "other": other}).drop_duplicates()
    return not (pairs["one"].duplicated().any() or pairs["other"].duplicated().any())


def _numbers(values: pd.Series) -> bool:
    return bool(pd.to_numeric(values, errors="coerce").notna().any())


def _values(values: pd.Series) -> str:
    counts = values.value_counts()
    shown = ", ".join(f"{name} {number}" for name, number in counts[:3].items())
    return f"{shown}, ..." if len(counts) > 3 else shown
