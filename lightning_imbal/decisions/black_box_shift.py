"""How frequent classes are among images without labels, by what they are answered for (label shift)."""

import numpy as np
from scipy.optimize import nnls

from lightning_imbal.decisions.base import NO_ANSWER, Labelled
from lightning_imbal.decisions.label_shift import large_entries, told_apart
from lightning_imbal.decisions.temperature import check_all_present
from lightning_imbal.errors import UserError

SINGULAR = 1e-9


def black_box_shift(validation: Labelled, answers: np.ndarray, test_answers: np.ndarray) -> np.ndarray:
    """The shares under which as many images are taken for each class as are (Lipton et al. 2018, ICML).

    The probabilities need not be calibrated; answers of any decision will do, also -1, which is no answer.

    Args:
        validation: Images whose classes are known.
        answers: What they are taken for, (V,) int64.
        test_answers: What images without labels are taken for, (N,) int64.

    Returns:
        The shares, (C,), of least squares; they sum to one.

    Raises:
        UserError: A class has no validation image or is never answered, or the answers cannot tell classes apart.
    """
    given = answer_shares(validation, answers)
    number = len(validation.class_names)
    check_told_apart(given, validation.class_names)
    return on_simplex(given, np.bincount(test_answers - NO_ANSWER, minlength=number + 1) / len(test_answers))


def answer_shares(validation: Labelled, answers: np.ndarray) -> np.ndarray:
    """The share of each answer among the images of each class, (1 + C, C); no answer comes first.

    Raises:
        UserError: A class has no validation image.
    """
    check_all_present(validation)
    number = len(validation.class_names)
    cell = (answers - NO_ANSWER) * number + validation.label
    counts = np.bincount(cell, validation.weight, (number + 1) * number).reshape(number + 1, number)
    return counts / counts.sum(axis=0)


def check_told_apart(given: np.ndarray, class_names: tuple[str, ...]) -> None:
    """Refuses answers by which the shares of classes cannot be estimated at all.

    Args:
        given: The share of each answer among the images of each class, (1 + C, C).
        class_names: In label order.

    Raises:
        UserError: The message names the classes.
    """
    least, direction = told_apart(given)
    if least > SINGULAR:
        return
    never = [name for name, share in zip(class_names, given[1:], strict=True) if not share.any()]
    names = never or large_entries(direction, class_names)
    why = "is never answered for" if never else "cannot be told apart by the answers for"
    raise UserError(f"How frequent classes are cannot be estimated: {', '.join(names)} {why} validation images.")


def on_simplex(given: np.ndarray, answered: np.ndarray) -> np.ndarray:
    """The shares (C,) that minimise the squared distance of `given` (A, C) @ shares to `answered` (A,).

    As shares sum to one, this is the length of (given - answered) @ shares, which does not depend on their scale but
    for its square. So the sum may be asked for by one more row, and be mended afterwards, without changing the minimum.
    """
    rows = np.vstack([given - answered[:, None], np.ones(given.shape[1])])
    share, _ = nnls(rows, np.r_[np.zeros(len(answered)), 1.0])
    return share / share.sum()
