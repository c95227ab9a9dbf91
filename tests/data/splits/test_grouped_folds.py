"""Folds of groups: those of scikit-learn, also where choices are equal but for rounding."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from lightning_imbal.data.splits import grouped_folds as module
from lightning_imbal.data.splits.grouped_folds import grouped_folds


def made(seed):
    """Long-tailed classes; every other time each image is a group."""
    rng = np.random.default_rng(seed)
    images, classes, folds = rng.integers(60, 400), rng.integers(2, 25), int(rng.integers(2, 13))
    share = np.geomspace(1, 0.02, classes)
    y = np.r_[0, 1, rng.choice(classes, images - 2, p=share / share.sum())]
    group = rng.integers(0, rng.integers(folds, images), images) if seed % 2 else rng.permutation(images)
    return *(np.unique(each, return_inverse=True)[1] for each in (y, group)), folds


@pytest.mark.parametrize("seed", range(8))
def test_folds_are_those_of_sklearn(seed, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 100)
    y, group, folds = made(seed)
    expected = np.empty(len(y), dtype=int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        for number, (_, inside) in enumerate(splitter.split(y, y, group)):
            expected[inside] = number
    assert np.array_equal(grouped_folds(y, group, folds, seed), expected)


def test_too_many_folds_are_refused():
    y, group = np.array([0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1])
    with pytest.raises(ValueError, match="number of members in each class"):
        grouped_folds(y, group, 4, 0)
    with pytest.raises(ValueError, match="number of groups: 2"):
        grouped_folds(y, group, 3, 0)
