"""APTOS 2019: photographs of the retina, graded for diabetic retinopathy."""

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.label_files import label_numbers, read_columns

# The same names in APTOS2019, EyePACS and Messidor-2, so that a model of one can be tested on another.
GRADES = ("no DR", "mild", "moderate", "severe", "proliferative")


class APTOS2019(ImbalDataModule):
    """APTOS 2019 blindness detection (Karthik, Maggie, Dane; Kaggle 2019): 3,662 photographs of the retina in 5 grades.

    Expects below `root` what Kaggle's archive holds: `train.csv` and `train_images/*.png`. The labels of the
    competition's own test images were never published, so there is no official split. The default split is the
    stratified 7:3 holdout of Marrakchi et al. 2021, section 4.1. Patients are not named, and some photographs occur
    twice, a few of them with two different grades. Kaggle's competition rules forbid passing the images on.
    """

    class_names = GRADES
    official_counts = (1805, 370, 999, 193, 295)

    def read_index(self) -> pd.DataFrame:
        source = "https://www.kaggle.com/c/aptos2019-blindness-detection/data"
        found = self.find({"labels": ["train.csv"], "images": ["train_images"]}, source)
        table = read_columns(found["labels"], ["id_code", "diagnosis"], dtype={"id_code": str})
        image = table["id_code"]
        return pd.DataFrame(
            {
                "image": image,
                "path": str(found["images"]) + "/" + image + ".png",
                "label": label_numbers(table["diagnosis"], range(len(GRADES)), image, found["labels"]),
            }
        )
