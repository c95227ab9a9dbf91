"""Guesses from the headers of DICOM pictures which of them are of one patient."""

from itertools import compress
from operator import not_

import numpy as np
import pandas as pd

from lightning_imbal.data.dicom.header import is_dicom_file
from lightning_imbal.data.index.dicom_headers import dicom_columns
from lightning_imbal.data.look.group_guesses import Guess

PATIENT = "PatientID"
PERSONS = ("patient", "person", "subject", "participant")
TRIED = 5  # files, spread over all, whether they are DICOM
MOST = 0.5  # of the pictures may have no patient


def with_headers(guesses: list[Guess], paths: pd.Series) -> list[Guess]:
    """Puts the patients that headers name before all guesses but a column of patients, by whoever made the label file.

    Args:
        guesses: What columns and names tell.
        paths: File of every picture.
    """
    if (found := patients_in_headers(paths)) is None:
        return guesses
    comes_first = [each.option[0] == "group_column" and each.word in PERSONS for each in guesses]
    return [*compress(guesses, comes_first), found, *compress(guesses, map(not_, comes_first))]


def patients_in_headers(paths: pd.Series) -> Guess | None:
    """The patients that the headers of pictures name; None where they are no DICOM, or name none or only one.

    Args:
        paths: File of every picture.
    """
    some = paths.iloc[np.linspace(0, len(paths) - 1, min(TRIED, len(paths))).astype(int)]
    if not any(map(is_dicom_file, some)):
        return None
    found = dicom_columns(paths, [PATIENT])[PATIENT]
    groups = found.mask(found == "")
    if groups.nunique() < 2 or groups.isna().mean() > MOST:
        return None
    return Guess(("dicom_group", PATIENT), "patient", groups)
