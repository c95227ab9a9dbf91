"""DataModules, splits and image recipes."""

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.digits import DigitsLT
from lightning_imbal.data.isic import ISIC2018
from lightning_imbal.data.splits import Holdout, KFold, Split
from lightning_imbal.data.transforms import ImageNetCrop, ShiftCrop, Squash

__all__ = [
    "DigitsLT",
    "Holdout",
    "ISIC2018",
    "ImageNetCrop",
    "ImbalDataModule",
    "KFold",
    "ShiftCrop",
    "Split",
    "Squash",
]
