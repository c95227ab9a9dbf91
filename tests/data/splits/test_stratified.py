"""A rare class in every part or fold that its groups suffice for; any other cut is that of scikit-learn."""

import warnings

import numpy as np
import pytest
from made_indices import GROUP, INDEX, LABEL, index_of
from sklearn.model_selection import StratifiedGroupKFold

from lightning_imbal.data.splits import Holdout, KFold
from lightning_imbal.data.splits.stratified import cut_folds

RNG = np.random.default_rng(0)
PATIENTS_LABEL = RNG.permutation(np.repeat([0, 1, 2], [30, 10, 6]))  # the rare class is that of five patients
PATIENT = np.repeat(np.arange(46), RNG.integers(1, 9, 46))[:46]
LESIONS_LABEL = np.repeat([0, 1, 2, 3], [60, 30, 4, 1])  # of one image each


def cut_of_sklearn(label, group, folds, seed):
    number = np.empty(len(label), dtype=int)
    cut = StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(label, label, group)
    for fold, (_, inside) in enumerate(cut):
        number[inside] = fold
    return number


def test_a_class_with_enough_patients_is_in_every_fold():
    before, fold = cut_of_sklearn(PATIENTS_LABEL, PATIENT, 4, 0), cut_folds(PATIENTS_LABEL, PATIENT, 4, 0)
    assert {*before[PATIENTS_LABEL == 2]} != {0, 1, 2, 3} == {*fold[PATIENTS_LABEL == 2]}
    assert all({0, 1, 2} == {*PATIENTS_LABEL[fold == number]} for number in range(4))
    assert len(np.unique([PATIENT, fold], axis=1).T) == PATIENT.max() + 1  # each in one fold
    assert len(np.unique(PATIENT[before != fold])) == 1  # and no more moved than was needed


@pytest.mark.parametrize("seed", range(3))
def test_a_cut_that_lacks_nothing_is_that_of_sklearn(seed):
    expected = cut_of_sklearn(LABEL, GROUP, 5, seed)
    assert np.array_equal(KFold(5, 2, seed=seed).test_folds(INDEX, GROUP), expected)
    assert np.array_equal(Holdout(0.4, seed=seed)(INDEX, GROUP)["test"], np.flatnonzero(expected < 2))


def test_a_class_with_fewer_groups_than_folds_is_in_as_many_folds_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for group in (np.arange(95), None):
            fold = cut_folds(LESIONS_LABEL, group, 6, 0)
            assert [len({*fold[label == LESIONS_LABEL]}) for label in range(4)] == [6, 6, 4, 1]


@pytest.mark.parametrize("seed", range(3))
def test_a_part_of_groups_has_every_class_and_one_that_cannot_be_shared_is_trained_on(seed):
    parts = Holdout(0.1, 0.1, seed)(index_of(LESIONS_LABEL), np.arange(95))
    assert {part: {*LESIONS_LABEL[rows]} for part, rows in parts.items()} == {
        "train": {0, 1, 2, 3},
        "val": {0, 1, 2},
        "test": {0, 1, 2},
    }
    assert 9 <= len(parts["test"]) <= 12
    halves = Holdout(0.5, seed=seed)(index_of(LESIONS_LABEL), np.arange(95))
    assert 3 in LESIONS_LABEL[halves["train"]]
