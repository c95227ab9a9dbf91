"""DataModules, splits and image recipes."""

from lightning_imbal.data.aptos import APTOS2019
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.chest_xray import ChestXray14, XRay6, XRay9
from lightning_imbal.data.digits import DigitsLT
from lightning_imbal.data.dogs import StanfordDogsLT
from lightning_imbal.data.eyepacs import EyePACS
from lightning_imbal.data.flowers import Flowers102LT
from lightning_imbal.data.hyper_kvasir import HyperKvasir
from lightning_imbal.data.isic import ISIC2018, ISIC2019
from lightning_imbal.data.medmnist import MedMNIST
from lightning_imbal.data.messidor import Messidor2
from lightning_imbal.data.splits import Holdout, IdLists, KFold, Official, OfficialFold, Split
from lightning_imbal.data.table import CSVData, FolderData
from lightning_imbal.data.transforms import (
    CenterCrop,
    FlipJitter,
    ImageNetCrop,
    RotateCrop,
    ScaleShiftRotate,
    ShiftCrop,
    Squash,
    StrongCrop,
)

__all__ = [
    "APTOS2019",
    "ISIC2018",
    "ISIC2019",
    "CSVData",
    "CenterCrop",
    "ChestXray14",
    "DigitsLT",
    "EyePACS",
    "FlipJitter",
    "Flowers102LT",
    "FolderData",
    "Holdout",
    "HyperKvasir",
    "IdLists",
    "ImageNetCrop",
    "ImbalDataModule",
    "KFold",
    "MedMNIST",
    "Messidor2",
    "Official",
    "OfficialFold",
    "RotateCrop",
    "ScaleShiftRotate",
    "ShiftCrop",
    "Split",
    "Squash",
    "StanfordDogsLT",
    "StrongCrop",
    "XRay6",
    "XRay9",
]
