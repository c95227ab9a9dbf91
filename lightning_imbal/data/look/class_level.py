"""Which of the folders on the way to a picture is that of its class."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

MOST = 100  # classes
FEW = 5  # pictures of a class, classes
NUMBER = r"\d{2}"  # in names that may be numbers of patients or slides
CODE = r"^[0-9a-fA-F.-]{12,}$"  # no name of a class
VERSION = r"(?i)original|augmented|raw|processed|resized|cropped|enhanced|fold|batch|cent(?:er|re)|hospital|scanner"
DIAGNOSIS = r"(?i)benign|malignan|normal|healthy|positive|negative|tumou?r|cancer"


@dataclass(frozen=True)
class Level:
    """A level of folders that may be the classes.

    Args:
        number: 1 for the first folder of a path.
        names: Its folders.
    """

    number: int
    names: tuple[str, ...]

    def share_of(self, pattern: str) -> float:
        """Share of the folders whose names a pattern finds."""
        return float(pd.Series(self.names).str.contains(pattern).mean())


def class_levels(files: Sequence[str]) -> list[Level]:
    """The levels that may be the classes, the likeliest first; none if there are not two folders.

    Deeper folders count if each lies in one folder alone, as kinds of a disease do; folders of numbers, as those of
    patients, count least.

    Args:
        files: Paths of the pictures.
    """
    folders = pd.Series(files, dtype=object).str.split("/").str[:-1]
    depth = int(folders.str.len().min()) if len(folders) else 0
    levels = [Level(i + 1, tuple(sorted(folders.str[i].unique()))) for i in range(depth)]
    some = [level for level in levels if 1 < len(level.names) <= min(MOST, len(files) / 2)]
    usable = [level for level in some if not level.share_of(CODE) > 0.5]
    if (
        levels and len(levels[0].names) > FEW and levels[0].share_of(NUMBER) > 0.5
    ):  # of patients, perhaps, and their classes below
        within = [level for level in usable if len(level.names) < len(levels[0].names) and _repeat(folders, level)]
        return [*within[:1], *usable[:1]]
    if not usable:
        return []
    first = usable[0]
    kinds = [
        level
        for level in usable[1:]
        if len(level.names) > len(first.names)
        and len(files) >= FEW * len(level.names)
        and not level.share_of(NUMBER) > 0.5
        and not _repeat(folders, level)
    ]
    same = [level for level in usable[1:] if not level.share_of(NUMBER) > 0.5 and _is_everywhere(folders, level)][:1]
    if first.share_of(DIAGNOSIS) > 0.5:
        return [first, *kinds[-1:], *same]
    return [*same, first] if first.share_of(VERSION) > 0.5 else [*kinds[-1:], first, *same]


def _is_everywhere(folders: pd.Series, level: Level) -> bool:
    """Whether the folders above it have all of its folders, each."""
    places = folders.str[: level.number].str.join("/").drop_duplicates()
    within = places.str.rpartition("/")[2].groupby(places.str.rpartition("/")[0]).nunique()
    return len(within) > 1 and bool((within == len(level.names)).all())


def _repeat(folders: pd.Series, level: Level) -> bool:
    """Whether most of its folders have the name of one that lies elsewhere."""
    places = folders.str[: level.number].str.join("/").drop_duplicates()
    return bool(places.str.rpartition("/")[2].duplicated(keep=False).mean() > 0.5)
