"""DataModules, splits and image recipes."""

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.recipes import (
    CenterCrop,
    FlipJitter,
    ImageNetCrop,
    RotateCrop,
    ScaleShiftRotate,
    ShiftCrop,
    Squash,
    StrongCrop,
)
from lightning_imbal.data.sets.aptos import APTOS2019
from lightning_imbal.data.sets.chest_xray import ChestXray14, XRay6, XRay9
from lightning_imbal.data.sets.chula_rbc12 import ChulaRBC12
from lightning_imbal.data.sets.digits import DigitsLT
from lightning_imbal.data.sets.dogs import StanfordDogsLT
from lightning_imbal.data.sets.eyepacs import EyePACS
from lightning_imbal.data.sets.flowers import Flowers102LT
from lightning_imbal.data.sets.fundus_dr import FundusDR
from lightning_imbal.data.sets.hyper_kvasir import HyperKvasir
from lightning_imbal.data.sets.isic import ISIC2018, ISIC2019
from lightning_imbal.data.sets.medmnist import MedMNIST
from lightning_imbal.data.sets.messidor import Messidor2
from lightning_imbal.data.sets.own_csv import CSVData
from lightning_imbal.data.sets.own_folder import FolderData
from lightning_imbal.data.splits.base import Split
from lightning_imbal.data.splits.holdout import Holdout
from lightning_imbal.data.splits.id_lists import IdLists
from lightning_imbal.data.splits.kfold import KFold
from lightning_imbal.data.splits.official import Official, OfficialFold

__all__ = [
    "APTOS2019",
    "ISIC2018",
    "ISIC2019",
    "CSVData",
    "CenterCrop",
    "ChestXray14",
    "ChulaRBC12",
    "DigitsLT",
    "EyePACS",
    "FlipJitter",
    "Flowers102LT",
    "FolderData",
    "FundusDR",
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
