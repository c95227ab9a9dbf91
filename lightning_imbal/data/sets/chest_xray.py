"""ChestX-ray14 and the single-label subsets of it that the papers use."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.label_files import label_numbers, read_columns
from lightning_imbal.data.look.label_columns import further_columns
from lightning_imbal.data.splits.base import Split
from lightning_imbal.data.splits.holdout import Holdout
from lightning_imbal.data.splits.kfold import KFold
from lightning_imbal.data.splits.official import Official
from lightning_imbal.errors import UserError

NO_FINDING = "No Finding"
# Images of the label file of 2020 with exactly this finding.
COUNTS = {
    "Infiltration": 9547,
    "Atelectasis": 4215,
    "Effusion": 3955,
    "Nodule": 2705,
    "Pneumothorax": 2194,
    "Mass": 2139,
    "Consolidation": 1310,
    "Pleural_Thickening": 1126,
    "Cardiomegaly": 1093,
    "Emphysema": 892,
    "Fibrosis": 727,
    "Edema": 628,
    "Pneumonia": 322,
    "Hernia": 110,
    NO_FINDING: 60361,
}


class ChestXray14(ImbalDataModule):
    """ChestX-ray14 (Wang et al. 2017): the 30,963 of 112,120 chest X-rays that show exactly one of 14 findings.

    Images with several findings, or with one that was not chosen, are left out. Expects below `root` the files
    `Data_Entry_2017*.csv` (or `.csv.gz`), `train_val_list.txt` and `test_list.txt` (or `train_val_list_NIH.txt` and
    `test_list_NIH.txt`), and the pictures in `images` or in `images_001/images` to `images_012/images`, or in any other
    folders, as in resized copies. The default split is the official one, which keeps patients together;
    `group_by: patient` does so in the others. The label file of 2020 has the attributes `Patient Age`, `Patient Gender`
    and `View Position` for `metadata_columns`. The labels were mined from reports by a program, and about a tenth of
    them is wrong by its authors' own estimate. The images may be used freely if the NIH Clinical Center and the paper
    are cited.

    Args:
        root: Folder of the data set.
        findings: The findings that are classes, in the order in which they are reported; `No Finding` may be one. None
            takes those of the class.
        **kwargs: Arguments of `ImbalDataModule`.
    """

    default_findings = tuple(name for name in COUNTS if name != NO_FINDING)
    default_split: Split = Official()
    group_name = "patient"
    source = "https://nihcc.app.box.com/v/ChestXray-NIHCC"
    label_files: Sequence[str] = ("Data_Entry_2017*.csv", "Data_Entry_2017*.csv.gz")

    def __init__(self, root: str, findings: list[str] | None = None, **kwargs: Any) -> None:
        super().__init__(root=root, **kwargs)
        self.class_names = tuple(findings or self.default_findings)
        if unknown := [name for name in self.class_names if name not in COUNTS]:
            raise UserError(f"There is no finding {unknown[0]!r}: choose from {', '.join(COUNTS)}.")
        if len(set(self.class_names)) < len(self.class_names):
            raise UserError(f"The findings {', '.join(self.class_names)} are not all different: name each once.")
        self.official_counts = tuple(COUNTS[name] for name in self.class_names)

    def read_index(self) -> pd.DataFrame:
        folder = self.folder(self.source)
        found = folder.need(
            {
                "labels": list(self.label_files),
                "train": ["train_val_list.txt", "train_val_list_NIH.txt"],
                "test": ["test_list.txt", "test_list_NIH.txt"],
            },
            "images",
        )
        table = read_columns(found["labels"], ["Image Index", "Finding Labels", "Patient ID"], dtype=str)
        table = table[table["Finding Labels"].isin(self.class_names)]
        image = table["Image Index"]
        part_of_image = {name: part for part in ("train", "test") for name in _read_list(found[part])}
        return pd.DataFrame(
            {
                "image": image,
                "path": folder.pictures(image, ["images", "images_*/images"], "", found["labels"]),
                "label": label_numbers(table["Finding Labels"], self.class_names, image, found["labels"]),
                "group": table["Patient ID"],
                "official": image.map(part_of_image).fillna(""),
            }
        )

    def used_columns(self) -> dict[str, str]:
        return {"Image Index": "the image", "Finding Labels": "the label", "Patient ID": "the patient"}

    def unused_columns(self) -> pd.DataFrame:
        labels = self.find({"labels": list(self.label_files)}, self.source)["labels"]
        return further_columns(labels, "Image Index", self.bare_index["image"], self.used_columns())


class XRay9(ChestXray14):
    """X-ray9 of Zeng et al. 2023, section 3.1: 17,625 chest X-rays with exactly one of nine findings.

    Layout, licence and arguments are those of `ChestXray14`. The paper does not list its classes, only that their
    training part has 83 to 3,158 images, which fits Hernia and Atelectasis and leaves out Infiltration. The nine here
    are a choice: the eight findings of ChestX-ray8 without Infiltration, and Emphysema and Hernia.

    The default split is the paper's 7.5:0.5:2, not by patient; `group_by: patient` keeps patients together. On the
    label file of 2020 its training part has 83 to 3,161 images. The paper's 3,158 are 0.75 of 4,210 or 4,211
    Atelectasis; this file has 4,215. The paper does not say which version or selection it used.
    """

    default_findings = (
        "Atelectasis",
        "Cardiomegaly",
        "Effusion",
        "Mass",
        "Nodule",
        "Pneumonia",
        "Pneumothorax",
        "Emphysema",
        "Hernia",
    )
    default_split = Holdout(test=0.2, val=0.05)


class XRay6(ChestXray14):
    """X-ray6 of Chen et al. 2021, section 3.1: 12,404 chest X-rays with exactly one of six findings.

    Layout, licence and arguments are those of `ChestXray14`. The default split is fold 0 of the paper's 5-fold
    cross-validation, not by patient; `group_by: patient` keeps patients together. Four fifths have 88 to 3,372 images
    on the label file of 2020. The paper's 88 to 3,368 fit 4,210 Atelectasis; this file has 4,215. The paper does not
    say which version or selection it used.
    """

    default_findings = ("Atelectasis", "Cardiomegaly", "Emphysema", "Hernia", "Mass", "Effusion")
    default_split = KFold(5)


def _read_list(file: Path) -> list[str]:
    """The image names in an official list, also where a line end between two of them was lost."""
    return re.findall(r"\d+_\d+\.png", file.read_text())
