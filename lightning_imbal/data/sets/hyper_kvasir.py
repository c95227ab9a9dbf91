"""Hyper-Kvasir: images of the digestive tract."""

from pathlib import Path
from typing import Any, Literal

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.label_files import label_numbers, read_columns
from lightning_imbal.data.splits.official import OfficialFold
from lightning_imbal.errors import UserError

COUNTS = {
    "bbps-2-3": 1148,
    "polyps": 1028,
    "cecum": 1009,
    "dyed-lifted-polyps": 1002,
    "pylorus": 999,
    "dyed-resection-margins": 989,
    "z-line": 932,
    "retroflex-stomach": 764,
    "bbps-0-1": 646,
    "ulcerative-colitis-grade-2": 443,
    "esophagitis-a": 403,
    "retroflex-rectum": 391,
    "esophagitis-b-d": 260,
    "ulcerative-colitis-grade-1": 201,
    "ulcerative-colitis-grade-3": 133,
    "impacted-stool": 131,
    "barretts-short-segment": 53,
    "barretts": 41,
    "ulcerative-colitis-grade-0-1": 35,
    "ulcerative-colitis-grade-2-3": 28,
    "ulcerative-colitis-grade-1-2": 11,
    "ileum": 9,
    "hemorrhoids": 6,
}


class HyperKvasir(ImbalDataModule):
    """Hyper-Kvasir (Borgli et al. 2020), labelled images: 10,662 of 23 classes, from 1,148 down to 6.

    A class is a finding as `image-labels.csv` names it; classes are ordered from the largest to the smallest. Expects
    below `root` the archive `hyper-kvasir-labeled-images`, unpacked: `image-labels.csv` and, anywhere below
    `labeled-images`, the pictures (both may also lie in other folders below `root`); and for the official folds, in
    `root` or beside that file, `2_fold_split.csv` or `5_fold_split.csv`
    (https://github.com/simula/hyper-kvasir/tree/master/official_splits).

    The default split tests on the official fold 0 of 5 and validates on a tenth of the other folds. Galdran et al.
    2021, section 3.1, report the median of a stratified 5-fold cross-validation; their released code draws folds of its
    own and chooses the epoch on the fold it reports, which the validation part avoids. The smallest classes are too
    small to be in every validation part. Patients are not named, and similar images of one examination may lie on both
    sides of every split. Licence: CC BY 4.0.

    Args:
        root: Folder of the data set.
        folds: Number of the official folds, 2 or 5. Without that file `OfficialFold` is refused; choose KFold.
        **kwargs: Arguments of `ImbalDataModule`.
    """

    class_names = tuple(COUNTS)
    default_split = OfficialFold(fold=0, val=0.1)
    official_counts = tuple(COUNTS.values())

    def __init__(self, root: str, folds: Literal[2, 5] = 5, **kwargs: Any) -> None:
        super().__init__(root=root, **kwargs)
        self.folds = folds

    def read_index(self) -> pd.DataFrame:
        folder = self.folder("https://datasets.simula.no/hyper-kvasir")
        places = ["image-labels.csv", "labeled-images/image-labels.csv"]
        labels = folder.need({"labels": places}, "labeled-images")["labels"]
        table = read_columns(labels, ["Video file", "Finding"], dtype=str)
        image = table["Video file"]
        index = pd.DataFrame(
            {
                "image": image,
                "path": folder.pictures(image, ["labeled-images"], ".jpg", labels),
                "label": label_numbers(table["Finding"], self.class_names, image, labels),
            }
        )
        beside = [self.root, self.root / "official_splits", self.root / "labeled-images", labels.parent]
        files = [place / f"{self.folds}_fold_split.csv" for place in beside]
        folds = next((file for file in files if file.is_file()), None)
        return index if folds is None else index.assign(fold=_read_folds(folds, image + ".jpg"))


def _read_folds(file: Path, name: pd.Series) -> pd.Series:
    """The official fold of every image. The class names of that file are not those of the label file."""
    table = read_columns(file, ["file-name", "split-index"], sep=";").drop_duplicates("file-name")
    fold = name.map(table.set_index("file-name")["split-index"])
    if fold.isna().any():
        raise UserError(
            f"{file} does not name {name[fold.isna()].iloc[0]} ({fold.isna().sum()} such images): "
            "take the official file again, or remove it and choose the split KFold."
        )
    return fold.astype(int)
