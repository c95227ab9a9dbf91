"""How frequent classes are where a network is used: read from a file, applied to probabilities, images and scores."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import fsum
from pathlib import Path

import numpy as np

from lightning_imbal.decisions.base import Labelled, adjusted, check_known
from lightning_imbal.decisions.confusions import Confusions, KnownClasses
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import beside

TOLERANCE = 1e-3  # of the sum of what was typed in
HEADER = ["class", "prevalence"]


@dataclass(eq=False)
class Estimate:
    """The share of each class among images whose classes are not known.

    Args:
        share: The estimate, (C,); sums to one.
        low: Lower ends of the 95 % intervals, (C,).
        high: Their upper ends, (C,).
        method: What made it, for people.
        warnings: Sentences on why it may be far off.
    """

    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    method: str
    warnings: list[str] = field(default_factory=list)


def class_shares(images: Labelled) -> np.ndarray:
    """The share of each class by the weights of images, (C,)."""
    weight = np.bincount(images.label, images.weight, len(images.class_names))
    return weight / weight.sum()


def read_prevalence(path: str | Path, class_names: Sequence[str]) -> np.ndarray:
    """Reads the share of each class from a CSV file.

    Its columns are `class` and `prevalence`; without a header they are taken to be the first two.

    Returns:
        The shares in label order, (C,); they sum to one.

    Raises:
        UserError: The file cannot be read, names other classes, or what it holds are no shares.
    """
    text = _read(path, class_names)
    shares = np.array([_number(text[name], f"The prevalence of {name!r} in {path}") for name in class_names])
    total = fsum(shares)
    if abs(total - 100) <= 100 * TOLERANCE:
        raise UserError(f"The prevalences in {path} sum to {total:g}, so they are percentages: divide them by 100.")
    if abs(total - 1) > TOLERANCE:
        raise UserError(f"The prevalences in {path} sum to {total:g}, but must sum to 1.")
    return shares / total


def _read(path: str | Path, class_names: Sequence[str]) -> dict[str, str]:
    """What a file says of each class."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        why = beside(path) or "there is no such file."
        raise UserError(f"The prevalences cannot be read from {path}: {why}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The prevalences cannot be read from {path}: {error}.") from error
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if any(cell.strip() for cell in row)]
    header = [cell.lower() for cell in rows[0]] if rows else []
    places = [header.index(name) for name in HEADER] if set(HEADER) <= set(header) else [0, 1]
    rows = rows[1:] if set(HEADER) <= set(header) else rows
    if not rows or any(len(row) <= max(places) for row in rows) or len(header) < 2:
        raise UserError(f"{path} must have two columns in every line, class and prevalence.")
    names = [row[places[0]] for row in rows]
    check_known(names, class_names, str(path))
    if missing := [name for name in class_names if name not in names]:
        raise UserError(f"{path} has no prevalence of {', '.join(missing)}: add a line, with 0 if there are none.")
    if twice := [name for name in class_names if names.count(name) > 1]:
        raise UserError(f"{path} has several lines of {twice[0]!r}: leave one.")
    return {row[places[0]]: row[places[1]] for row in rows}


def _number(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise UserError(f"{what} is {text!r}, which is no number.") from None
    if not 0 <= number < float("inf"):
        raise UserError(f"{what} is {text}, but must be at least 0.")
    return number


def ratio_to(share: np.ndarray, prior: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """What probabilities are multiplied by (`Decision.ratio`) if shares change from `prior` to `share`, (C,).

    A class with a share of 0 is never answered; one that is in neither stays as it is.

    Raises:
        UserError: A class has a share, but there was no image of it where the probabilities come from.
    """
    if len(missing := np.flatnonzero((prior == 0) & (share > 0))):
        raise UserError(
            f"The prevalence of {class_names[missing[0]]!r} is {share[missing[0]]:g}, but there are no images whose "
            "probabilities could be adjusted to it: set it to 0."
        )
    return np.divide(share, prior, out=np.ones_like(share), where=prior > 0)


def reweighted(validation: Labelled, share: np.ndarray) -> Labelled:
    """Validation images as if classes were as frequent as `share` (C,) says, so that any rule can be fitted to them.

    Their probabilities are adjusted (Saerens et al. 2002, Eq. 2.4). Each image counts as often as images of its class
    become more frequent; all together count as before. A decision that is fitted to them is one for adjusted
    probabilities: it needs `ratio_to(share, class_shares(validation), ...)` as its `ratio`.

    Raises:
        UserError: A class that has a share has no validation image.
    """
    ratio = ratio_to(share, class_shares(validation), validation.class_names)
    return replace(
        validation,
        probability=adjusted(validation.probability, ratio),
        weight=validation.weight * ratio[validation.label],
    )


def scores_at_prevalence(confusion: np.ndarray, c: int, prevalence: np.ndarray) -> dict[str, np.ndarray]:
    """What the scores of a test would be if one class were more or less frequent.

    The other classes keep their proportions to each other, and every class keeps its recall and what it is taken for
    (label shift). So the answers stay as they are: nothing is decided anew for the other prevalence.

    Args:
        confusion: Images by true and answered class, (C, C).
        c: Label of the class.
        prevalence: Its shares, (G,).

    Returns:
        `recall`, `precision` and `f1` of each class, (G, C), and `macro_f1`, their mean over the classes that have test
        images, (G,). NaN for a class without test images; where `c` has none, or all others have none, nothing but
        recalls is known.
    """
    true = confusion.sum(axis=1)
    present, others = true > 0, np.where(np.arange(len(true)) == c, 0, true)
    kept = np.divide(confusion, true[:, None], out=np.zeros(confusion.shape), where=present[:, None])
    share = np.outer(others / (others.sum() or 1), 1 - prevalence)
    share[c] = prevalence
    names = tuple(map(str, range(len(true))))
    sets = Confusions(KnownClasses(names, {}, c, present), kept[:, :, None] * share[:, None])
    known = np.where(present & present[c] & others.any(), 1, np.nan)
    precision, f1 = sets.precision.T * known, sets.f1.T * known
    recall = np.broadcast_to(np.where(present, np.diag(kept), np.nan), f1.shape)
    return {"recall": recall, "precision": precision, "f1": f1, "macro_f1": f1[:, present].mean(axis=1)}
