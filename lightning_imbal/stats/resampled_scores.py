"""The scores of many resamples of a test set at once."""

from collections.abc import Iterator, Sequence
from functools import cached_property, partial

import numpy as np
from scipy.sparse import csr_array

from lightning_imbal.runs.predictions import Predictions

MAX_ELEMENTS = 1_000_000  # of an array over resamples: what fits into a processor's cache
NUM_BINS = 15


def resampled_scores(predictions: Predictions, weight: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Scores many resamples of the same images; only what is asked for is computed.

    Keys and definitions are those of `lightning_imbal.metrics.classification_scores`, and so are the values where all
    weights are one. A class that the test set lacks counts as it does there. A class that the test set has but a
    resample lacks is left out of that resample: its own scores are NaN, and it does not count in any mean over classes,
    which is NaN if no class is left. All scores of a resample without images are NaN.

    Args:
        predictions: Of N images.
        weight: How often each image counts in each of R resamples, (R, N); read fastest in Fortran order.
        names: Keys of the scores.

    Returns:
        The values of each score, (R,) float64.

    Raises:
        ValueError: If a name is no score of these classes and groups.
    """
    test = TestSet(predictions)
    step = max(1, MAX_ELEMENTS // max(weight.shape[1], test.num_classes**2))
    parts = [_Resamples(test, weight[start : start + step]).scores(names) for start in range(0, len(weight), step)]
    return {name: np.concatenate(values) for name, values in zip(names, zip(*parts, strict=True), strict=True)}


class TestSet:
    """What does not depend on the resample. Each matrix (rows, N) adds up the weights of images."""

    def __init__(self, predictions: Predictions) -> None:
        self.class_names, self.groups = predictions.class_names, predictions.groups
        self.num_classes = len(self.class_names)
        self.rarest = int(np.argmin(predictions.class_counts))
        # Rounding may have left a mean of softmax outputs just above 1.
        self.label, self.probability = predictions.label, predictions.probability.clip(0, 1)
        self.prediction = self.probability.argmax(axis=1)
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
        number = (confidence * NUM_BINS).astype(np.int64).clip(max=NUM_BINS - 1)
        return self._matrix(confidence - (self.prediction == self.label), number, np.arange(len(number)), NUM_BINS)

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


class _Resamples:
    """Scores of r resamples. All arrays have the resamples last; what several scores need is computed once."""

    def __init__(self, test: TestSet, weight: np.ndarray) -> None:
        self.test = test
        self.weight = np.ascontiguousarray(weight.T, dtype=np.float64)
        self.total = self.weight.sum(axis=0)

    def scores(self, names: Sequence[str]) -> list[np.ndarray]:
        """The values of each score, (r,)."""
        return [np.where(self.total > 0, self._score(name), np.nan) for name in names]

    def _score(self, name: str) -> np.ndarray:
        classes, groups = self.test.class_names, self.test.groups
        key, _, part = name.partition("/")
        if name in SUMMARY:
            return SUMMARY[name](self)
        if key in PER_CLASS and part in classes:
            return self.of_class(key, classes.index(part))
        if key in PER_GROUP and part in groups:
            return PER_GROUP[key](self, [classes.index(member) for member in groups[part]])
        keys = ", ".join([*SUMMARY, *(f"{key}/CLASS" for key in PER_CLASS), *(f"{key}/GROUP" for key in PER_GROUP)])
        raise ValueError(f"{name!r} is no score of classes {classes} and groups {tuple(groups)}: give one of {keys}.")

    @cached_property
    def confusion(self) -> np.ndarray:
        """Images by true and predicted class, (C, C, r)."""
        return (self.test.pairs @ self.weight).reshape(self.test.num_classes, self.test.num_classes, -1)

    @cached_property
    def hits(self) -> np.ndarray:
        return np.einsum("ccr->cr", self.confusion)

    @cached_property
    def true(self) -> np.ndarray:
        return self.confusion.sum(axis=1)

    @cached_property
    def predicted(self) -> np.ndarray:
        return self.confusion.sum(axis=0)

    @cached_property
    def per_class(self) -> dict[str, np.ndarray]:
        """Recall, precision and F1, each (C, r); 0 where they are not defined."""
        recall, precision = _ratio(self.hits, self.true), _ratio(self.hits, self.predicted)
        return {"recall": recall, "precision": precision, "f1": _ratio(2 * self.hits, self.true + self.predicted)}

    @cached_property
    def kept(self) -> np.ndarray:
        """Whether a class is not left out of a resample, (C, r)."""
        return (self.true > 0) | ~self.test.present[:, None]

    def of_class(self, key: str, c: int) -> np.ndarray:
        return np.where(self.kept[c], self.per_class[key][c], np.nan)

    def accuracy(self) -> np.ndarray:
        return _ratio(self.hits.sum(axis=0), self.total)

    def balanced_accuracy(self) -> np.ndarray:
        return _mean(self.per_class["recall"], self.true > 0)

    def macro(self, key: str) -> np.ndarray:
        return _mean(self.per_class[key], self.kept)

    def scr(self) -> np.ndarray:
        return self.of_class("recall", self.test.rarest)

    def group_recall(self, members: list[int]) -> np.ndarray:
        seen = [c for c in members if self.test.present[c]]
        return _mean(self.per_class["recall"][seen], self.true[seen] > 0) if seen else np.zeros_like(self.total)

    def group_f1(self, members: list[int]) -> np.ndarray:
        return _mean(self.per_class["f1"][members], self.kept[members])

    def auc(self) -> np.ndarray:
        """Share of the pairs of an image of a class and another image in which the former ranks higher."""
        if self.test.present.sum() == 1:
            return np.full_like(self.total, 0.5)
        weight, step = self.weight[self.test.order], self.test.steps @ self.weight
        won = [np.einsum("nr,nr->r", weight[c], step[c].cumsum(axis=0)) for _, c in self.test.classes_in_order()]
        pairs = self.true * (self.total - self.true)
        return _mean(_ratio(np.stack(won), pairs), pairs > 0)

    def mcc(self) -> np.ndarray:
        """Matthews correlation (Gorodkin 2004)."""
        covariance = self.total * self.hits.sum(axis=0) - (self.true * self.predicted).sum(axis=0)
        return self._if_varied(covariance, self._unlike_pairs())

    def kappa(self) -> np.ndarray:
        """Cohen's kappa with quadratic weights."""
        rank = np.arange(self.test.num_classes)
        distance = (rank[:, None] - rank) ** 2.0
        expected = (self.true * (distance @ self.predicted)).sum(axis=0)
        return self._if_varied(expected - self.total * np.tensordot(distance, self.confusion), expected)

    def kendall_tau(self) -> np.ndarray:
        """Tau-b: concordant less discordant pairs (each in both orders), relative to `_unlike_pairs`."""
        surplus = _higher_less_lower(_higher_less_lower(self.confusion, axis=0), axis=1)
        return self._if_varied(np.einsum("tpr,tpr->r", self.confusion, surplus), self._unlike_pairs())

    def ece(self) -> np.ndarray:
        """Expected calibration error (Guo et al. 2017, eq. 3)."""
        return _ratio(np.abs(self.test.bins @ self.weight).sum(axis=0), self.total)

    def _unlike_pairs(self) -> np.ndarray:
        """Geometric mean of the ordered pairs of images with two labels and of those with two predictions, (r,)."""
        true, predicted = (self.total**2 - (images**2).sum(axis=0) for images in (self.true, self.predicted))
        return np.sqrt(true * predicted)

    def _if_varied(self, numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
        """The ratio; 0 where labels or predictions are constant."""
        varied = ((self.true > 0).sum(axis=0) > 1) & ((self.predicted > 0).sum(axis=0) > 1)
        return _ratio(numerator, np.where(varied, denominator, 0))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The ratio; 0 where the denominator is."""
    return np.divide(numerator, denominator, out=np.zeros_like(denominator), where=denominator > 0)


def _mean(value: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Mean over the classes that count, (C, r) to (r,); NaN where none does."""
    with np.errstate(invalid="ignore"):
        return value.sum(axis=0, where=counted) / counted.sum(axis=0)


def _higher_less_lower(images: np.ndarray, axis: int) -> np.ndarray:
    """Images in all higher classes less those in all lower ones, for each class along an axis."""
    running = images.cumsum(axis=axis)
    return running.take([-1], axis=axis) - 2 * running + images


SUMMARY = {
    "accuracy": _Resamples.accuracy,
    "balanced_accuracy": _Resamples.balanced_accuracy,
    "f1": partial(_Resamples.macro, key="f1"),
    "precision": partial(_Resamples.macro, key="precision"),
    "recall": partial(_Resamples.macro, key="recall"),
    "scr": _Resamples.scr,
    "auc": _Resamples.auc,
    "mcc": _Resamples.mcc,
    "kappa": _Resamples.kappa,
    "kendall_tau": _Resamples.kendall_tau,
    "ece": _Resamples.ece,
}
PER_CLASS = ("f1", "precision", "recall")
PER_GROUP = {"group_recall": _Resamples.group_recall, "group_f1": _Resamples.group_f1}
