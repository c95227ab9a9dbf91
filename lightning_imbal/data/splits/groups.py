"""What a split keeps together: the groups of a data set."""

import numpy as np
import pandas as pd

from lightning_imbal.errors import UserError


def torn_groups(part: pd.Series, group: np.ndarray) -> pd.Series:
    """The groups of which images are in more than one part."""
    used = (part != "").to_numpy()
    parts = part[used].groupby(group[used]).nunique()
    return parts.index[parts > 1].to_series()


def group_ids(index: pd.DataFrame, group_by: str | None, known: str | None, owner: str) -> np.ndarray | None:
    """The group of every row for a split that keeps groups together; a row without one is a group of its own.

    Raises:
        UserError: The data set knows no groups of that name.
    """
    if group_by not in (None, known):
        why = f"only by {known}" if known else "not grouped"
        raise UserError(f"{owner} cannot be split by {group_by!r}: its images are {why}.")
    return None if group_by is None else index["group"].fillna("image " + index["image"].astype(str)).to_numpy()
