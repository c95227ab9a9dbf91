"""Folds: a partition, stratified, with groups in one piece."""

import numpy as np
import pytest
from made_indices import (
    GROUP,
    INDEX,
    LABEL,
    SIZES,
    assert_a_partition,
    assert_no_shared_group,
    by_class,
    index_of,
    same_parts,
)

from lightning_imbal.data.splits import KFold
from lightning_imbal.errors import UserError


@pytest.mark.parametrize("group", [None, GROUP], ids=["images", "groups"])
class TestKFold:
    def test_test_folds_are_disjoint_and_cover_all(self, group):
        folds = [KFold(folds=5, fold=fold)(INDEX, group) for fold in range(5)]
        for parts in folds:
            assert_a_partition(parts)
            assert len(parts["val"]) == 0
            assert np.allclose(by_class(parts["test"]) / SIZES, 0.2, atol=0.0 if group is None else 0.1)
        assert sorted(np.concatenate([parts["test"] for parts in folds])) == list(range(len(LABEL)))

    def test_val_comes_from_the_training_folds(self, group):
        plain, parts = KFold(fold=2)(INDEX, group), KFold(fold=2, val=0.25)(INDEX, group)
        assert_a_partition(parts)
        assert np.array_equal(parts["test"], plain["test"])
        assert set(parts["train"]) | set(parts["val"]) == set(plain["train"])
        assert np.allclose(by_class(parts["val"]) / by_class(plain["train"]), 0.25, atol=0.01 if group is None else 0.1)

    def test_seed_decides(self, group):
        first = KFold(val=0.2, seed=1)(INDEX, group)
        assert same_parts(first, KFold(val=0.2, seed=1)(INDEX, group))
        assert not np.array_equal(first["test"], KFold(val=0.2, seed=2)(INDEX, group)["test"])


def test_fold_keeps_a_group_on_one_side():
    assert_no_shared_group(KFold(fold=1, val=0.2)(INDEX, GROUP))


@pytest.mark.parametrize("fold", [-1, 5])
def test_fold_out_of_range_is_refused(fold):
    with pytest.raises(UserError, match=f"no fold {fold}.*between 0 and 4"):
        KFold(folds=5, fold=fold)


def test_more_folds_than_images_are_refused():
    with pytest.raises(UserError, match="cannot be cut into 9 folds"):
        KFold(folds=9)(index_of([0, 1] * 4))
