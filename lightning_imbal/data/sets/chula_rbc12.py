"""Chula RBC-12: red blood cells, cut out of photographs of blood smears."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from PIL import Image

from lightning_imbal.data.base import LARGEST, ImbalDataModule
from lightning_imbal.data.index.listing import pictures_in
from lightning_imbal.data.labelled_images import LabelledImages
from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.pictures.cut_outs import CutOuts
from lightning_imbal.data.splits.holdout import Holdout
from lightning_imbal.errors import UserError, refuse_below

COUNTS = {
    "normal": 6330,
    "macrocyte": 689,
    "microcyte": 461,
    "spherocyte": 3449,
    "target cell": 2753,
    "stomatocyte": 1996,
    "ovalocyte": 2140,
    "teardrop": 307,
    "burr cell": 785,
    "schistocyte": 897,
    "uncategorised": 184,
    "hypochromia": 1063,
    "elliptocyte": 1052,
}
SIZE = (640, 480)  # of a smear, in pixels: the labels count in them
SOURCE = "https://github.com/Chula-PIC-Lab/Chula-RBC-12-Dataset"
LEFT_OUT = "{:,} elliptocytes are left out: the release has them from other pictures than all other cells."
ELLIPTOCYTES = (
    "The elliptocytes are from other pictures than all other cells, with a white background and a printed scale bar: a "
    "network can tell them by these, so their scores, and the means over all classes, say little."
)


class ChulaRBC12(ImbalDataModule):
    """Chula RBC-12 (Naruenatthanaset et al. 2021, arXiv:2012.01321): 21,054 red blood cells of 12 classes.

    Expects below `root` the folders of the release, `Dataset` with 738 photographs of smears (640 x 480 pixels) and
    `Label` with a file `NUMBER.txt` for 623 of them, a line `x y class` for each cell. A cell is a square around its
    point; its id is the number of the smear and that of its line, such as `12_3`. A square that leaves the smear is
    filled with the smear's median colour.

    Cells of one smear have its stain, light and focus in common, so all of them are on one side of the split;
    `group_by: null` splits cell by cell. The release has 22 pairs of smears that are one file under two names, whose
    labels agree only in part, and some that were photographed twice: `group_by: duplicates` joins them, too. Which
    smears are of one patient is not published. The default split is a 7:1:2 holdout, with the classes in proportion as
    far as whole smears allow. Licence: MIT.

    Args:
        root: Folder of the data set.
        side: Of the square that is cut out, in pixels of the smear. A cell is about 50 pixels wide; of those that
            touch no other, 95 in 100 are whole in the default.
        elliptocytes: Adds the 1,052 cells of a class that the release got later, on smears of their own that have a
            white background and a printed scale bar: a network can tell this class by them, without the cell.
        group_by: As in `ImbalDataModule`.
        **kwargs: Arguments of `ImbalDataModule`; `short_side` is that of a cell.
    """

    class_names = tuple(COUNTS)[:-1]
    group_name = "smear"
    default_split = Holdout(test=0.2, val=0.1)
    official_counts = tuple(COUNTS.values())[:-1]
    file_side = LARGEST  # smears are cut as they are

    def __init__(
        self, root: str, side: int = 72, elliptocytes: bool = False, group_by: str | None = "smear", **kwargs: Any
    ) -> None:
        super().__init__(root=root, group_by=group_by, **kwargs)
        refuse_below(1, side=side)
        self.side = side
        if elliptocytes:
            self.class_names, self.official_counts = tuple(COUNTS), tuple(COUNTS.values())

    def read_index(self) -> pd.DataFrame:
        cells = self._release.cells
        return cells[cells["label"] < len(self.class_names)]

    def read_images(self) -> Pictures:
        """Returns the cells; a smear is decoded at each use, unless it is one of the last, or `cache` keeps it."""
        _refuse_other_sizes(self.files.unique())
        source, centre = pd.factorize(self.files)[0], self.index[["x", "y"]].to_numpy()
        return CutOuts(self.open_files(), source, centre, self.side, self.short_side)

    def share_images(self, other: LabelledImages) -> None:
        if isinstance(other, ChulaRBC12) and other.side == self.side:
            super().share_images(other)

    @property
    def remarks(self) -> list[str]:
        cells, empty, unlabelled = self._release
        last = int((cells["label"] == len(COUNTS) - 1).sum())
        said = [ELLIPTOCYTES if len(self.class_names) == len(COUNTS) else LEFT_OUT.format(last)] if last else []
        unknown = [f"{', '.join(empty)} (empty label file)"] if empty else []
        unknown += [f"{unlabelled} without a label file"] if unlabelled else []
        return said + ([f"Smears whose cells are not known are left out: {', '.join(unknown)}."] if unknown else [])

    @cached_property
    def _release(self) -> "_Release":
        """All cells, also of a class that is left out."""
        folder = self.folder(SOURCE)
        labels = folder.need({"labels": ["Label", "*/Label"]}, "Dataset")["labels"]
        files = sorted(labels.glob("*.txt"), key=lambda file: (len(file.stem), file.stem))
        cells = _read_cells(files, labels)
        smear = pd.Series(cells["group"].unique())
        path = folder.pictures(smear, ["Dataset", "*/Dataset"], ".jpg", labels)
        cells.insert(1, "cut_from", cells["group"].map(dict(zip(smear, path, strict=True))))
        known = {file.stem for file in files}
        beside = {Path(name).stem for name in pictures_in(Path(path.iloc[0]).parent)}
        return _Release(cells, sorted(known - set(smear), key=int), len(beside - known))


class _Release(NamedTuple):
    cells: pd.DataFrame
    empty: list[str]
    unlabelled: int


def _read_cells(files: Sequence[Path], labels: Path) -> pd.DataFrame:
    """The cells of all label files: `image`, `label`, `group`, `x` and `y`."""
    lines = [
        (file.stem, number, line)
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if line.strip()
    ]
    if not lines:
        raise UserError(f"{labels} has no label file with a cell: get the release again from {SOURCE}.")
    table = pd.DataFrame(lines, columns=["group", "line", "text"])
    number = table["text"].str.extract(r"^\s*(?P<x>\d{1,4})\s+(?P<y>\d{1,4})\s+(?P<label>\d{1,4})\s*$").astype(float)
    wrong = ~(number < [*SIZE, len(COUNTS)]).all(axis=1)
    if wrong.any():
        first = table[wrong].iloc[0]
        raise UserError(
            f"{labels / first['group']}.txt has no cell in line {first['line']}, {first['text']!r} ({wrong.sum()} such "
            f"lines): a line is x below {SIZE[0]}, y below {SIZE[1]} and a class from 0 to {len(COUNTS) - 1}, with "
            "spaces between them; mend it, or take the official file again."
        )
    cells = pd.DataFrame({"image": table["group"] + "_" + table["line"].astype(str), "group": table["group"]})
    return cells.join(number.astype(int))


def _refuse_other_sizes(files: Iterable[str]) -> None:
    """Refuses smears that were reduced: the labels would point beside the cells."""
    for file in files:
        with (
            suppress(OSError, Image.DecompressionBombError),
            Image.open(file) as smear,
        ):  # an unreadable one is told later
            if smear.size != SIZE:
                raise UserError(
                    f"{file} has {smear.width} x {smear.height} pixels, but the labels count in {SIZE[0]} x {SIZE[1]}: "
                    f"get the release again from {SOURCE}."
                )
