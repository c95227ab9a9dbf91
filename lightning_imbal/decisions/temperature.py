"""Probabilities that fit validation images: a temperature, and a bias of each class."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from lightning_imbal.decisions.base import Labelled
from lightning_imbal.errors import UserError

LEAST = 1e-12  # of the probabilities whose logarithm is taken
BOUNDS = 0.01, 100.0  # of the inverse temperature, which would grow for ever if all images were classified right


@dataclass(eq=False)
class Calibration:
    """What makes probabilities fit.

    Args:
        temperature: What their logarithms are divided by.
        bias: What is then added to them, (C,).
    """

    temperature: float
    bias: np.ndarray

    def calibrated(self, probability: np.ndarray) -> np.ndarray:
        """The probabilities that fit, (N, C)."""
        return softmax(logarithms(probability) / self.temperature + self.bias, axis=1)


def logarithms(probability: np.ndarray) -> np.ndarray:
    """Logarithms (N, C), finite also where a probability is 0."""
    return np.log(probability.clip(LEAST))


def bias_corrected_temperature(validation: Labelled) -> Calibration:
    """Fits a temperature and biases by the likelihood of validation images (BCTS; Alexandari et al. 2020, ICML).

    So calibrated probabilities of a class have a mean over the validation images which is its share there.

    Raises:
        UserError: A class has no validation image.
    """
    check_all_present(validation)
    logits, label = logarithms(validation.probability), validation.label
    rows, weight = np.arange(len(label)), validation.weight / validation.weight.sum()

    def loss(settings: np.ndarray) -> tuple[float, np.ndarray]:
        log = log_softmax(settings[0] * logits + settings[1:], axis=1)
        surplus = np.exp(log)
        surplus[rows, label] -= 1
        surplus *= weight[:, None]
        return -(weight * log[rows, label]).sum(), np.r_[(surplus * logits).sum(), surplus.sum(axis=0)]

    start = np.r_[1.0, np.zeros(logits.shape[1])]
    bounds = [BOUNDS, *[(None, None)] * logits.shape[1]]
    best = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9})
    return Calibration(1 / best.x[0], best.x[1:] - best.x[1:].mean())


def check_all_present(validation: Labelled) -> None:
    """Refuses validation images among which a class is missing.

    Raises:
        UserError: The message names the classes.
    """
    number = np.bincount(validation.label, validation.weight, len(validation.class_names))
    if missing := [name for name, images in zip(validation.class_names, number, strict=True) if images == 0]:
        raise UserError(
            f"There is no validation image of {', '.join(missing)}, so the shares of classes cannot be estimated."
        )
