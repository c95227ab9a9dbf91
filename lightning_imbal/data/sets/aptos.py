"""APTOS 2019: photographs of the retina, graded for diabetic retinopathy."""

from pathlib import Path

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.data_folder import DataFolder
from lightning_imbal.data.index.label_files import label_numbers, read_columns

# The same names in APTOS2019, EyePACS and Messidor-2, so that a model of one can be tested on another.
GRADES = ("no DR", "mild", "moderate", "severe", "proliferative")


class APTOS2019(ImbalDataModule):
    """APTOS 2019 blindness detection (Karthik, Maggie, Dane; Kaggle 2019): 3,662 photographs of the retina in 5 grades.

    Expects below `root` what Kaggle's archive holds: `train.csv` and `train_images/*.png`. Copies of it are read, too:
    the pictures may lie in other folders and have other endings, and the labels may be in `trainLabels19.csv` or in the
    three files `train_1.csv`, `valid.csv` and `test.csv`. The labels of the competition's own test images were never
    published, so there is no official split. The default split is the stratified 7:3 holdout of Marrakchi et al. 2021,
    section 4.1. Patients are not named, and some photographs occur twice, a few of them with two different grades.
    Kaggle's competition rules forbid passing the images on.
    """

    class_names = GRADES
    ordered = True
    official_counts = (1805, 370, 999, 193, 295)

    def read_index(self) -> pd.DataFrame:
        folder = self.folder("https://www.kaggle.com/c/aptos2019-blindness-detection/data")
        labels = self._label_files(folder)
        tables = [read_columns(file, ["id_code", "diagnosis"], dtype={"id_code": str}) for file in labels]
        table = pd.concat(tables).sort_values("id_code", ignore_index=True) if len(tables) > 1 else tables[0]
        image = table["id_code"]
        return pd.DataFrame(
            {
                "image": image,
                "path": folder.pictures(image, ["train_images"], ".png", labels[0]),
                "label": label_numbers(table["diagnosis"], range(len(GRADES)), image, labels[0]),
            }
        )

    def _label_files(self, folder: DataFolder) -> list[Path]:
        """The file of all labels, or the three into which a copy divides them."""
        whole = ["train.csv", "trainLabels19.csv"]
        parts = [] if folder.find(whole) else [folder.find([name]) for name in ("train_1.csv", "valid.csv", "test.csv")]
        found = [file for file in parts if file is not None]
        return found if len(found) == 3 else [folder.need({"labels": whole}, "train_images")["labels"]]
