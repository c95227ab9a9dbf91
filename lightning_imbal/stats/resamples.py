"""What the scores of many resamples of a test set are computed from; what several scores need is computed once."""

from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from lightning_imbal.decisions.confusions import Confusions, ratio
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.thresholds import RANKING, Counts, Thresholds

NUM_BINS = 15


def bin_of(confidence: np.ndarray) -> np.ndarray:
    """The bin of each confidence, from 0; the last one is closed."""
    return (confidence * NUM_BINS).astype(np.int64).clip(max=NUM_BINS - 1)


class TestSet:
    """What does not depend on the resample. Each matrix (rows, N) adds up the weights of images."""

    def __init__(self, predictions: Predictions) -> None:
        self.class_names, self.groups = predictions.class_names, predictions.groups
        self.num_classes = len(self.class_names)
        self.rarest = int(np.argmin(predictions.class_counts))
        # Rounding may have left a mean of softmax outputs just above 1.
        self.label, self.probability = predictions.label, predictions.probability.clip(0, 1)
        self.prediction = predictions.answers
        self.class_images = np.bincount(self.label, minlength=self.num_classes)
        self.present = self.class_images > 0
        self.ranked = self.present & (self.class_images < len(self.label))

    @cached_property
    def pairs(self) -> csr_array:
        """Counts the images of each label and prediction, (C * C, N)."""
        pair = self.label * self.num_classes + self.prediction
        return self._matrix(np.ones(len(pair)), pair, np.arange(len(pair)), self.num_classes**2)

    @cached_property
    def bins(self) -> csr_array:
        """Adds up confidence less correctness in each bin of confidence, (15, N)."""
        confidence = self.probability.max(axis=1)
        surplus = confidence - (self.prediction == self.label)
        return self._matrix(surplus, bin_of(confidence), np.arange(len(surplus)), NUM_BINS)

    @cached_property
    def class_bins(self) -> csr_array:
        """The same of the probability of each class less its truth, (C * 15, N)."""
        surplus = self.probability - np.eye(self.num_classes)[self.label]
        row = bin_of(self.probability) + NUM_BINS * np.arange(self.num_classes)
        image = np.arange(len(self.label)).repeat(self.num_classes)
        return self._matrix(surplus.ravel(), row.ravel(), image, NUM_BINS * self.num_classes)

    @cached_property
    def errors(self) -> dict[str, np.ndarray]:
        """Brier score and log loss of each image, (N,)."""
        of_truth = self.probability[np.arange(len(self.label)), self.label]
        eps = np.finfo(np.float64).eps
        squares = (self.probability - np.eye(self.num_classes)[self.label]) ** 2
        return {"brier": squares.sum(axis=1), "log_loss": -np.log(of_truth.clip(eps, 1 - eps))}

    @cached_property
    def thresholds(self) -> Thresholds:
        """Those of every class."""
        return Thresholds(self.label, self.probability)

    def _matrix(self, value: np.ndarray, row: np.ndarray, image: np.ndarray, num_rows: int) -> csr_array:
        return csr_array((value, (row, image)), shape=(num_rows, len(self.label)))


class Resamples(Confusions):
    """Counts of r resamples. All arrays have the resamples last.

    Args:
        test: The test set.
        weight: How often each image counts in each resample, (r, N).
    """

    def __init__(self, test: TestSet, weight: np.ndarray) -> None:
        self.test: TestSet = test
        self._given = weight.T
        self._ranking: dict[str, np.ndarray] = {}

    @cached_property
    def weight(self) -> np.ndarray:
        """How often each image counts in each resample, (N, r) float64."""
        return np.ascontiguousarray(self._given, dtype=np.float64)

    @cached_property
    def total(self) -> np.ndarray:
        """Number of images, (r,)."""
        return self.weight.sum(axis=0) if self._count_type is None else super().total

    @cached_property
    def confusion(self) -> np.ndarray:  # type: ignore[override]  # it is counted when it is asked for
        """Images by true and predicted class, (C, C, r)."""
        pairs, weight = self.test.pairs, self._given
        if self._count_type is None:
            found = pairs @ self.weight
        else:
            found = pairs.astype(self._count_type) @ np.ascontiguousarray(weight, dtype=self._count_type)
        return found.reshape(self.test.num_classes, self.test.num_classes, -1).astype(np.float64, copy=False)

    @cached_property
    def _count_type(self) -> np.dtype[Any] | None:
        """The smallest type that holds a sum of all weights; None where they are no natural numbers."""
        if self._given.dtype.kind != "u":
            return None
        return np.min_scalar_type(int(self._given.max(initial=0)) * len(self._given))

    @cached_property
    def ranked(self) -> np.ndarray:
        """Whether there are images of a class, and others, (C, r)."""
        return (self.true > 0) & (self.true < self.total)

    @cached_property
    def counts(self) -> list[Counts]:
        """What the thresholds of each class count."""
        test = self.test.thresholds
        own, tied, passed = (matrix @ self.weight for matrix in (test.own, test.tied, test.passed))
        return [
            Counts(own[at], tied[at], passed[at].cumsum(axis=0), positives, self.total - positives)
            for at, positives in zip(test.places, self.true, strict=True)
        ]

    def ranking(self, kind: str) -> np.ndarray:
        """A score of every class by its probability, (C, r); 0 where there are no images of it, or no others."""
        if kind not in self._ranking:
            self._ranking[kind] = np.stack([RANKING[kind](counts) for counts in self.counts])
        return self._ranking[kind]

    @cached_property
    def class_calibration(self) -> np.ndarray:
        """Calibration error of the probability of each class, (C, r)."""
        gaps = np.abs(self.test.class_bins @ self.weight)
        return ratio(gaps.reshape(self.test.num_classes, NUM_BINS, -1).sum(axis=1), self.total)
