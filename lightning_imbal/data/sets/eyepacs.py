"""EyePACS: photographs of both retinas of 44,351 people, graded for diabetic retinopathy."""

from pathlib import Path

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.data_folder import DataFolder
from lightning_imbal.data.index.label_files import label_numbers, read_columns
from lightning_imbal.data.sets.aptos import GRADES
from lightning_imbal.data.splits.official import Official

TRAIN = ["trainLabels.csv", "trainLabels_cropped.csv", "trainLabels15.csv"]
TEST = ["retinopathy_solution.csv", "testLabels15.csv"]


class EyePACS(ImbalDataModule):
    """Kaggle's diabetic retinopathy detection (EyePACS, 2015): 35,126 training and 53,576 test images in 5 grades.

    Training grades 25,810 / 2,443 / 5,292 / 873 / 708, test grades 39,533 / 3,762 / 7,861 / 1,214 / 1,206. Expects
    below `root` the files `trainLabels.csv` and `train/*.jpeg`, and for the test part `retinopathy_solution.csv`
    (published after the competition) and `test/*.jpeg`. The default split is the official one with a tenth of the
    training part for validation, as in Galdran et al. 2021, section 3.1. Where both the file and the folder of the test
    part are absent, only the training part is read: choose another split then, such as Holdout.

    Resized copies are read, too: the pictures may lie in other folders, such as `resized_train/resized_train`, and have
    other endings, and the labels may be in `trainLabels_cropped.csv`, or `trainLabels15.csv` and `testLabels15.csv`.
    A copy with two versions of the pictures needs the folder of one of them as `root`.

    `group_by: patient` keeps both eyes of a person together (the paper does not say that it does; it matters for the
    validation part only, no number occurs in both official parts). Grades are those of one reader and noisy. Kaggle's
    competition rules forbid passing the images on.
    """

    class_names = GRADES
    ordered = True
    group_name = "patient"
    default_split = Official(val=0.1)
    official_counts = (65343, 6205, 13153, 2087, 1914)

    def read_index(self) -> pd.DataFrame:
        folder = self.folder("https://www.kaggle.com/c/diabetic-retinopathy-detection/data")
        labels = folder.need({"train": TRAIN}, "train")
        beside = [labels["train"].parent / name for name in TEST]
        if (self.root / "test").exists() or any(file.exists() for file in beside):
            labels |= folder.need({"test": TEST})
        return pd.concat([_read_part(file, folder, part) for part, file in labels.items()], ignore_index=True)


def _read_part(labels: Path, folder: DataFolder, part: str) -> pd.DataFrame:
    table = read_columns(labels, ["image", "level"], dtype={"image": str})
    image = table["image"]
    return pd.DataFrame(
        {
            "image": image,
            "path": folder.pictures(image, [part], ".jpeg", labels),
            "label": label_numbers(table["level"], range(len(GRADES)), image, labels),
            "group": image.str.rsplit("_", n=1).str[0],
            "official": part,
        }
    )
