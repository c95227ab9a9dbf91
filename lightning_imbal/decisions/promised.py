"""What rules share that promise a rate of single classes from the validation images."""

from abc import abstractmethod

import numpy as np

from lightning_imbal.decisions.base import Decision, Labelled, Rule, check_known
from lightning_imbal.decisions.thresholds import effective_size, lower_bound, unit_correlation, units_needed
from lightning_imbal.errors import UserError


class Promised(Rule):
    """Answers a named class where its probability is at least a threshold, whose rate is promised.

    Learn then test (Angelopoulos et al. 2021, arXiv:2110.01052): thresholds are tested one after the other, from the
    safest on, until the lower confidence bound of the rate falls below the target. As the rate changes in one direction
    only, this fixed sequence needs no correction for the number of thresholds; the level is divided by the number of
    classes (Bonferroni), so that all targets hold together. Images of one unit are not taken for independent ones.

    Args:
        targets: Least rate of each named class, above 0 and below 1. Their order is that in which the classes are
            asked: an earlier one keeps what it takes. One class at least must be left unnamed.
        confidence: With which all of the targets hold together.

    Raises:
        UserError: No class is named, or a number is not above 0 and below 1.
    """

    RATE: str
    OF: str

    def __init__(self, targets: dict[str, float], confidence: float = 0.95) -> None:
        rates = {f"The {self.RATE} of {name}": target for name, target in targets.items()}
        if not rates:
            raise UserError(f"{type(self).__name__} needs a class and its least {self.RATE}, such as melanoma: 0.9.")
        for name, value in (rates | {"confidence": confidence}).items():
            if not 0 < value < 1:
                raise UserError(f"{name} must be above 0 and below 1, but is {value:g}: no other can be promised.")
        self.targets, self.confidence = targets, confidence

    def fit(self, validation: Labelled) -> Decision:
        names = validation.class_names
        check_known(list(self.targets), names, f"A {self.RATE}")
        if len(self.targets) == len(names):
            raise UserError(f"A {self.RATE} is named for every class: leave one out, which is answered else.")
        thresholds: dict[str, float] = {}
        taken = np.zeros(len(validation.label), dtype=bool)
        for name in self.targets:
            c = names.index(name)
            thresholds[name] = self._threshold(validation, c, taken)
            taken |= validation.probability[:, c] >= thresholds[name]
        return Decision(names, thresholds=thresholds)

    @abstractmethod
    def _threshold(self, validation: Labelled, c: int, taken: np.ndarray) -> float:
        """That of a class, where some images, (N,) bool, are taken by earlier ones."""

    def first_kept(self, validation: Labelled, c: int, kept: np.ndarray, value: np.ndarray) -> float:
        """The value from which on images must be right for the promise.

        Args:
            validation: All images.
            c: Whose target it is.
            kept: The images whose rate is promised, (N,) bool.
            value: In whose order they become wrong, (N,); those of -inf always are.

        Raises:
            UserError: Nothing can be promised.
        """
        kept = kept & (validation.weight > 0)
        value, weight, unit = value[kept], validation.weight[kept], validation.unit[kept]
        unit = np.unique(unit, return_inverse=True)[1]
        name, alpha = validation.class_names[c], (1 - self.confidence) / len(self.targets)
        self._check_number(name, weight, unit, alpha)
        tried, place = np.unique(value, return_inverse=True)
        right = np.bincount(place, weight)[::-1].cumsum()[::-1]
        share = right / right[0]
        size = effective_size(weight, unit, unit_correlation(value, unit))
        possible = tried > -np.inf
        promised = lower_bound(share, size, alpha)[possible] >= self.targets[name]
        number = int(np.append(promised, False).argmin())
        if not number:
            raise UserError(
                f"No threshold of {name} promises {self._promise(name)}: classes that are named before it take "
                f"{np.isneginf(value).sum()} of its {len(value)} validation images. Name it first, or lower a target."
            )
        return float(tried[possible][number - 1])

    def _check_number(self, name: str, weight: np.ndarray, unit: np.ndarray, alpha: float) -> None:
        images, units = len(unit), len(np.unique(unit))
        size = effective_size(weight, unit, 1.0) if images else 0.0
        if images and lower_bound(1.0, size, alpha) >= self.targets[name]:
            return
        number = f"{images} of {units} groups" if units < images else f"{images}"
        if (alone := int(size + 1e-9)) < units:
            number += f", which tell as much as {alone} of one size"
        needed = f"{units_needed(self.targets[name], alpha)}{' groups' if units < images else ''}"
        raise UserError(
            f"too few validation images of {self.OF.format(name)} to promise {self._promise(name)}: "
            f"there are {number}, at least {needed} are needed."
        )

    def _promise(self, name: str) -> str:
        together = "" if len(self.targets) == 1 else f" that all {len(self.targets)} targets hold"
        target = self.targets[name]
        rate = f"{target:.2f}" if round(target, 2) == target else f"{target:g}"
        return f"a {self.RATE} of {rate} with {100 * self.confidence:g} % confidence{together}"
