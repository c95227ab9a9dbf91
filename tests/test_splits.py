import numpy as np
import pandas as pd
import pytest

from lightning_imbal.data.splits import Holdout, IdLists, KFold, Official, OfficialFold
from lightning_imbal.data.splits.groups import group_ids, torn_groups
from lightning_imbal.data.splits.long_tail import long_tailed, long_tailed_counts
from lightning_imbal.errors import UserError

SIZES = np.array([200, 100, 40, 20])
LABEL = np.random.default_rng(0).permutation(np.repeat(np.arange(4), SIZES))
# Groups of one, two, three or four images; the images of a group are of one class, and apart in the table.
NUMBER_IN_CLASS = np.array([np.count_nonzero(LABEL[:row] == label) for row, label in enumerate(LABEL)])
GROUP_OF_NUMBER = np.repeat(np.arange(200), np.resize([1, 2, 3, 4], 200))
GROUP = np.array([f"{label}-{i}" for label, i in zip(LABEL, GROUP_OF_NUMBER[NUMBER_IN_CLASS], strict=True)])


def index_of(label):
    return pd.DataFrame({"image": [f"image_{row}" for row in range(len(label))], "label": label})


INDEX = index_of(LABEL)


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
        parts = Holdout(test=0.2, val=0.1)(INDEX)
        assert_a_partition(parts)
        assert by_class(parts["test"]).tolist() == [40, 20, 8, 4]
        assert by_class(parts["val"]).tolist() == [20, 10, 4, 2]
        assert by_class(parts["train"]).tolist() == [140, 70, 28, 14]

    @pytest.mark.parametrize("test", [0.3, 0.33, 0.07])
    def test_stratified_to_within_one_image(self, test):
        parts = Holdout(test=test)(INDEX)
        assert_a_partition(parts)
        assert len(parts["val"]) == 0
        assert abs(len(parts["test"]) - test * len(LABEL)) <= 1
        assert (abs(by_class(parts["test"]) - test * SIZES) <= 1).all()

    @pytest.mark.parametrize("group", [None, GROUP], ids=["images", "groups"])
    def test_seed_decides(self, group):
        first = Holdout(val=0.1, seed=1)(INDEX, group)
        assert same_parts(first, Holdout(val=0.1, seed=1)(INDEX, group))
        assert not np.array_equal(first["test"], Holdout(val=0.1, seed=2)(INDEX, group)["test"])

    def test_global_random_state_has_no_say(self):
        np.random.seed(0)
        first = Holdout(val=0.1)(INDEX)
        np.random.seed(1)
        assert same_parts(first, Holdout(val=0.1)(INDEX))

    @pytest.mark.parametrize("test, val", [(0.0, 0.1), (1.0, 0.0), (0.6, 0.4), (-0.1, 0.0), (0.3, -0.1), (30, 0)])
    def test_impossible_fractions_are_refused(self, test, val):
        with pytest.raises(UserError, match=f"test={test} and val={val}.*fractions of the whole"):
            Holdout(test=test, val=val)

    def test_class_with_one_image_is_refused(self):
        with pytest.raises(UserError, match="give every class at least two images"):
            Holdout()(index_of([0] * 20 + [1]))

    def test_group_stays_on_one_side(self):
        parts = Holdout(test=0.3, val=0.1)(INDEX, GROUP)
        assert_a_partition(parts)
        assert_no_shared_group(parts)
        for name, fraction in {"test": 0.3, "val": 0.1, "train": 0.6}.items():
            share = by_class(parts[name]) / SIZES
            assert np.allclose(share[:3], fraction, atol=0.05), name
            assert abs(share[3] - fraction) <= 0.15, name

    def test_without_groups_they_are_torn(self):
        with pytest.raises(AssertionError):
            assert_no_shared_group(Holdout(test=0.3)(INDEX))


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


class TestOfficial:
    part = np.resize(["train", "train", "train", "test", ""], len(LABEL))
    index = INDEX.assign(official=part)

    def test_parts_are_those_of_the_data_set(self):
        parts = Official()(self.index)
        assert {name: rows.tolist() for name, rows in parts.items()} == {
            name: np.flatnonzero(self.part == name).tolist() for name in ("train", "val", "test")
        }

    @pytest.mark.parametrize("group", [None, GROUP], ids=["images", "groups"])
    def test_validation_part_comes_from_the_training_part(self, group):
        plain, parts = Official()(self.index), Official(val=0.2, seed=1)(self.index, group)
        assert np.array_equal(parts["test"], plain["test"])
        assert sorted([*parts["train"], *parts["val"]]) == plain["train"].tolist()
        assert np.allclose(by_class(parts["val"]) / by_class(plain["train"]), 0.2, atol=0.05 if group is None else 0.15)
        assert not set(GROUP[parts["val"]]) & set(GROUP[parts["train"]]) or group is None

    def test_an_official_validation_part_comes_first(self):
        index = INDEX.assign(official=np.resize(["train", "val", "test"], len(LABEL)))
        assert same_parts(Official(val=0.1)(index), Official()(index))

    @pytest.mark.parametrize("split", [Official(), OfficialFold()], ids=["parts", "folds"])
    def test_data_without_one_is_refused(self, split):
        with pytest.raises(UserError, match="no official .*such as Holdout or KFold"):
            split(INDEX)

    @pytest.mark.parametrize("make", [Official, OfficialFold, KFold])
    def test_impossible_fraction_is_refused(self, make):
        with pytest.raises(UserError, match="val=10 is no fraction"):
            make(val=10)


class TestOfficialFold:
    index = INDEX.assign(fold=np.resize([0, 1, 2], len(LABEL)))

    def test_the_fold_is_the_test_part(self):
        parts = OfficialFold(fold=1, val=0.1)(self.index)
        assert_a_partition(parts)
        assert parts["test"].tolist() == np.flatnonzero(self.index["fold"] == 1).tolist()
        assert len(parts["val"]) == pytest.approx(0.1 * (self.index["fold"] != 1).sum(), abs=1)

    @pytest.mark.parametrize("fold", [-1, 3])
    def test_fold_out_of_range_is_refused(self, fold):
        with pytest.raises(UserError, match=f"no official fold {fold}: choose one between 0 and 2"):
            OfficialFold(fold=fold)(self.index)


class TestIdLists:
    @pytest.fixture
    def make(self, tmp_path):
        def make(**rows):
            files = {name: tmp_path / f"{name}.csv" for name in rows}
            for name, file in files.items():
                INDEX.iloc[rows[name]][["image", "label"]].to_csv(file, index=False)
            return IdLists(**{name: str(file) for name, file in files.items()})

        return make

    def test_rows_of_the_lists(self, make):
        parts = make(train=[5, 3], test=[9], val=[0, 7])(INDEX)
        assert {name: rows.tolist() for name, rows in parts.items()} == {"train": [3, 5], "test": [9], "val": [0, 7]}
        assert len(make(train=[5, 3], test=[9])(INDEX)["val"]) == 0

    def test_image_in_two_lists_is_refused(self, make):
        with pytest.raises(UserError, match="name image_3 more than once \\(1 such images\\)"):
            make(train=[5, 3], test=[3])(INDEX)

    def test_image_that_is_not_there_is_refused(self, make):
        with pytest.raises(UserError, match="test.csv names 1 images.*the first is image_9: .* such as image_0"):
            make(train=[5, 3], test=[9])(INDEX[:9])

    def test_file_without_ids_is_refused(self, tmp_path, make):
        split = make(train=[5], test=[9])
        (tmp_path / "test.csv").write_text("id,label\n1,2\n")
        with pytest.raises(UserError, match="test.csv has no column 'image', only 'id', 'label'"):
            split(INDEX)
        (tmp_path / "test.csv").unlink()
        with pytest.raises(UserError, match="no file .*test.csv"):
            split(INDEX)


class TestGroups:
    def test_torn_groups_are_found(self):
        part = pd.Series(["train", "test", "val", "train", "", "test"])
        group = np.array(["a", "b", "b", "a", "a", "c"])
        assert torn_groups(part, group).tolist() == ["b"]
        assert torn_groups(pd.Series(Holdout().part_of_rows(INDEX, GROUP)), GROUP).empty

    def test_image_without_group_is_on_its_own(self):
        group = group_ids(INDEX[:4].assign(group=["a", None, np.nan, "a"]), "lesion", "lesion", "Data")
        assert group[0] == group[3] and len(set(group)) == 3


def keep(label, ratio, seed=0, **kwargs):
    return long_tailed(label, long_tailed_counts(np.bincount(label), ratio, **kwargs), seed)


class TestLongTailed:
    label = np.random.default_rng(0).permutation(np.repeat(np.arange(9), [936] + [1200] * 8))

    def test_counts_are_exactly_exponential(self):
        rows = keep(self.label, ratio=100)
        expected = [round(936 * 100 ** (-i / 8)) for i in range(9)]
        assert expected[0] == 936 and expected[-1] == 9
        assert np.bincount(self.label[rows]).tolist() == expected

    def test_a_small_class_scales_the_whole_profile(self):
        label = np.repeat([0, 1, 2], [1000, 50, 1000])
        assert np.bincount(label[keep(label, ratio=4)]).tolist() == [100, 50, 25]

    def test_ratio_one_keeps_balanced_data(self):
        label = np.tile(np.arange(5), 20)
        assert keep(label, ratio=1).tolist() == list(range(100))

    def test_rows_are_sorted_and_unique(self):
        assert (np.diff(keep(self.label, ratio=10)) > 0).all()

    def test_seed_decides(self):
        first = keep(self.label, ratio=10, seed=1)
        assert np.array_equal(first, keep(self.label, ratio=10, seed=1))
        assert not np.array_equal(first, keep(self.label, ratio=10, seed=2))

    def test_rows_come_from_everywhere(self):
        label = np.repeat([0, 1], 1000)
        rows = keep(label, ratio=10)
        assert abs(rows[label[rows] == 1].mean() - 1500) < 100


class TestLongTailedCounts:
    def test_exponential_profile_of_path_mnist(self):
        counts = np.array([9366, 9509, 10360, 10401, 8006, 12182, 7886, 9401, 12885])
        assert long_tailed_counts(counts, 100).tolist() == [9366, 5267, 2962, 1666, 937, 527, 296, 167, 94]

    def test_pareto_profile(self):
        counts = long_tailed_counts(np.full(4, 1280), 128, "pareto")
        assert counts.tolist() == [round(1280 * (1 + k / 3) ** -7) for k in range(4)]
        assert counts[0] == 128 * counts[-1]

    def test_order_of_size(self):
        counts = long_tailed_counts(np.array([10, 1000, 100]), 100, order="size")
        assert counts.tolist() == [10, 1000, 100]
        assert long_tailed_counts(np.array([10, 1000, 100]), 100).tolist() == [10, 1, 1]

    def test_no_class_vanishes(self):
        assert long_tailed_counts(np.array([3, 3, 3]), 1000).tolist() == [3, 1, 1]

    def test_ratio_below_one_is_refused(self):
        with pytest.raises(UserError, match="at least 1 .*not 0.5"):
            long_tailed_counts(np.array([3, 3]), 0.5)
