"""Official parts and folds."""

import numpy as np
import pytest
from made_indices import GROUP, INDEX, LABEL, assert_a_partition, by_class, same_parts

from lightning_imbal.data.splits import KFold, Official, OfficialFold
from lightning_imbal.errors import UserError


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

    @pytest.mark.parametrize("fold", [0, 1, 2])
    def test_the_fold_is_the_test_part(self, fold):
        parts = OfficialFold(fold=fold, val=0.1)(self.index)
        assert_a_partition(parts)
        assert parts["test"].tolist() == np.flatnonzero(self.index["fold"] == fold).tolist()
        assert len(parts["val"]) == pytest.approx(0.1 * (self.index["fold"] != fold).sum(), abs=1)

    @pytest.mark.parametrize(
        ("split", "default"), [(OfficialFold(val=0.2), OfficialFold(0, 0.2, 0)), (KFold(val=0.2), KFold(5, 0, 0.2, 0))]
    )
    def test_it_is_the_first_by_default(self, split, default):
        assert same_parts(split(self.index), default(self.index))

    @pytest.mark.parametrize("fold", [-1, 3])
    def test_fold_out_of_range_is_refused(self, fold):
        with pytest.raises(UserError, match=f"no official fold {fold}: choose one between 0 and 2"):
            OfficialFold(fold=fold)(self.index)
