"""Long-tailed subsampling of balanced data sets."""

from typing import Literal

import numpy as np

from lightning_imbal.errors import UserError

Profile = Literal["exponential", "pareto"]


def long_tailed_counts(
    class_counts: np.ndarray,
    ratio: float,
    profile: Profile = "exponential",
    order: Literal["label", "size"] = "label",
) -> np.ndarray:
    """The largest long-tailed class sizes that a data set can give.

    Class k of C in the order of the tail keeps round(n * p_k), with n as large as all classes allow, and
    p_k = ratio^(-k / (C - 1)) in the exponential profile (Cui et al. 2019, section 5.1), or
    p_k = x_k^-(alpha + 1) in the Pareto profile, the density with alpha = 6 (Liu et al. 2019, section 3) at points x_k
    evenly spaced from 1 to ratio^(1 / (alpha + 1)).

    Args:
        class_counts: Class sizes ordered by label, shape (C,), all positive.
        ratio: Size of the largest class over that of the smallest, at least 1.
        profile: How the sizes fall in between.
        order: The tail follows the class numbers, or the sizes that the classes have.

    Returns:
        Class sizes ordered by label, shape (C,).

    Raises:
        UserError: The ratio is below 1.
    """
    if ratio < 1:
        raise UserError(f"A long tail needs a ratio of at least 1 between the largest and smallest class, not {ratio}.")
    rank = np.arange(len(class_counts)) / max(len(class_counts) - 1, 1)
    power = 7.0
    share = ratio**-rank if profile == "exponential" else (1 + rank * (ratio ** (1 / power) - 1)) ** -power
    if order == "size":
        share = share[np.argsort(np.argsort(-class_counts, kind="stable"))]
    return np.maximum(np.rint((class_counts / share).min() * share).astype(int), 1)


def thin_out(
    label: np.ndarray, rows: np.ndarray, classes: int, ratio: float, order: Literal["label", "size"] = "label"
) -> np.ndarray:
    """Chooses which training rows to keep for an exponential long tail, as large as the classes allow.

    Args:
        label: Class of every row of the data set, shape (N,).
        rows: Rows of the training part.
        classes: Number of classes.
        ratio: Size of the largest class over that of the smallest.
        order: See `long_tailed_counts`.

    Returns:
        Sorted row numbers.
    """
    counts = long_tailed_counts(np.bincount(label[rows], minlength=classes), ratio, order=order)
    return rows[long_tailed(label[rows], counts)]


def long_tailed(label: np.ndarray, class_counts: np.ndarray, seed: int = 0) -> np.ndarray:
    """Chooses at random which rows of each class to keep.

    Args:
        label: Class of every row, shape (N,).
        class_counts: How many rows of each class to keep, shape (C,).
        seed: Seed of the choice.

    Returns:
        Sorted row numbers.
    """
    counts = np.bincount(label, minlength=len(class_counts))
    shuffled = np.random.default_rng(seed).permutation(len(label))
    by_class = shuffled[np.argsort(label[shuffled], kind="stable")]
    rank_in_class = np.arange(len(label)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(by_class[rank_in_class < class_counts[label[by_class]]])
