"""What the headers of DICOM files say of each picture: only attributes that somebody has named."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.dicom.header import header_texts, tags_of
from lightning_imbal.errors import UserError
from lightning_imbal.wording import number_of


def dicom_columns(paths: Sequence[str] | pd.Series, names: Sequence[str]) -> pd.DataFrame:
    """Attributes of pictures by their keywords (PS3.6), such as `PatientSex`.

    Ages (`045Y`, `006M`) are years (`45`, `0.5`); several values of one attribute stay apart by `\\`, as in the file.

    Args:
        paths: File of every picture. One that is no DICOM file, or is damaged, has no attributes.
        names: The keywords.

    Returns:
        A column of text for each name and a row for each path, with the index of `paths` if they are a Series; empty
        where there is no value.

    Raises:
        UserError: There is no such keyword, or its values are no text.
    """
    tags = tags_of(names)
    with ThreadPoolExecutor() as pool:
        rows = list(pool.map(lambda path: header_texts(path, tags), paths))
    index = paths.index if isinstance(paths, pd.Series) else None
    return pd.DataFrame(rows, index=index, columns=list(names), dtype=object).fillna("")


def dicom_groups(paths: pd.Series, name: str) -> pd.Series:
    """What belongs together by an attribute, such as `PatientID`; missing where there is none, which is said.

    Raises:
        UserError: No picture has the attribute, or all have the same.
    """
    found = dicom_columns(paths, [name])[name]
    without = found == ""
    if without.all():
        raise UserError(f"data.dicom_group={name}: no picture has it, such as {paths.iloc[0]}; leave it out.")
    if len(found) > 1 and not without.any() and found.nunique() == 1:
        raise UserError(
            f"data.dicom_group={name}: all {len(found)} pictures have {found.iloc[0]!r}, which keeps nothing apart, as "
            "where it was made anonymous; leave it out."
        )
    if without.any():
        rank_zero_info(
            f"The DICOM attribute {name} is missing in {number_of(int(without.sum()), 'picture')}, such as "
            f"{paths[without].iloc[0]}: each of these is on its own."
        )
    return found.mask(without)
