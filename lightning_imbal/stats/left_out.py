"""What is said of methods that learned nothing, and of those whose runs are missing."""

from lightning_imbal.stats.learned import NOTHING_LEARNED
from lightning_imbal.stats.results import Results


def nothing_learned(again: str) -> list[str]:
    """That there is nothing to say, and what may be changed."""
    command = f": {again}" if again else "."
    what = "More epochs and pretrained weights may help, or another learning rate"
    return [f"{NOTHING_LEARNED[0].upper()}{NOTHING_LEARNED[1:]}.", what + command]


def left_out(results: Results) -> list[str]:
    """Which methods of a table with one column have not learned anything, and are compared with no other."""
    cells = results.cells.drop_duplicates("row")
    cells = cells[(cells["runs"] > 0) & ~cells["learned"]]
    return [
        f"{cell.row} is left out here ({cell.remark}): it cannot be told from what needs no training. Another learning "
        "rate or more epochs may suit it."
        for cell in cells.itertuples()
    ]


def missing(results: Results) -> list[str]:
    """Which runs are not finished."""
    cells = results.cells.drop_duplicates("row")
    lacking = cells[cells["runs"] < cells["planned"]]
    if lacking.empty:
        return []
    named = [f"{cell.row} {cell.runs} of {cell.planned}" for cell in lacking.itertuples()]
    return [f"Runs are missing ({', '.join(named)}): only methods with the baseline's seeds or folds are tested."]
