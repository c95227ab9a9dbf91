"""Messidor-2: an external test set for models that grade diabetic retinopathy."""

import os

import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.index.label_files import label_numbers, read_columns
from lightning_imbal.data.sets.aptos import GRADES
from lightning_imbal.data.splits.official import Official


class Messidor2(ImbalDataModule):
    """Messidor-2 (Decencière et al. 2014; Abramoff et al. 2013): 1,748 photographs of the retina of 874 people.

    The 5 grades are those that Krause et al. 2018 adjudicated: 1,017 / 270 / 347 / 75 / 35 of the 1,744 gradable
    images; the 4 that cannot be graded are left out. Expects below `root` the file `messidor_data.csv`
    (https://www.kaggle.com/google-brain/messidor2-dr-grades) and the images in `images` or `IMAGES`. The endings in the
    file are not always those of the images: an image is found by its name without the ending, in upper or lower case.

    The default split puts all images into the test part: a checkpoint of EyePACS or APTOS2019 is tested on them without
    re-training (Galdran et al. 2021, Table 2), `lightning_imbal test --ckpt_path ... --config
    experiments/data/messidor2.yaml`. To train on it, choose a split such as Holdout. The images are free for research
    and teaching on request, and may not be passed on.
    """

    class_names = GRADES
    ordered = True
    default_split = Official()
    official_counts = (1017, 270, 347, 75, 35)

    def read_index(self) -> pd.DataFrame:
        found = self.find(
            {"labels": ["messidor_data.csv"], "images": ["images", "IMAGES"]},
            "https://www.adcis.net/en/third-party/messidor2/ (images) and "
            "https://www.kaggle.com/google-brain/messidor2-dr-grades (grades)",
        )
        columns = ["image_id", "adjudicated_dr_grade", "adjudicated_gradable"]
        table = read_columns(found["labels"], columns, dtype={"image_id": str})
        table = table[table["adjudicated_gradable"] == 1]
        image = table["image_id"]
        files = pd.Series(sorted(os.listdir(found["images"])), dtype=str)
        files = files.set_axis(_stem(files))
        files = files[~files.index.duplicated()]
        return pd.DataFrame(
            {
                "image": image,
                "path": str(found["images"]) + "/" + _stem(image).map(files).fillna(image),
                "label": label_numbers(table["adjudicated_dr_grade"], range(len(GRADES)), image, found["labels"]),
                "official": "test",
            }
        )


def _stem(name: pd.Series) -> pd.Series:
    return name.str.rsplit(".", n=1).str[0].str.lower()
