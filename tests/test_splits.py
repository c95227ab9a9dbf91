import numpy as np
import pytest

from lightning_imbal.data.splits import Holdout, KFold, long_tailed
from lightning_imbal.errors import UserError

SIZES = np.array([200, 100, 40, 20])
LABEL = np.random.default_rng(0).permutation(np.repeat(np.arange(4), SIZES))
# Groups of one, two, three or four images; the images of a group are of one class, and apart in the table.
NUMBER_IN_CLASS = np.array([np.count_nonzero(LABEL[:row] == label) for row, label in enumerate(LABEL)])
GROUP_OF_NUMBER = np.repeat(np.arange(200), np.resize([1, 2, 3, 4], 200))
GROUP = np.array([f"{label}-{i}" for label, i in zip(LABEL, GROUP_OF_NUMBER[NUMBER_IN_CLASS], strict=True)])


def by_class(rows):
    return np.bincount(LABEL[rows], minlength=len(SIZES))


def same_parts(first, second):
    return all(np.array_equal(first[name], second[name]) for name in first)


def assert_a_partition(parts):
    assert set(parts) == {"train", "val", "test"}
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(LABEL)))
    assert all((np.diff(rows) > 0).all() for rows in parts.values())


def assert_no_shared_group(parts):
    groups = [set(GROUP[rows]) for rows in parts.values()]
    assert len(set.union(*groups)) == sum(map(len, groups))


class TestHoldout:
    def test_fractions_are_of_the_whole(self):
        parts = Holdout(test=0.2, val=0.1)(LABEL)
        assert_a_partition(parts)
        assert by_class(parts["test"]).tolist() == [40, 20, 8, 4]
        assert by_class(parts["val"]).tolist() == [20, 10, 4, 2]
        assert by_class(parts["train"]).tolist() == [140, 70, 28, 14]

    @pytest.mark.parametrize("test", [0.3, 0.33, 0.07])
    def test_stratified_to_within_one_image(self, test):
        parts = Holdout(test=test)(LABEL)
        assert_a_partition(parts)
        assert len(parts["val"]) == 0
        assert abs(len(parts["test"]) - test * len(LABEL)) <= 1
        assert (abs(by_class(parts["test"]) - test * SIZES) <= 1).all()

    @pytest.mark.parametrize("group", [None, GROUP], ids=["images", "groups"])
    def test_seed_decides(self, group):
        first = Holdout(val=0.1, seed=1)(LABEL, group)
        assert same_parts(first, Holdout(val=0.1, seed=1)(LABEL, group))
        assert not np.array_equal(first["test"], Holdout(val=0.1, seed=2)(LABEL, group)["test"])

    def test_global_random_state_has_no_say(self):
        np.random.seed(0)
        first = Holdout(val=0.1)(LABEL)
        np.random.seed(1)
        assert same_parts(first, Holdout(val=0.1)(LABEL))

    @pytest.mark.parametrize("test, val", [(0.0, 0.1), (1.0, 0.0), (0.6, 0.4), (-0.1, 0.0), (0.3, -0.1), (30, 0)])
    def test_impossible_fractions_are_refused(self, test, val):
        with pytest.raises(UserError, match=f"test={test} and val={val}.*fractions of the whole"):
            Holdout(test=test, val=val)

    def test_class_with_one_image_is_refused(self):
        with pytest.raises(UserError, match="give every class at least two images"):
            Holdout()(np.array([0] * 20 + [1]))

    def test_group_stays_on_one_side(self):
        parts = Holdout(test=0.3, val=0.1)(LABEL, GROUP)
        assert_a_partition(parts)
        assert_no_shared_group(parts)
        for name, fraction in {"test": 0.3, "val": 0.1, "train": 0.6}.items():
            share = by_class(parts[name]) / SIZES
            assert np.allclose(share[:3], fraction, atol=0.05), name
            assert abs(share[3] - fraction) <= 0.15, name

    def test_without_groups_they_are_torn(self):
        with pytest.raises(AssertionError):
            assert_no_shared_group(Holdout(test=0.3)(LABEL))


@pytest.mark.parametrize("group", [None, GROUP], ids=["images", "groups"])
class TestKFold:
    def test_test_folds_are_disjoint_and_cover_all(self, group):
        folds = [KFold(folds=5, fold=fold)(LABEL, group) for fold in range(5)]
        for parts in folds:
            assert_a_partition(parts)
            assert len(parts["val"]) == 0
            assert np.allclose(by_class(parts["test"]) / SIZES, 0.2, atol=0.0 if group is None else 0.1)
        assert sorted(np.concatenate([parts["test"] for parts in folds])) == list(range(len(LABEL)))

    def test_val_comes_from_the_training_folds(self, group):
        plain, parts = KFold(fold=2)(LABEL, group), KFold(fold=2, val=0.25)(LABEL, group)
        assert_a_partition(parts)
        assert np.array_equal(parts["test"], plain["test"])
        assert set(parts["train"]) | set(parts["val"]) == set(plain["train"])
        assert np.allclose(by_class(parts["val"]) / by_class(plain["train"]), 0.25, atol=0.01 if group is None else 0.1)

    def test_seed_decides(self, group):
        first = KFold(val=0.2, seed=1)(LABEL, group)
        assert same_parts(first, KFold(val=0.2, seed=1)(LABEL, group))
        assert not np.array_equal(first["test"], KFold(val=0.2, seed=2)(LABEL, group)["test"])


def test_fold_keeps_a_group_on_one_side():
    assert_no_shared_group(KFold(fold=1, val=0.2)(LABEL, GROUP))


@pytest.mark.parametrize("fold", [-1, 5])
def test_fold_out_of_range_is_refused(fold):
    with pytest.raises(UserError, match=f"no fold {fold}.*between 0 and 4"):
        KFold(folds=5, fold=fold)


def test_more_folds_than_images_are_refused():
    with pytest.raises(UserError, match="cannot be cut into 9 folds"):
        KFold(folds=9)(np.array([0, 1] * 4))


class TestLongTailed:
    label = np.random.default_rng(0).permutation(np.repeat(np.arange(9), [936] + [1200] * 8))

    def test_counts_are_exactly_exponential(self):
        rows = long_tailed(self.label, ratio=100)
        expected = [round(936 * 100 ** (-i / 8)) for i in range(9)]
        assert expected[0] == 936 and expected[-1] == 9
        assert np.bincount(self.label[rows]).tolist() == expected

    def test_a_small_class_scales_the_whole_profile(self):
        label = np.repeat([0, 1, 2], [1000, 50, 1000])
        assert np.bincount(label[long_tailed(label, ratio=4)]).tolist() == [100, 50, 25]

    def test_ratio_one_keeps_balanced_data(self):
        label = np.tile(np.arange(5), 20)
        assert long_tailed(label, ratio=1).tolist() == list(range(100))

    def test_rows_are_sorted_and_unique(self):
        assert (np.diff(long_tailed(self.label, ratio=10)) > 0).all()

    def test_seed_decides(self):
        first = long_tailed(self.label, ratio=10, seed=1)
        assert np.array_equal(first, long_tailed(self.label, ratio=10, seed=1))
        assert not np.array_equal(first, long_tailed(self.label, ratio=10, seed=2))

    def test_rows_come_from_everywhere(self):
        label = np.repeat([0, 1], 1000)
        rows = long_tailed(label, ratio=10)
        assert abs(rows[label[rows] == 1].mean() - 1500) < 100
