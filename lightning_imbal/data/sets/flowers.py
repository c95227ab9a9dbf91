"""Oxford flowers with 102 classes, made long-tailed."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.io import loadmat
from scipy.io.matlab import MatReadError
from torchvision.datasets import Flowers102

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.splits.holdout import Holdout
from lightning_imbal.data.splits.long_tail import thin_out
from lightning_imbal.errors import UserError


class Flowers102LT(ImbalDataModule):
    """Oxford 102 flowers (Nilsback and Zisserman 2008), 8,189 images of 102 classes, with a long-tailed training part.

    Expects below `root` the files `imagelabels.mat` and `setid.mat` and the pictures `jpg/image_00001.jpg` to
    `jpg/image_08189.jpg`. Classes are numbered as in the file and named as torchvision names them.

    Zeng et al. 2023, Table 5, make the data imbalanced with a ratio of 10 (the classes have 40 to 258 images) and do
    not say how. What happens here is a choice: of all images a fifth is for testing and a twentieth for validation,
    like the paper's other data sets, and the rest is thinned out exponentially from the largest class to the smallest,
    keeping as many images as the classes allow. With the official split (10 training images of each class) there is
    nothing to thin out to a ratio of 10. The licence of the images is not stated; they come from the web, for research.

    Args:
        root: Folder of the data set.
        ratio: Training images of the largest class over those of the smallest.
        **kwargs: Arguments of `ImbalDataModule`.
    """

    class_names = tuple(Flowers102.classes)
    default_split = Holdout(test=0.2, val=0.05)

    def __init__(self, root: str, ratio: float = 10.0, **kwargs: Any) -> None:
        super().__init__(root=root, **kwargs)
        self.ratio = ratio

    def read_index(self) -> pd.DataFrame:
        found = self.find(
            {"images": ["jpg"], "labels": ["imagelabels.mat"], "parts": ["setid.mat"]},
            "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
        )
        (label,) = read_mat(found["labels"], "labels")
        official = np.full(len(label), "", dtype=object)
        sets = read_mat(found["parts"], "trnid", "valid", "tstid")
        for part, number in zip(("train", "val", "test"), sets, strict=True):
            official[number - 1] = part
        image = "image_" + pd.Series(np.arange(1, len(label) + 1)).astype(str).str.zfill(5)
        return pd.DataFrame(
            {
                "image": image,
                "path": str(found["images"]) + "/" + image + ".jpg",
                "label": label.astype(int) - 1,
                "official": official,
            }
        )

    def subsample(self, label: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return thin_out(label, rows, len(self.class_names), self.ratio, order="size")


def read_mat(file: Path, *names: str) -> list[np.ndarray]:
    """Reads lists from a MATLAB file.

    Args:
        file: The file.
        *names: Variables to read, each a list.

    Raises:
        UserError: It is no such file, or has not these variables.
    """
    try:
        content: dict[str, Any] = loadmat(file, squeeze_me=True, variable_names=names)
        return [np.atleast_1d(content[name]) for name in names]
    except (OSError, ValueError, LookupError, NotImplementedError, MatReadError) as error:
        raise UserError(f"{file} is no MATLAB file with {', '.join(names)}: take the official file again.") from error
