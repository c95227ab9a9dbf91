"""Estimates of how frequent classes are among images without labels, with intervals and what speaks against them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from lightning_imbal.decisions.base import NO_ANSWER, Labelled
from lightning_imbal.decisions.black_box_shift import answer_shares, black_box_shift, on_simplex
from lightning_imbal.decisions.label_shift import (
    balanced_means,
    expectation_maximisation,
    expected,
    fixed_point,
    large_entries,
    told_apart,
)
from lightning_imbal.decisions.prevalence import Estimate, class_shares
from lightning_imbal.decisions.temperature import bias_corrected_temperature, logarithms
from lightning_imbal.wording import number_of

RESAMPLES = 1000
MAX_ELEMENTS = 1_000_000  # weights of images that are drawn at once; more are slower
CLOSE = 1e-6  # how much a step may still change a share that is drawn
TAIL = 0.025
FEW = 20  # units of a class, from which it is hardly known how images of it are answered
LITTLE = 0.1  # of what labels or right answers would tell


@dataclass(eq=False)
class _Draw:
    """R draws of what might have been observed (Rubin 1981, The Bayesian Bootstrap).

    Images of a unit weigh alike. Of each class half an image may have been missed, as in the interval of Jeffreys: an
    estimate of 0 from few images does not say that there are none.

    Args:
        known: How often each validation image counts, (V, R).
        new: How often each image without a label counts, (N, R).
        known_missed: Missed images of each class (last but one) and answer, (1 + C, C, R); one of each class in all.
        new_missed: Missed images of each class, (C, R).
    """

    known: np.ndarray
    new: np.ndarray
    known_missed: np.ndarray
    new_missed: np.ndarray


def estimate_by_probabilities(
    validation: Labelled, probability: np.ndarray, unit: np.ndarray, seed: int = 0
) -> Estimate:
    """Estimates shares by expectation maximisation, of probabilities that are first calibrated on validation images.

    Where probabilities are wrong in ways that a temperature and biases do not mend, the estimate is biased, and the
    intervals are too narrow for many images. `estimate_by_answers` needs no calibration; its intervals are about twice
    as wide.

    Args:
        validation: Images whose classes are known, of which the network learned nothing.
        probability: Of images without labels, as the network gives them, (N, C).
        unit: Their lesions or patients, or "image <id>", (N,) text.
        seed: Of the draws that the intervals come from.

    Raises:
        UserError: A class has no validation image.
    """
    calibration, prior = bias_corrected_temperature(validation), class_shares(validation)
    share = expectation_maximisation(calibration.calibrated(probability), prior)
    # The temperature stays: what it varies by hardly moves shares once the biases are fitted again.
    known, new = (np.exp(logarithms(each) / calibration.temperature) for each in (validation.probability, probability))
    of_class = np.eye(len(prior))[validation.label]
    drawn = []
    for draw in _draws(validation, unit, seed):
        images = of_class.T @ draw.known
        ratio = _drawn_biases(known, draw.known, images, np.exp(calibration.bias)) / images
        drawn.append(_drawn_shares(new, draw, ratio, (share + prior) / 2))
    means = balanced_means(replace(validation, probability=calibration.calibrated(validation.probability)))
    warnings = [*_of_few(validation), *_alike(means, "the probabilities", validation.class_names)]
    return _estimate(share, drawn, "expectation maximisation of calibrated probabilities", warnings)


def _drawn_biases(probability: np.ndarray, weight: np.ndarray, images: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The factors (C, R) with which the probabilities of each class sum to its images (C, R), as calibrated ones do."""

    def step(factor: np.ndarray) -> np.ndarray:
        factor = factor * images / expected(probability, weight, factor)
        return factor / factor.sum(axis=0)

    return fixed_point(step, np.repeat(start[:, None] / start.sum(), weight.shape[1], axis=1), CLOSE)


def _drawn_shares(probability: np.ndarray, draw: _Draw, ratio: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The shares (C, R) of images whose probabilities are, but for a scale, times `ratio` (C, R)."""

    def step(share: np.ndarray) -> np.ndarray:
        images = expected(probability, draw.new, share * ratio) + draw.new_missed
        return images / images.sum(axis=0)

    return fixed_point(step, np.repeat(start[:, None], draw.new.shape[1], axis=1), CLOSE)


def estimate_by_answers(
    validation: Labelled, answers: np.ndarray, test_answers: np.ndarray, unit: np.ndarray, seed: int = 0
) -> Estimate:
    """Estimates shares by how often each class is answered (`black_box_shift`).

    Args:
        validation: Images whose classes are known, of which the network learned nothing.
        answers: What they are taken for, (V,) int64; -1 is no answer.
        test_answers: What images without labels are taken for, (N,) int64.
        unit: The lesions or patients of these, or "image <id>", (N,) text.
        seed: Of the draws that the intervals come from.

    Raises:
        UserError: A class has no validation image or is never answered, or the answers cannot tell classes apart.
    """
    share = black_box_shift(validation, answers, test_answers)
    number = len(share)
    of_pair = _counts((answers - NO_ANSWER) * number + validation.label, (number + 1) * number)
    of_answer = _counts(test_answers - NO_ANSWER, number + 1)
    used = np.bincount(np.concatenate([answers, test_answers]) - NO_ANSWER, minlength=number + 1) > 0
    drawn = []
    for draw in _draws(validation, unit, seed):
        given = (of_pair @ draw.known).reshape(number + 1, number, -1) + draw.known_missed * used[:, None, None]
        answered = of_answer @ draw.new
        answered[1:] += draw.new_missed
        pairs = zip(np.moveaxis(given / given.sum(axis=0), 2, 0), (answered / answered.sum(axis=0)).T, strict=True)
        drawn.append(np.stack([on_simplex(*pair) for pair in pairs], axis=1))
    alike = _alike(answer_shares(validation, answers), "the answers", validation.class_names)
    warnings = [*_of_few(validation), *alike]
    return _estimate(share, drawn, "black-box shift of the answers", warnings)


def _counts(place: np.ndarray, number: int) -> csr_array:
    """A matrix that adds up the weights of the images in each place, (number, N)."""
    return csr_array((np.ones(len(place)), (place, np.arange(len(place)))), shape=(number, len(place)))


def _draws(validation: Labelled, unit: np.ndarray, seed: int) -> Iterator[_Draw]:
    """Draws in parts that fit into memory."""
    rng, number = np.random.default_rng(seed), len(validation.class_names)
    (known_place, known_size), (new_place, new_size) = _units(validation.unit), _units(unit)
    known_size *= validation.weight.mean()
    at_once = max(1, MAX_ELEMENTS // (len(known_place) + len(new_place)))
    for start in range(0, RESAMPLES, at_once):
        part = min(at_once, RESAMPLES - start)
        yield _Draw(
            rng.exponential(size=(known_place.max() + 1, part))[known_place] * validation.weight[:, None],
            rng.exponential(size=(new_place.max() + 1, part))[new_place],
            rng.gamma(1 / number, size=(number + 1, number, part)) * known_size,
            rng.gamma(0.5, size=(number, part)) * new_size,
        )


def _units(unit: np.ndarray) -> tuple[np.ndarray, float]:
    """The place of each image's unit, (N,), and how many images a unit has on average."""
    names, place = np.unique(unit, return_inverse=True)
    return place, len(unit) / len(names)


def _of_few(validation: Labelled) -> list[str]:
    units = [len(np.unique(validation.unit[validation.label == c])) for c in range(len(validation.class_names))]
    noun = "image" if len(np.unique(validation.unit)) == len(validation.unit) else "lesion or patient"
    several = "images" if noun == "image" else "lesions or patients"
    return [
        f"there {'is' if number == 1 else 'are'} only {number_of(number, noun, several)} of {name} in validation: the "
        "intervals may be too narrow"
        for name, number in zip(validation.class_names, units, strict=True)
        if number < FEW
    ]


def _alike(given: np.ndarray, what: str, class_names: tuple[str, ...]) -> list[str]:
    least, direction = told_apart(given)
    names = large_entries(direction, class_names)
    return [f"{what} hardly tell {' and '.join(names)} apart: their shares may be exchanged"] * (least < LITTLE)


def _estimate(share: np.ndarray, drawn: list[np.ndarray], method: str, warnings: list[str]) -> Estimate:
    low, high = np.quantile(np.concatenate(drawn, axis=1), [TAIL, 1 - TAIL], axis=1)
    return Estimate(share, np.minimum(low, share), np.maximum(high, share), method, warnings)
