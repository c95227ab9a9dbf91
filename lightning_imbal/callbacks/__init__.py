"""Callbacks that record what a run found."""

from lightning_imbal.callbacks.class_f1 import ClassF1Panels
from lightning_imbal.callbacks.results import ResultsWriter

__all__ = ["ClassF1Panels", "ResultsWriter"]
