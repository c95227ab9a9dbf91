"""What a split keeps together: the groups of a data set."""

import numpy as np
import pandas as pd

from lightning_imbal.errors import UserError

DUPLICATES = "duplicates"


def torn_groups(part: pd.Series, group: np.ndarray) -> pd.Series:
    """The groups of which images are in more than one part."""
    used = (part != "").to_numpy()
    parts = part[used].groupby(group[used]).nunique()
    return parts.index[parts > 1].to_series()


def group_ids(index: pd.DataFrame, group_by: str | None, known: str | None, owner: str) -> np.ndarray | None:
    """The group of every row for a split that keeps groups together; a row without one is a group of its own.

    `DUPLICATES` are the known groups, or every image on its own, before those that share a photograph are joined.

    Raises:
        UserError: The data set knows no groups of that name.
    """
    if group_by is None:
        return None
    if group_by not in (known, DUPLICATES):
        why = f"only by {known}" if known else "not grouped"
        raise UserError(
            f"{owner} cannot be split by {group_by!r}: its images are {why} ({DUPLICATES!r} would keep those together "
            "that show the same photograph)."
        )
    return known_groups(index)


def known_groups(index: pd.DataFrame) -> np.ndarray:
    """The group of every row of an index; a row without one is a group of its own."""
    alone = "image " + index["image"].astype(str)
    return (index["group"].fillna(alone) if "group" in index else alone).to_numpy()
