"""Stanford dogs, made long-tailed."""

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.sets.flowers import read_mat
from lightning_imbal.data.splits.long_tail import thin_out
from lightning_imbal.data.splits.official import Official


class StanfordDogsLT(ImbalDataModule):
    """Stanford dogs (Khosla et al. 2011), 20,580 images of 120 breeds, with a long-tailed training part.

    Expects below `root` the archives `images` and `lists`: `Images/n02085620-Chihuahua/n02085620_7.jpg` and so on, and
    `train_list.mat` and `test_list.mat`, beside them or in `lists`. Classes are numbered as in the lists and named as
    the folders.

    Zeng et al. 2023, Table 5, make the data imbalanced with a ratio of 10 and do not say how. What happens here is a
    choice: of the official training part (100 images of each class) a tenth is for validation, and the rest is thinned
    out exponentially by class number, from 90 images to 9; the official 8,580 test images are untouched. The images are
    ImageNet's, for research: networks pre-trained on ImageNet have seen them.

    Args:
        root: Folder of the data set.
        ratio: Training images of the first class over those of the last.
        **kwargs: Arguments of `ImbalDataModule`.
    """

    default_split = Official(val=0.1)

    def __init__(self, root: str, ratio: float = 10.0, **kwargs: Any) -> None:
        super().__init__(root=root, **kwargs)
        self.ratio = ratio

    @cached_property
    def lists(self) -> pd.DataFrame:
        """The rows of both official lists: image (folder/file), path, label and official."""
        lists = {part: [f"{part}_list.mat", f"lists/{part}_list.mat"] for part in ("train", "test")}
        found = self.find(
            {"images": ["Images", "images"], **lists}, "http://vision.stanford.edu/aditya86/ImageNetDogs/"
        )
        tables = []
        for part in lists:
            image, label = read_mat(found[part], "file_list", "labels")
            tables.append(pd.DataFrame({"image": image.astype(str), "label": label.astype(int) - 1, "official": part}))
        table = pd.concat(tables, ignore_index=True)
        return table.assign(path=str(found["images"]) + "/" + table["image"])

    @cached_property
    def class_names(self) -> tuple[str, ...]:  # type: ignore[override]  # not to be set
        """Names of the breeds in the order of the class numbers."""
        folder = self.lists.drop_duplicates("label").sort_values("label")["image"].str.split("/").str[0]
        return tuple(folder.str.split("-", n=1).str[1].str.replace("_", " "))

    def read_index(self) -> pd.DataFrame:
        return self.lists

    def subsample(self, label: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return thin_out(label, rows, len(self.class_names), self.ratio)
