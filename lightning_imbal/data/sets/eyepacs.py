"""EyePACS: photographs of both retinas of 44,351 people, graded for diabetic retinopathy."""

from pathlib import Path

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.label_files import label_numbers, read_columns
from lightning_imbal.data.sets.aptos import GRADES
from lightning_imbal.data.splits.official import Official

TRAIN = ("trainLabels.csv", "train")
TEST = ("retinopathy_solution.csv", "test")


class EyePACS(ImbalDataModule):
    """Kaggle's diabetic retinopathy detection (EyePACS, 2015): 35,126 training and 53,576 test images in 5 grades.

    Training grades 25,810 / 2,443 / 5,292 / 873 / 708, test grades 39,533 / 3,762 / 7,861 / 1,214 / 1,206. Expects
    below `root` the files `trainLabels.csv` and `train/*.jpeg`, and for the test part `retinopathy_solution.csv`
    (published after the competition) and `test/*.jpeg`. The default split is the official one with a tenth of the
    training part for validation, as in Galdran et al. 2021, section 3.1. Where both the file and the folder of the test
    part are absent, only the training part is read: choose another split then, such as Holdout.

    `group_by: patient` keeps both eyes of a person together (the paper does not say that it does; it matters for the
    validation part only, no number occurs in both official parts). Grades are those of one reader and noisy. Kaggle's
    competition rules forbid passing the images on.
    """

    class_names = GRADES
    group_name = "patient"
    default_split = Official(val=0.1)
    official_counts = (65343, 6205, 13153, 2087, 1914)

    def read_index(self) -> pd.DataFrame:
        parts = {"train": TRAIN}
        if any((self.root / name).exists() for name in TEST):
            parts["test"] = TEST
        found = self.find(
            {name: [name] for names in parts.values() for name in names},
            "https://www.kaggle.com/c/diabetic-retinopathy-detection/data",
        )
        tables = [_read_part(found[labels], found[images], part) for part, (labels, images) in parts.items()]
        return pd.concat(tables, ignore_index=True)


def _read_part(labels: Path, images: Path, part: str) -> pd.DataFrame:
    table = read_columns(labels, ["image", "level"], dtype={"image": str})
    image = table["image"]
    return pd.DataFrame(
        {
            "image": image,
            "path": str(images) + "/" + image + ".jpeg",
            "label": label_numbers(table["level"], range(len(GRADES)), image, labels),
            "group": image.str.rsplit("_", n=1).str[0],
            "official": part,
        }
    )
