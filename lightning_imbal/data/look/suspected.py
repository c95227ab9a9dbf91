"""Groups that nobody named, but that names of pictures or columns of a label file tell."""

from typing import Any

import pandas as pd

from lightning_imbal.data.look.group_guesses import guess_groups
from lightning_imbal.data.look.header_groups import patients_in_headers
from lightning_imbal.data.splits.base import PARTS
from lightning_imbal.data.splits.groups import torn_groups


def suspected_groups(
    table: pd.DataFrame, files: pd.Series, columns: pd.DataFrame | None = None, paths: pd.Series | None = None
) -> dict[str, Any] | None:
    """What may belong together, and how often it is torn.

    Args:
        table: One row per image: `part` and `class`.
        files: Path or name of every image.
        columns: What else a label file says of each, as text.
        paths: File of each, where headers may tell.

    Returns:
        `said` (what was found, in words), `word` (what a group is), `groups`, `torn` (groups in several parts),
        `images` (in those), and `option`, which keeps them together; None if nothing is suspected.
    """
    told = patients_in_headers(paths) if paths is not None else None
    guesses = guess_groups(files, table["class"].astype(object).fillna("").astype(str), columns)
    guess = told if told is not None and told.images else next(iter(guesses), None)
    if guess is None:
        return None
    group = guess.groups.fillna("image " + files).to_numpy()
    torn = torn_groups(table["part"].where(table["part"].isin(PARTS), ""), group)
    images = int(pd.Series(group).isin(torn).sum())
    found = {"said": guess.said(), "word": guess.word, "groups": guess.number, "torn": len(torn), "images": images}
    return found | {"option": guess.told()}
