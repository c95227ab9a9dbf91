"""A run's folder: its stages, its split, and a name that is free."""

import re
from pathlib import Path

import pandas as pd


def first_free(folder: Path) -> Path:
    """`folder` itself if nothing is there, else `folder_2`, `folder_3` ..., counting on from a number at the end."""
    if not folder.exists():
        return folder
    stem, number = re.fullmatch(r"(.*?)(?:_(\d+))?", folder.name).groups()
    return first_free(folder.with_name(f"{stem}_{int(number or 1) + 1}"))


def stages_of(folder: Path) -> list[Path]:
    """Folders of the stages of a run, first to last; also for a folder inside a run, such as RUN/test/plain."""
    places = (folder.absolute(), *folder.absolute().parents[:2])
    return next(filter(None, (sorted(place.glob("stage*/")) for place in places)), [])


def read_split(folder: Path) -> pd.DataFrame | None:
    """`image`, `class`, `group` (where known) and `part` of every image of a run, or of a folder inside it, as text."""
    files = [stage / "split.csv" for stage in stages_of(folder) if (stage / "split.csv").is_file()]
    # As text: an id such as 007 is no number, and a patient called NA is not a missing one.
    return pd.read_csv(files[-1], dtype="str", keep_default_na=False) if files else None
