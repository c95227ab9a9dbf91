"""Dermoscopy images of the ISIC challenges, in the layout of the official archives."""

from pathlib import Path

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.label_files import read_columns
from lightning_imbal.errors import UserError


class ISIC2018(ImbalDataModule):
    """ISIC 2018 task 3 (HAM10000, Tschandl et al. 2018): 10,015 images of 7,470 skin lesions in 7 classes.

    It is Skin7 of Zeng et al. 2023 (86 to 5,029 training images at 7.5:0.5:2) and of Chen et al. 2021 (115 to 6,705 in
    all). Expects below `root` the three archives `ISIC2018_Task3_Training_Input`, `_GroundTruth` and
    `_LesionGroupings`, unpacked. Many lesions have several images: `group_by: lesion` keeps them on one side of the
    split, which the papers do not do.
    """

    class_names: tuple[str, ...] = (
        "melanoma",
        "nevus",
        "basal cell carcinoma",
        "actinic keratosis",
        "benign keratosis",
        "dermatofibroma",
        "vascular lesion",
    )
    group_name = "lesion"
    official_counts: tuple[int, ...] = (1113, 6705, 514, 327, 1099, 115, 142)
    columns: tuple[str, ...] = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
    prefix = "ISIC2018_Task3_Training_"
    groups_file = "LesionGroupings"
    source = "https://challenge.isic-archive.com/data/#2018"

    def read_index(self) -> pd.DataFrame:
        truth, groups = f"{self.prefix}GroundTruth", f"{self.prefix}{self.groups_file}"
        found = self.find(
            {
                "images": [f"{self.prefix}Input"],
                "truth": [f"{truth}.csv", f"{truth}/{truth}.csv"],
                "groups": [f"{groups}.csv", f"{groups}/{groups}.csv", f"{truth}/{groups}.csv"],
            },
            self.source,
        )
        table = read_columns(found["truth"], ["image", *self.columns])
        lesion = read_columns(found["groups"], ["image", "lesion_id"]).drop_duplicates("image").set_index("image")
        return pd.DataFrame(
            {
                "image": table["image"],
                "path": str(found["images"]) + "/" + table["image"] + ".jpg",
                "label": self._labels_of(table, found["truth"]),
                "group": table["image"].map(lesion["lesion_id"]),
            }
        )

    def _labels_of(self, table: pd.DataFrame, truth: Path) -> pd.Series:
        one_hot = table[list(self.columns)].to_numpy()
        wrong = one_hot.sum(axis=1) != 1
        if wrong.any():
            row = table["image"][wrong.argmax()]
            raise UserError(f"{truth} gives {row} no class or several: take the official file again.")
        return one_hot.argmax(axis=1)


class ISIC2019(ISIC2018):
    """ISIC 2019 (HAM10000, BCN20000 and MSK): 25,331 training images of 8 classes.

    Expects below `root` the archive `ISIC_2019_Training_Input` and the files `ISIC_2019_Training_GroundTruth.csv` and
    `ISIC_2019_Training_Metadata.csv`. The column UNK of the ground truth is empty and is not a class. The metadata
    names the lesion of most images, but not of all: with `group_by: lesion` an image without one is taken for a lesion
    of its own.
    """

    class_names = (*ISIC2018.class_names, "squamous cell carcinoma")
    official_counts = (4522, 12875, 3323, 867, 2624, 239, 253, 628)
    columns = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")
    prefix = "ISIC_2019_Training_"
    groups_file = "Metadata"
    source = "https://challenge.isic-archive.com/data/#2019"
