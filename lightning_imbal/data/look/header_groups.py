"""Guesses from the headers of DICOM pictures which of them are of one patient."""

import numpy as np
import pandas as pd

from lightning_imbal.data.dicom.header import is_dicom_file
from lightning_imbal.data.index.dicom_headers import dicom_columns
from lightning_imbal.data.look.group_guesses import Guess

PATIENT = "PatientID"
TRIED = 5  # files, spread over all, whether they are DICOM
MOST = 0.5  # of the pictures may have no patient


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
