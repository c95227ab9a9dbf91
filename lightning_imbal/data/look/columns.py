"""Which columns of a label file hold the images and the labels, where nobody says so."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lightning_imbal.errors import UserError

# The most usual first.
IMAGE_COLUMNS = (
    *("image", "image_id", "img_id", "image_name", "isic_id", "id_code", "image_index", "filename", "file_name"),
    *("image_path", "img_path", "filepath", "file_path", "path", "file", "img", "image_file", "picture", "photo"),
    *("image_file_path", "md5hash", "id", "name"),
)
LABEL_COLUMNS = (
    *("label", "dx", "diagnosis", "diagnostic", "class", "class_name", "category", "target", "finding"),
    *("finding_labels", "finding_categories", "benign_malignant", "labels", "classes", "level", "grade", "severity"),
    *("disease", "pathology", "condition", "y"),
)
OF_LABELS = re.compile(r".*_(?:label|class|diagnosis|dr_grade|retinopathy_grade)|retinopathy_grade")
SPLIT_COLUMNS = ("split", "part", "partition", "set", "subset", "phase", "dataset", "usage", "data_split")
UNCERTAIN = ("-1", "-1.0")  # as CheXpert has it
ONE_HOT = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
SEPARATORS = re.compile(r"\s*[|;,+&/]\s*")
LIST = re.compile(r"\[.*\]\Z", re.DOTALL)
JOINED = "|"
NOTHING = "no finding"


def columns_called(header: Sequence[str], known: Sequence[str], others: re.Pattern[str] | None = None) -> list[str]:
    """The columns that have one of the known names, in the order of those, whatever their capitals and blanks.

    Args:
        header: The names of all columns.
        known: Names in small letters, with `_` for all that is neither letter nor digit.
        others: Names that come after these.
    """
    by_name: dict[str, str] = {}
    for column in header:
        by_name.setdefault(re.sub(r"[\W_]+", "_", column.strip().lower()).strip("_"), column)
    found = [by_name[name] for name in known if name in by_name]
    return found + [by_name[name] for name in by_name if name not in known and others and others.fullmatch(name)]


def one_hot_columns(table: pd.DataFrame) -> list[str]:
    """The adjacent columns of 0 and 1 in which most rows have a 1; empty if there are none.

    Args:
        table: All columns of a label file, as text.
    """
    allowed = [*ONE_HOT, *UNCERTAIN]
    binary = [column for column in table if table[column].dropna().str.lower().isin(allowed).all()]
    blocks: list[list[str]] = [[]]
    for column in table:
        if column in binary:
            blocks[-1].append(str(column))
        else:
            blocks.append([])
    found = [block for block in blocks if block and _mostly_positive(positives(table[block]))]
    return max(found, key=len, default=[])


def _mostly_positive(one: np.ndarray) -> bool:
    return bool((one.sum(axis=1) > 0).mean() > 0.5 and (one.sum(axis=0) > 0).sum() > 1)


def positives(table: pd.DataFrame) -> np.ndarray:
    """Where columns of 0 and 1 as text, such as `1.0` or `True`, say 1: (N, columns); what is empty is 0."""
    return table.apply(lambda cells: cells.str.lower().map(ONE_HOT).fillna(0)).to_numpy(dtype=bool)


def labels_of_columns(table: pd.DataFrame, join: bool, source: object) -> pd.Series:
    """The label of every row: the name of the only column that has a 1.

    Args:
        table: The columns of the classes, as text.
        join: Whether several make one label, such as `a|b`, and none makes `no finding`.
        source: The file, for the message.

    Raises:
        UserError: A cell is neither 0 nor 1, or a row has no 1 or several.
    """
    one, names = positives(table), table.columns.to_numpy(dtype=object)
    number = one.sum(axis=1)
    if not join and (number > 1).any():
        example = JOINED.join(names[one[(number > 1).argmax()]])
        raise several_findings(int((number > 1).sum()), len(table), example, source)
    strange = ~table.apply(lambda cells: cells.isna() | cells.str.lower().isin(ONE_HOT))
    if strange.to_numpy().any():
        row, column = np.argwhere(strange.to_numpy())[0]
        raise UserError(
            f"{source} has {table.iloc[row, column]!r} in its column {table.columns[column]!r}, line {row + 2}, but "
            "columns of classes hold 0 and 1 alone: name one column of labels with data.label_column."
        )
    if not join and (number == 0).any():
        raise UserError(
            f"{source} gives the image in line {(number == 0).argmax() + 2} none of the classes {', '.join(names)} "
            f"({(number == 0).sum()} such rows): give each a column, remove the rows, or make them a class of their "
            "own with data.several_findings=join."
        )
    return pd.Series([JOINED.join(names[row]) or NOTHING for row in one], index=table.index, dtype=object)


def join_findings(table: pd.DataFrame, join: bool, source: object) -> pd.DataFrame:
    """A table with one label per image, of which none is a set of others, such as `a|b` beside `a` and `b`.

    Args:
        table: `image` and `label`, and other columns.
        join: Whether a set is a label of its own, in whatever order its members are named.
        source: The file, for the message.

    Raises:
        UserError: There are sets, and they are not to be joined; the message has an example.
    """
    again = table["image"].duplicated(keep=False)
    findings = table[again].groupby("image")["label"].agg(lambda labels: JOINED.join(sorted({*labels})))
    findings = findings[table[again].groupby("image")["label"].nunique() > 1]
    times = table["label"].value_counts()
    members = {label: _members(label) for label in times.index}
    single = {label for label, named in members.items() if len(named) == 1}
    sets = {
        label: JOINED.join(sorted(named))
        for label, named in members.items()
        if len(named) > 1 and (LIST.match(label) or {*named} <= single)
    }
    if not join and (len(findings) or sets):
        rows = table["label"].isin(sets) | table["image"].isin(findings.index)
        raise several_findings(int(rows.sum()), len(table), [*findings, *sets][0], source)
    if len(findings):
        table = table.assign(label=table["image"].map(findings).fillna(table["label"]))
        table = table[~(table["image"].isin(findings.index) & table["image"].duplicated())]
    return table.assign(label=table["label"].replace(sets))


def _members(label: str) -> list[str]:
    inside = label.strip("[]") if LIST.match(label) else label
    return [member for member in SEPARATORS.split(inside) if member]


def several_findings(rows: int, of: int, example: str, source: object) -> UserError:
    """The refusal of labels that are sets."""
    return UserError(
        f"{source} has several findings per image, such as {example!r} ({rows} of {of} rows), which are out of scope: "
        "make one class of each set with data.several_findings=join, or choose one column with "
        "data.label_column=COLUMN, whose values are then the classes."
    )
