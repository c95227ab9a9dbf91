"""Dermoscopy images of the ISIC challenges, in the layout of the official archives."""

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.errors import DatasetNotFoundError, UserError

PREFIX = "ISIC2018_Task3_Training_"


class ISIC2018(ImbalDataModule):
    """ISIC 2018 task 3 (HAM10000, Tschandl et al. 2018): 10,015 images of 7,470 skin lesions in 7 classes.

    Expects below `root` the three archives `ISIC2018_Task3_Training_Input`, `_GroundTruth` and `_LesionGroupings`,
    unpacked. Many lesions have several images: `group_by: lesion` keeps them on one side of the split, which the
    papers do not do.
    """

    class_names = (
        "melanoma",
        "nevus",
        "basal cell carcinoma",
        "actinic keratosis",
        "benign keratosis",
        "dermatofibroma",
        "vascular lesion",
    )
    columns = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
    group_name = "lesion"

    def read_index(self) -> pd.DataFrame:
        truth, groups = f"{PREFIX}GroundTruth", f"{PREFIX}LesionGroupings"
        found = self.find(
            {
                "images": [f"{PREFIX}Input"],
                "truth": [f"{truth}.csv", f"{truth}/{truth}.csv"],
                "groups": [f"{groups}.csv", f"{truth}/{groups}.csv"],
            },
            source="https://challenge.isic-archive.com/data/#2018",
        )
        table = pd.read_csv(found["truth"]).merge(pd.read_csv(found["groups"]), on="image", how="left")
        one_hot = table[list(self.columns)].to_numpy()
        if (one_hot.sum(axis=1) != 1).any():
            row = table["image"][(one_hot.sum(axis=1) != 1).argmax()]
            raise UserError(f"{found['truth']} gives {row} no class or several: take the official file again.")
        present = {file.name for file in found["images"].iterdir()}
        absent = [name for name in table["image"] if f"{name}.jpg" not in present]
        if absent:
            raise DatasetNotFoundError(
                f"{len(absent)} of the {len(table)} images named in {found['truth'].name} are not in "
                f"{found['images'].absolute()}, the first is {absent[0]}.jpg: unpack the archive {PREFIX}Input again."
            )
        return pd.DataFrame(
            {
                "image": table["image"],
                "path": str(found["images"]) + "/" + table["image"] + ".jpg",
                "label": one_hot.argmax(axis=1),
                "group": table["lesion_id"],
            }
        )
