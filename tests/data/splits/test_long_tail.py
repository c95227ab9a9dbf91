"""Long-tailed subsampling: its counts and its rows."""

import numpy as np
import pytest

from lightning_imbal.data.splits.long_tail import long_tailed, long_tailed_counts
from lightning_imbal.errors import UserError


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

    @pytest.mark.parametrize(("counts", "expected"), [([80], [80]), ([80, 80], [80, 20])])
    def test_one_class_and_two(self, counts, expected):
        assert long_tailed_counts(np.array(counts), 4).tolist() == expected

    def test_order_of_size(self):
        counts = long_tailed_counts(np.array([10, 1000, 100]), 100, order="size")
        assert counts.tolist() == [10, 1000, 100]
        assert long_tailed_counts(np.array([10, 1000, 100]), 100).tolist() == [10, 1, 1]

    def test_no_class_vanishes(self):
        assert long_tailed_counts(np.array([3, 3, 3]), 1000).tolist() == [3, 1, 1]

    def test_ratio_below_one_is_refused(self):
        with pytest.raises(UserError, match="at least 1 .*not 0.5"):
            long_tailed_counts(np.array([3, 3]), 0.5)
