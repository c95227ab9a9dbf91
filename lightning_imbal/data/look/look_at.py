"""Looks at a folder or a label file and says how it can be read."""

import shlex
from pathlib import Path

from lightning_imbal.data.index.label_files import read_columns, read_header
from lightning_imbal.data.index.listing import files_below, is_picture, refuse_unnamed_dicom
from lightning_imbal.data.index.table_formats import is_table
from lightning_imbal.data.look.columns import IMAGE_COLUMNS, columns_called
from lightning_imbal.data.look.folders import look_at_folders
from lightning_imbal.data.look.label_columns import TEXT, stems_of
from lightning_imbal.data.look.look import Look, Question
from lightning_imbal.data.look.right_root import check_root, no_classes
from lightning_imbal.data.look.tables import LabelTable, look_at_table, read_label_table
from lightning_imbal.errors import DatasetNotFoundError, UserError

MOST_TABLES = 20  # that are read
TEXTS = (".txt", ".xml", ".json")
LOOKED_AT = 10_000  # characters of one
WHOLE = 0.5  # share of the pictures that a label file must name to be the one


def look_at(path: Path, labels: Path | None = None, label: str | None = None) -> Look:
    """Finds out what is where.

    Args:
        path: A folder of pictures, or a label file beside or above them.
        labels: The label file, if it is known.
        label: Its column of the labels, if the user has named it.

    Raises:
        UserError: Nothing there can be read; the message says why.
    """
    beside = path.is_file() and is_table(path.name)
    if beside:
        path, labels = path.parent, path
    check_root(path)
    files = files_below(path)
    pictures = [file for file in files if is_picture(file)]
    if not pictures:
        refuse_unnamed_dicom(path)
    if not pictures and beside:
        raise UserError(
            f"There are no pictures in the folder of {labels}, {path}, nor below it: give that of the pictures, and "
            f"the file with data.labels={labels}."
        )
    if not pictures:
        raise no_classes(path)
    given = [labels] if labels is not None else [path / file for file in _shallow(files)]
    stems = stems_of(pictures)
    tables = [table for file in given if (table := read_label_table(file, stems, label)) is not None]
    if labels is not None and not tables:
        raise _names_none(labels, path, pictures[0])
    if labels is None and not any(table.share >= WHOLE for table in tables):
        try:
            return look_at_folders(path)
        except DatasetNotFoundError as error:
            raise _other_labels(path, files, stems) or error from None
    best, *others = sorted(tables, key=_order)
    look = look_at_table(best, path)
    if alike := [table.path for table in others if table.share >= WHOLE]:
        names = [str(file.relative_to(path) if file.is_relative_to(path) else file) for file in (best.path, *alike)]
        question = f"Are the labels in {names[0]}, or in {' or '.join(names[1:])}?"
        look.questions.append(Question(question, tuple(f"--data.labels {shlex.quote(name)}" for name in names)))
    return look


def _shallow(files: list[str]) -> list[str]:
    """The label files, those that lie highest first."""
    return sorted(filter(is_table, files), key=lambda file: file.count("/"))[:MOST_TABLES]


def _order(table: LabelTable) -> tuple[float, bool, int]:
    """First the files that name most of the pictures, then those with a column of labels."""
    return -round(table.share, 2), not table.labels, len(table.path.parts)


def _other_labels(root: Path, files: list[str], stems: set[str]) -> UserError | None:
    """The refusal of labels in files that are no tables, if there are any."""
    others = [file for file in files if file.lower().endswith(TEXTS)]
    beside = [file for file in others if stems_of([file]) <= stems]
    if len(beside) > len(stems) / 2:
        return UserError(
            f"{root} has a file for each picture, such as {beside[0]}, as for objects in pictures, which are out of "
            "scope: cut the objects out into a folder for each class, with the name of their picture in theirs."
        )
    for file in others[:MOST_TABLES]:
        words = (root / file).read_text(encoding="utf-8", errors="replace")[:LOOKED_AT].split()
        if stems_of(words) & stems:
            return UserError(
                f"{root / file} names pictures, but is no table with a header: save it as CSV with a first line such "
                "as image,label, and give it with data.labels=FILE."
            )
    return None


def _names_none(labels: Path, root: Path, picture: str) -> UserError:
    header = read_header(labels)
    column = next(iter(columns_called(header, IMAGE_COLUMNS)), header[0])
    first = read_columns(labels, [column], **TEXT)[column].dropna()
    example = f"its column {column!r} has {first.iloc[0]}" if len(first) else f"its columns are {', '.join(header)}"
    return UserError(
        f"{labels} does not name the pictures below {root} and their labels: {example}, there is {picture}. Give the "
        "folder that holds its pictures, the columns with data.image_column and data.label_column, or a file with a "
        "first line such as image,label."
    )
