"""Groups that nobody named, but that names of pictures or columns of a label file tell."""

from typing import Any

import pandas as pd

from lightning_imbal.data.look.group_guesses import guess_groups
from lightning_imbal.data.look.header_groups import with_headers
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
    guesses = guess_groups(files, table["class"].astype(object).fillna("").astype(str), columns)
    guesses = guesses if paths is None else with_headers(guesses, paths)
    if (guess := next((each for each in guesses if each.images), None)) is None:
        return None
    group = guess.groups.fillna("image " + files).to_numpy()
    torn = torn_groups(table["part"].where(table["part"].isin(PARTS), ""), group)
    images = int(pd.Series(group).isin(torn).sum())
    found = {"said": guess.said(), "word": guess.word, "groups": guess.number, "torn": len(torn), "images": images}
    return found | {"option": guess.told()}
