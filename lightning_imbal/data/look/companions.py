"""Recognises pictures that belong to another one, such as masks and thumbnails: they are no images of a class."""

import re
from collections.abc import Sequence
from glob import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lightning_imbal.data.index.by_name import without_ending
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.errors import BadImageError, UserError
from lightning_imbal.wording import number_of

WORDS = (
    "masks?|segmentations?|segs?|gts?|ground[ _-]?truths?|annotations?|labels?|lesions?|contours?|overlays?|heatmaps?"
    "|thumbs?|thumbnails?|superpixels"
)
FOLDER = re.compile(rf"(?:{WORDS})(?:[ _.-](?:{WORDS}|images?|files?|pictures?))*\Z", re.IGNORECASE)
MARKS = (
    re.compile(rf"(?P<of>.+?)(?P<mark>[ _.-]+(?:{WORDS}))(?:[ _.-]*\d+)?\Z", re.IGNORECASE),
    re.compile(rf"(?P<mark>(?:{WORDS})[ _.-]+)(?P<of>.+)\Z", re.IGNORECASE),
)
SURE = 0.5  # of the pictures that are named alike, so many have the picture they belong to
SAMPLE = 12  # pictures of one kind that are opened
MANY_FOLDERS = 10
NEAR, TWO_VALUED = 16, 0.98  # so many pixels are so near one of two grey levels; JPEG blurs the edges between them


class Companions(NamedTuple):
    """Pictures that belong to others.

    Args:
        files: Their paths.
        pattern: What leaves them out, as `data.exclude`.
        of: The picture that the first of them belongs to; None if it is not there.
    """

    files: list[str]
    pattern: str
    of: str | None


def find_companions(rows: pd.DataFrame, root: Path, opened: bool = False) -> list[Companions]:
    """The pictures that are named, or lie, as the mask of another one does, by what they have in common.

    The name alone does not count: the other picture must be there, or the pictures have two values, as masks do.

    Args:
        rows: `file` (path below `root`) and `label` of every picture.
        root: Where pictures are opened, a few of each kind.
        opened: Whether pictures count only if they have two values, because it is not known what the classes are.
    """
    if rows.empty:
        return []
    table = rows[["file", "label"]].astype(object)
    table["stem"] = [without_ending(file.rpartition("/")[2]) for file in table["file"]]
    table[["pattern", "of"]] = [_marked(*row) for row in table[["file", "stem"]].itertuples(index=False)]
    plain = table[table["pattern"] == ""].drop_duplicates(["label", "stem"]).set_index(["label", "stem"])["file"]
    found = []
    for pattern, kind in table[table["pattern"] != ""].groupby("pattern", sort=True):
        other = plain.reindex(pd.MultiIndex.from_frame(kind[["label", "of"]])).to_numpy()
        if (not opened and pd.notna(other).mean() >= SURE) or _show_masks(kind["file"], root):
            found.append(Companions(kind["file"].tolist(), str(pattern), other[0] if pd.notna(other[0]) else None))
    return found + _by_pixels(table[table["pattern"] == ""], root)


def refuse_companions(rows: pd.DataFrame, root: Path) -> None:
    """Refuses pictures that belong to others.

    Raises:
        UserError: The message names the first, how many there are, and what leaves them out.
    """
    if not (found := find_companions(rows, root)):
        return
    number, first = sum(len(each.files) for each in found), found[0]
    of = f" of {first.of}" if first.of else ""
    patterns = ", ".join(f"'{each.pattern}'" for each in found)
    given = patterns if len(found) == 1 else f"[{patterns}]"
    raise UserError(
        f"{root} has {number_of(number, 'picture')} that look like masks or other companions of pictures, the first is "
        f"{first.files[0]}{of}: leave them out with data.exclude={given}, or keep them with data.exclude=[]."
    )


def _marked(file: str, stem: str) -> tuple[str, str]:
    """What leaves a picture and those like it out, and the stem of the one that it belongs to; empty if it is none."""
    mark = next((found for each in MARKS if (found := each.match(stem))), None)
    folders = [folder for folder in file.split("/")[:-1] if FOLDER.match(folder)]
    if folders:
        return f"**/{folders[-1]}/*", mark["of"] if mark else stem
    if mark:
        return (f"*{mark['mark']}*" if mark.start("mark") else f"{mark['mark']}*"), mark["of"]
    return "", ""


def _by_pixels(plain: pd.DataFrame, root: Path) -> list[Companions]:
    """Pictures of two values in a folder below that of a class, with the names of others of the class."""
    folder = pd.Series(["/".join(file.split("/")[-2:-1]) for file in plain["file"]], plain.index, dtype=object)
    below = folder[folder != plain["label"]]
    if below.nunique() > MANY_FOLDERS:
        return []
    found = []
    for name, files in plain["file"].groupby(below):
        others = plain[(folder != name) & plain["label"].isin(plain["label"][files.index])]
        other = plain["stem"][files.index].map(others.drop_duplicates("stem").set_index("stem")["file"])
        if other.notna().mean() > SURE and _show_masks(files, root):
            found.append(Companions(files.tolist(), f"**/{escape(str(name))}/*", other.iloc[0]))
    return found


def _show_masks(files: Sequence[str], root: Path) -> bool:
    """Whether all of some of these pictures have two values."""
    some = pd.Series(files).iloc[np.linspace(0, len(files) - 1, min(SAMPLE, len(files))).astype(int)]
    return all(_is_two_valued(root / file) for file in some)


def _is_two_valued(path: Path) -> bool:
    try:
        grey = read_image(path).astype(np.int16).mean(axis=2)
    except BadImageError:
        return False
    low, high = grey.min(), grey.max()
    return bool(((grey <= low + NEAR) | (grey >= high - NEAR)).mean() >= TWO_VALUED and high > low + 4 * NEAR)
