"""What the scores of many resamples of a test set are computed from; what several scores need is computed once."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from lightning_imbal.decisions.confusions import Confusions, ratio
from lightning_imbal.runs.predictions import Predictions

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
    def order(self) -> np.ndarray:
        """The images by class, and within a class by rising probability of that class, (N,)."""
        return np.lexsort((self.probability[np.arange(len(self.label)), self.label], self.label))

    def classes_in_order(self) -> Iterator[tuple[int, slice]]:
        """Each class, and where its images are in `order`."""
        stop = self.class_images.cumsum()
        for c in range(self.num_classes):
            yield c, slice(stop[c] - self.class_images[c], stop[c])

    @cached_property
    def steps(self) -> csr_array:
        """Counts what each image of a class outranks that the image before it did not, (N, N), rows as in `order`.

        An image outranks those of other classes that have a lower probability of its class; a tie counts half. The sum
        over the images of a class up to one of them is so what that one outranks.
        """
        rows, images = [], []
        for c, place in self.classes_in_order():
            own, other = self.probability[self.order[place], c], np.flatnonzero(self.label != c)
            for side in ("left", "right"):
                first = np.searchsorted(own, self.probability[other, c], side)
                outranked = first < len(own)
                rows.append(place.start + first[outranked])
                images.append(other[outranked])
        row, image = np.concatenate(rows), np.concatenate(images)
        return self._matrix(np.full(len(row), 0.5), row, image, len(self.label))

    def _matrix(self, value: np.ndarray, row: np.ndarray, image: np.ndarray, num_rows: int) -> csr_array:
        return csr_array((value, (row, image)), shape=(num_rows, len(self.label)))


class Resamples(Confusions):
    """Counts of r resamples. All arrays have the resamples last.

    Args:
        test: The test set.
        weight: How often each image counts in each resample, (r, N).

    Attributes:
        weight: The same, (N, r) float64.
    """

    def __init__(self, test: TestSet, weight: np.ndarray) -> None:
        self.test: TestSet = test
        self.weight = np.ascontiguousarray(weight.T, dtype=np.float64)

    @cached_property
    def total(self) -> np.ndarray:
        """Number of images, (r,)."""
        return self.weight.sum(axis=0)

    @cached_property
    def confusion(self) -> np.ndarray:  # type: ignore[override]  # it is counted when it is asked for
        """Images by true and predicted class, (C, C, r)."""
        return (self.test.pairs @ self.weight).reshape(self.test.num_classes, self.test.num_classes, -1)

    @cached_property
    def unlike_images(self) -> np.ndarray:
        """Pairs of an image of each class and an image of another one, (C, r)."""
        return self.true * (self.total - self.true)

    @cached_property
    def ranked(self) -> np.ndarray:
        """Whether a class has such pairs, (C, r)."""
        return self.unlike_images > 0

    @cached_property
    def auc(self) -> np.ndarray:
        """Share of the pairs in which the image of the class ranks higher, (C, r); 0 where there are none."""
        weight, step = self.weight[self.test.order], self.test.steps @ self.weight
        won = [np.einsum("nr,nr->r", weight[c], step[c].cumsum(axis=0)) for _, c in self.test.classes_in_order()]
        return ratio(np.stack(won), self.unlike_images)
