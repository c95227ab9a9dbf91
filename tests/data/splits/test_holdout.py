"""The random split: stratified, repeatable, with groups in one piece."""

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

from lightning_imbal.data.splits import Holdout
from lightning_imbal.errors import UserError


class TestHoldout:
    def test_fractions_are_of_the_whole(self):
        parts = Holdout(test=0.2, val=0.1)(INDEX)
        assert_a_partition(parts)
        assert by_class(parts["test"]).tolist() == [40, 20, 8, 4]
        assert by_class(parts["val"]).tolist() == [20, 10, 4, 2]
        assert by_class(parts["train"]).tolist() == [140, 70, 28, 14]

    def test_it_is_seven_to_three_by_default(self):
        assert by_class(Holdout()(INDEX)["test"]).tolist() == [60, 30, 12, 6]
        assert same_parts(Holdout()(INDEX), Holdout(test=0.3, val=0.0, seed=0)(INDEX))

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
