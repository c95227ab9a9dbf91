"""Dermoscopy images of the ISIC challenges, in the layout of the official archives."""

from pathlib import Path

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.label_files import label_numbers, read_columns, read_header
from lightning_imbal.data.look.label_columns import further_columns
from lightning_imbal.errors import UserError


class ISIC2018(ImbalDataModule):
    """ISIC 2018 task 3 (HAM10000, Tschandl et al. 2018): 10,015 images of 7,470 skin lesions in 7 classes.

    It is Skin7 of Zeng et al. 2023 (86 to 5,029 training images at 7.5:0.5:2) and of Chen et al. 2021 (115 to 6,705 in
    all). Expects below `root` the three archives `ISIC2018_Task3_Training_Input`, `_GroundTruth` and
    `_LesionGroupings`, unpacked; or HAM10000 as it is passed on elsewhere, `HAM10000_metadata.csv` and the pictures in
    any folders. Many lesions have several images: `group_by: lesion` keeps them on one side of the
    split, which the papers do not do. `HAM10000_metadata.csv` may also lie beside the official files: it has the
    attributes `age`, `sex`, `localization` and `dx_type` for `metadata_columns`.
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
    metadata: tuple[str, ...] = ("HAM10000_metadata.csv", "HAM10000_metadata.tab", "HAM10000_metadata")
    source = "https://challenge.isic-archive.com/data/#2018"

    def read_index(self) -> pd.DataFrame:
        folder, places = self.folder(self.source), self._places()
        if folder.find(places["truth"]) is None and (labels := folder.find(self.metadata)):
            index = self._read_metadata(labels)
        else:
            found = folder.need(places, f"{self.prefix}Input")
            labels = found["truth"]
            index = self._read_truth(labels, found["groups"])
        index.insert(1, "path", folder.pictures(index["image"], [f"{self.prefix}Input"], ".jpg", labels))
        return index

    def used_columns(self) -> dict[str, str]:
        return {"image": "the image", "image_id": "the image", "lesion_id": "the lesion", "dx": "the label"}

    def unused_columns(self) -> pd.DataFrame:
        """Those of HAM10000's metadata, which may lie beside the official files, or those of the lesions' file."""
        folder = self.folder(self.source)
        file = folder.find(self.metadata) or folder.need({"groups": self._places()["groups"]})["groups"]
        key = "image_id" if "image_id" in read_header(file) else "image"
        return further_columns(file, key, self.bare_index["image"], self.used_columns())

    def _places(self) -> dict[str, list[str]]:
        """Where the files of the official archives may be."""
        truth, groups = f"{self.prefix}GroundTruth", f"{self.prefix}{self.groups_file}"
        return {
            "truth": [f"{truth}.csv", f"{truth}/{truth}.csv"],
            "groups": [f"{groups}.csv", f"{groups}/{groups}.csv", f"{truth}/{groups}.csv"],
        }

    def _read_truth(self, truth: Path, groups: Path) -> pd.DataFrame:
        table = read_columns(truth, ["image", *self.columns])
        lesion = read_columns(groups, ["image", "lesion_id"]).drop_duplicates("image").set_index("image")
        label, group = self._labels_of(table, truth), table["image"].map(lesion["lesion_id"])
        return pd.DataFrame({"image": table["image"], "label": label, "group": group})

    def _read_metadata(self, file: Path) -> pd.DataFrame:
        """The labels and lesions of HAM10000, in the order of the ground truth: that of the images."""
        table = read_columns(file, ["image_id", "dx", "lesion_id"]).sort_values("image_id", ignore_index=True)
        image, codes = table["image_id"], [column.lower() for column in self.columns]
        label = label_numbers(table["dx"], codes, image, file)
        return pd.DataFrame({"image": image, "label": label, "group": table["lesion_id"]})

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
    of its own. Attributes for `metadata_columns` are `age_approx`, `anatom_site_general` and `sex`.
    """

    class_names = (*ISIC2018.class_names, "squamous cell carcinoma")
    official_counts = (4522, 12875, 3323, 867, 2624, 239, 253, 628)
    columns = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")
    prefix = "ISIC_2019_Training_"
    groups_file = "Metadata"
    metadata = ()
    source = "https://challenge.isic-archive.com/data/#2019"
