"""Classifier heads beside `torch.nn.Linear`: feature in, logits out."""

from lightning_imbal.heads.base import ClosedFormHead
from lightning_imbal.heads.coral import CoralHead
from lightning_imbal.heads.corn import CornHead
from lightning_imbal.heads.cosine import NormedLinear, scaled_cosine
from lightning_imbal.heads.knn import KNearest
from lightning_imbal.heads.learnable_scale import LearnableScale
from lightning_imbal.heads.nearest_class_mean import NearestClassMean
from lightning_imbal.heads.tau_normalized import TauNormalized

__all__ = [
    "ClosedFormHead",
    "CoralHead",
    "CornHead",
    "KNearest",
    "LearnableScale",
    "NearestClassMean",
    "NormedLinear",
    "TauNormalized",
    "scaled_cosine",
]
