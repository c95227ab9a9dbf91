"""Cuts groups into folds with the classes in proportion, as scikit-learn does, for a million images as well."""

from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

AT_ONCE = 2**18  # images of groups and classes, most of them 0, that are looked at together
RELATIVE, ABSOLUTE = 1e-5, 1e-8  # so near are two numbers that scikit-learn takes for equal


def grouped_folds(y: np.ndarray, group: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold of every row: that of `StratifiedGroupKFold(folds, shuffle=True, random_state=seed)`, row by row.

    Group after group, those with the most unequal classes first, goes to the fold where the shares of the classes in
    the folds then vary least. Scikit-learn looks at all classes of all folds for each choice, and holds a number for
    each group and class: minutes and gigabytes for 250,000 groups of 1,000 classes. Here only the classes of a group
    are looked at. Sums are in the same order, so that choices which are equal but for rounding are made in the same
    way.

    Args:
        y: Two classes or more, from 0 without gaps, (N,).
        group: Groups from 0 without gaps, (N,).
        folds: Number of folds.
        seed: Of the order of groups that are alike.

    Raises:
        ValueError: There are fewer images in every class, or fewer groups, than folds.
    """
    of_class, images = np.bincount(y), group_counts(y, group)
    if (folds > of_class).all():
        raise ValueError(f"n_splits={folds} cannot be greater than the number of members in each class.")
    if folds > images.shape[0]:
        raise ValueError(
            f"Cannot have number of splits n_splits={folds} greater than the number of groups: {images.shape[0]}."
        )
    shuffled = np.arange(images.shape[0])
    np.random.RandomState(seed).shuffle(shuffled)
    order = shuffled[np.argsort(-_deviations(images[shuffled]), kind="stable")]
    fold = np.empty(images.shape[0], dtype=int)
    fold[order] = _greedy(images[order], of_class, folds)
    return fold[group]


def group_counts(y: np.ndarray, group: np.ndarray) -> csr_array:
    """Images of each group and class, (G, C) float64."""
    counts = csr_array((np.ones(len(y)), (group, y)))
    counts.sum_duplicates()
    return counts


def _deviations(images: csr_array) -> np.ndarray:
    """Over the classes of each group, (G,)."""
    step = max(1, AT_ONCE // images.shape[1])
    parts = [images[start : start + step].toarray() for start in range(0, images.shape[0], step)]
    return np.concatenate([np.std(part, axis=1) for part in parts])


def _greedy(images: csr_array, of_class: np.ndarray, folds: int) -> np.ndarray:
    """The fold of each group (G, C), in their order."""
    fold = np.empty(images.shape[0], dtype=int)
    count, total = np.zeros((folds, len(of_class))), [0.0] * folds
    deviation = np.zeros((folds, len(of_class)))  # of each class over the folds, if the group went to each fold
    here, ends = np.arange(folds), images.indptr.tolist()
    for place, (start, stop) in enumerate(pairwise(ends)):
        classes, added = images.indices[start:stop], images.data[start:stop]
        counted = count[:, None, classes].repeat(folds, axis=1)  # of each fold, if the group went to each
        counted[here, here] += added
        share = counted / of_class[classes]
        share -= np.add.reduce(share, axis=0) / folds  # np.std, without what it asks for first
        found = np.sqrt(np.add.reduce(share * share, axis=0) / folds)
        deviation[:, classes] = found
        best = _best((np.add.reduce(deviation, axis=1) / len(of_class)).tolist(), total)
        deviation[:, classes] = found[best]
        count[best, classes] += added
        total[best] += added.sum()
        fold[place] = best
    return fold


def _best(spread: list[float], images: list[float]) -> int:
    """The fold of the least spread, or of fewer images where that is about equal."""
    best, least = 0, spread[0]
    for fold in range(1, len(spread)):
        near = abs(spread[fold] - least) <= ABSOLUTE + RELATIVE * abs(least)
        if spread[fold] < least or (near and images[fold] < images[best]):
            best, least = fold, spread[fold]
    return best
