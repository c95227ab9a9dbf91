"""Splits: the index of a data set in, row numbers out."""

from lightning_imbal.data.splits.base import Split
from lightning_imbal.data.splits.holdout import Holdout
from lightning_imbal.data.splits.id_lists import IdLists
from lightning_imbal.data.splits.kfold import KFold
from lightning_imbal.data.splits.official import Official, OfficialFold

__all__ = ["Holdout", "IdLists", "KFold", "Official", "OfficialFold", "Split"]
