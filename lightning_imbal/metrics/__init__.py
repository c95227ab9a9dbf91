"""Scores of a classifier on an imbalanced test set: per class, per group of classes and overall."""

from lightning_imbal.metrics.classes import groups_by_count
from lightning_imbal.metrics.report import ImbalReport
from lightning_imbal.metrics.scores import classification_scores

__all__ = ["ImbalReport", "classification_scores", "groups_by_count"]
