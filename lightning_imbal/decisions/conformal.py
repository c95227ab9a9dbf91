"""Sets of classes that hold the true one as often as was promised (split conformal prediction)."""

from dataclasses import dataclass, field
from math import ceil

import numpy as np

from lightning_imbal.decisions.base import Labelled
from lightning_imbal.errors import UserError

ROUNDING = 1e-9


@dataclass(eq=False)
class PredictionSets:
    """Sets of the classes whose probability is high enough.

    Args:
        class_names: In label order.
        threshold: Least probability of each class, (C,); 0 for a class that is in every set.
        alpha: In how many sets the true class may be missing.
        notes: Sentences on classes for which nothing can be promised but by having them in every set.
    """

    class_names: tuple[str, ...]
    threshold: np.ndarray
    alpha: float
    notes: list[str] = field(default_factory=list)

    def sets(self, probability: np.ndarray) -> np.ndarray:
        """Which classes are in the set of each image, (N, C) to (N, C) bool."""
        return probability >= self.threshold


@dataclass(eq=False)
class SetScores:
    """How good sets are.

    Args:
        coverage: Share of the images of each class whose set holds it, (C,); NaN without images.
        covered: The same of all images.
        mean_size: Classes per set.
        empty: Share of the sets without a class.
        single: Share of the sets of one class.
    """

    coverage: np.ndarray
    covered: float
    mean_size: float
    empty: float
    single: float

    @property
    def referred(self) -> float:
        """Share of the images that are left to a person: no or several classes. An empty set is no finding."""
        return 1 - self.single


def prediction_sets(validation: Labelled, alpha: float = 0.1, per_class: bool = True) -> PredictionSets:
    """Fits the thresholds of prediction sets to validation images.

    The score of an image is one less the probability of its class (LAC; Sadinle et al. 2019, JASA 114). Its threshold
    is the smallest score that at least (K + 1)(1 - alpha) of K units do not exceed. Images of one lesion or patient are
    alike, so each counts as the fraction of its unit that it is (HCP; Lee, Barber and Willett 2023,
    arXiv:2306.06342): where units are single images, this is split conformal prediction. Weights of images, of a change
    of prevalence, are respected, the new image having that of its supposed class (Podkopaev and Ramdas 2021, UAI).

    What is promised is the share 1 - alpha of the next images, on average over validation sets: for images like those,
    one from each new unit. With one threshold for each class (Mondrian; Vovk 2012) it holds in every class, and so at
    any prevalence. A class that has too few units for the promise is in every set: this keeps it.

    Args:
        validation: Images that neither trained the network nor chose its epoch.
        alpha: In how many sets the true class may be missing, between 0 and 1.
        per_class: Whether each class has a threshold and a promise of its own, or all the same.

    Raises:
        UserError: `alpha` is not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise UserError(f"alpha must be between 0 and 1, but is {alpha:g}.")
    label, number = validation.label, len(validation.class_names)
    images = np.bincount(label, minlength=number)
    weight = np.bincount(label, validation.weight, number) / np.maximum(images, 1)
    next_weight = np.where(images > 0, weight, weight.max())
    if not per_class:
        every = np.arange(len(label))
        threshold = _thresholds(validation, every, next_weight, alpha)
        return PredictionSets(validation.class_names, threshold, alpha, _too_few(validation.unit, alpha))
    of_class = [np.flatnonzero(label == c) for c in range(number)]
    thresholds = [_thresholds(validation, rows, next_weight[[c]], alpha) for c, rows in enumerate(of_class)]
    notes = [
        note
        for name, rows in zip(validation.class_names, of_class, strict=True)
        for note in _too_few(validation.unit[rows], alpha, f" for {name}")
    ]
    return PredictionSets(validation.class_names, np.concatenate(thresholds), alpha, notes)


def coverage(sets: np.ndarray, label: np.ndarray) -> SetScores:
    """Compares sets (N, C) bool with true classes (N,)."""
    held, size = sets[np.arange(len(label)), label], sets.sum(axis=1)
    images = np.bincount(label, minlength=sets.shape[1])
    with np.errstate(invalid="ignore"):
        of_class = np.bincount(label, held, sets.shape[1]) / images
    return SetScores(
        of_class, float(held.mean()), float(size.mean()), float((size == 0).mean()), float((size == 1).mean())
    )


def _thresholds(validation: Labelled, rows: np.ndarray, next_weight: np.ndarray, alpha: float) -> np.ndarray:
    """The least probabilities, so that enough of the images in `rows` keep their class; 0 where all are not enough.

    Args:
        validation: The images.
        rows: Those that are looked at.
        next_weight: What the next image may weigh, (K,), each of which gives a threshold.
        alpha: In how many sets the true class may be missing.
    """
    own = validation.probability[rows, validation.label[rows]]
    order = np.argsort(-own)
    _, unit, size = np.unique(validation.unit[rows], return_inverse=True, return_counts=True)
    kept = (validation.weight[rows] / size[unit])[order].cumsum()
    needed = (1 - alpha) * (kept[-1:].sum() + next_weight)
    return np.r_[own[order], 0.0][np.searchsorted(kept, needed * (1 - ROUNDING))]


def _too_few(unit: np.ndarray, alpha: float, of_what: str = "") -> list[str]:
    """A sentence if images of so few units promise nothing; where their units are known, these are counted."""
    units, least = len(np.unique(unit)), ceil(1 / alpha - 1 - ROUNDING)
    noun = "images" if units == len(unit) else "lesions or patients"
    if units >= least:
        return []
    return [
        f"too few calibration {noun} to promise {100 * (1 - alpha):.4g} %{of_what}: there are {units}, "
        f"at least {least} are needed"
    ]
