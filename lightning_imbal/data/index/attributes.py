"""Attributes of images, such as the age of a patient: columns of a label file, or headers of DICOM files, as text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.errors import UserError
from lightning_imbal.runs.attributes import as_numbers, is_amount
from lightning_imbal.runs.identity import attributes_in
from lightning_imbal.runs.reading import ATTRIBUTE
from lightning_imbal.wording import did_you_mean

OF_DICOM = "dicom:"  # begins the name of one that is a header of each file
# What says that nothing is known, in small letters.
MISSING = {"", "?", "<na>", "missing", "n.a.", "n/a", "na", "nan", "not available", "not known", "not reported"}
MISSING |= {"null", "unknown"}
MOST_WORDS = 50
OLDEST = 120  # years
OTHER_UNITS = {"day", "days", "week", "weeks", "month", "months"}

Encoding = list[dict[str, Any]]


def named_columns(given: Sequence[str] | str | None) -> list[str]:
    """The attributes that `data.metadata_columns` names: a list, or one text with commas.

    Raises:
        UserError: One is named twice, or a name is empty.
    """
    names = [name.strip() for name in (given.split(",") if isinstance(given, str) else given or [])]
    for name in names:
        if not name or names.count(name) > 1:
            what = f"the column {name!r} twice" if name else "a column without a name"
            raise UserError(f"data.metadata_columns names {what}: name each column once.")
    return names


def attribute_columns(
    names: Sequence[str], index: pd.DataFrame, free: pd.DataFrame | None, used: Mapping[str, str], owner: str
) -> pd.DataFrame:
    """The attributes of every row of an index as text: `meta/<name>`, empty where nothing is known.

    Args:
        names: As `named_columns` has them.
        index: With `image` and, for headers of DICOM files, `path`.
        free: What a label file says of each row beside what the index has; None if nothing.
        used: What the other columns of the label file are, such as `{"dx": "label"}`.
        owner: The data set, for messages.

    Raises:
        UserError: There is no such column, it is used for something else, holds too many words, or impossible ages.
    """
    headers = [name for name in names if name.startswith(OF_DICOM)]
    for name in [name for name in names if name not in headers]:
        _check_name(name, free, used, owner)
    values = pd.DataFrame(index=index.index)
    if headers:
        values = _headers(headers, index, owner)
    values = values.assign(
        **{name: free[name].to_numpy() for name in names if name not in headers and free is not None}
    )
    values = values[list(names)].apply(_known_text)
    for name in names:
        _check_values(values[name], index["image"], owner)
        if (values[name] == "").all():
            rank_zero_info(f"{owner}: the attribute {name!r} is missing of every image.")
    return values.add_prefix(ATTRIBUTE)


def _check_name(name: str, free: pd.DataFrame | None, used: Mapping[str, str], owner: str) -> None:
    if name in used:
        raise UserError(f"data.metadata_columns names {name!r}, which is {used[name]}: name another column.")
    if free is None:
        raise UserError(
            f"{owner} knows nothing of its images but their classes: leave data.metadata_columns out, or name headers "
            "of DICOM files, such as dicom:PatientSex."
        )
    if name not in free:
        mend = did_you_mean(name, free, show=repr) or f"there are {', '.join(map(repr, free)) or 'none'}."
        raise UserError(f"{owner} has no further column {name!r} (data.metadata_columns): {mend}")


def _headers(names: Sequence[str], index: pd.DataFrame, owner: str) -> pd.DataFrame:
    from lightning_imbal.data.index.dicom_headers import dicom_columns

    if "path" not in index:
        raise UserError(f"{owner} has no file for each image, and so no DICOM header {names[0]!r}: leave it out.")
    found = dicom_columns(index["path"], [name.removeprefix(OF_DICOM) for name in names])
    return found.set_axis(index.index).set_axis(list(names), axis=1)


def _known_text(values: pd.Series) -> pd.Series:
    """Text without spaces around it, empty where a word says that nothing is known."""
    text = values.astype(object).where(values.notna(), "").astype(str).str.strip()
    return text.mask(text.str.lower().isin(MISSING), "")


def _check_values(text: pd.Series, image: pd.Series, owner: str) -> None:
    """Refuses what is no attribute but an id, a number without an end, or an age that nobody has."""
    number, name, known = pd.to_numeric(text, errors="coerce"), text.name, text != ""
    words, is_word = text[known].nunique(), number.isna() & known
    is_age, some_numbers = _is_age(str(name)), number.notna().any()
    if is_word.any() and words > MOST_WORDS and not (is_age and some_numbers):
        raise UserError(
            f"The column {name!r} of {owner} holds {words} different words, as an id does, and is no attribute "
            f"(at most {MOST_WORDS}): leave it out of data.metadata_columns, or put its words into groups."
        )
    wrong = np.isinf(number) & (not is_word.any())
    if is_age and some_numbers:
        wrong = is_word | (~number.between(0, OLDEST) & known)
    if wrong.any():
        what, mend = ("age", f"but ages are 0 to {OLDEST} years") if is_age else ("number", "which is none")
        raise UserError(
            f"{owner} gives {image[wrong].iloc[0]} the {what} {text[wrong].iloc[0]} (column {name!r}, {wrong.sum()} "
            f"such rows), {mend}: mend them, or leave their cells empty."
        )


def _is_age(name: str) -> bool:
    """Whether a column is called after an age in years, such as `age_approx`, `PatientAge` or `Patient Age`."""
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
    return "age" in words and not words & OTHER_UNITS


def fitted_encoding(training: pd.DataFrame) -> Encoding:
    """How the attributes of images become numbers, by what the training part holds.

    An attribute whose values are all numbers, more than 10 different ones, is one column: less its mean, over its
    standard deviation. Any other has a column of 0 and 1 for each of its words. After them comes one that is 1 where
    the attribute is missing, or is a word that the training part does not have.

    Args:
        training: The attributes of the training images, with any other columns.

    Returns:
        What each of the K columns is, in plain numbers and text: `attribute`, and `mean` and `std`, or `word`, or
        `missing`.

    Example:
        >>> fitted_encoding(pd.DataFrame({"meta/sex": ["male", "", "female"]}))[1:]
        [{'attribute': 'sex', 'word': 'male'}, {'attribute': 'sex', 'missing': True}]
    """
    encoding: Encoding = []
    for column in attributes_in(training):
        name, known = column.removeprefix(ATTRIBUTE), training[column][training[column] != ""]
        if is_amount(number := as_numbers(known.to_numpy())):
            mean, std = float(number.mean()), float(number.std())
            encoding.append({"attribute": name, "mean": mean, "std": std})
        else:
            encoding += [{"attribute": name, "word": word} for word in sorted(known.unique())]
        encoding.append({"attribute": name, "missing": True})
    return encoding


def encoded(table: pd.DataFrame, encoding: Encoding) -> np.ndarray:
    """The attributes of N images as numbers, (N, K) float32; one that the table does not have is missing.

    Args:
        table: With columns `meta/<name>`.
        encoding: As `fitted_encoding` returns it.
    """
    columns = [column for each in _of_attributes(encoding) for column in _encoded(table, *each)]
    return np.stack(columns, axis=1).astype(np.float32) if columns else np.zeros((len(table), 0), np.float32)


def _of_attributes(encoding: Encoding) -> Iterator[tuple[str, Encoding]]:
    for name, columns in groupby(encoding, lambda column: column["attribute"]):
        yield name, list(columns)


def _encoded(table: pd.DataFrame, name: str, columns: Encoding) -> list[np.ndarray]:
    """The columns of one attribute."""
    text = table[ATTRIBUTE + name] if ATTRIBUTE + name in table else pd.Series("", index=table.index)
    if "mean" in columns[0]:
        number = as_numbers(text.to_numpy())
        standard = (number - columns[0]["mean"]) / columns[0]["std"]
        return [np.nan_to_num(standard), np.isnan(number)]
    words = [(text == column["word"]).to_numpy() for column in columns[:-1]]
    return [*words, ~np.any(words, axis=0) if words else np.ones(len(text), bool)]
