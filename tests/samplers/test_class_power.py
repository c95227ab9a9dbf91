"""The sampler class power: what it draws, and what it refuses."""

import pytest
import torch
from sampler_draws import LABELS, SIZES, frequencies

from lightning_imbal.samplers import ClassPower


class TestClassPower:
    def test_instance_sampling_is_a_permutation(self):
        sampler = ClassPower(LABELS, seed=0)
        assert list(sampler) != list(range(32))
        assert sorted(sampler) == list(range(32))
        assert sorted(ClassPower(LABELS, length=32, seed=0)) == list(range(32))

    @pytest.mark.parametrize("q", [0.0, 0.5, 1.0, -1.0])
    def test_frequencies(self, q: float):
        drawn = torch.tensor(list(ClassPower(LABELS, q=q, length=200_000, seed=0)))
        power = torch.tensor([SIZES[c] ** q if c in SIZES else 0.0 for c in range(4)])
        expected = power / power.sum()
        torch.testing.assert_close(frequencies(LABELS[drawn], 4), expected, rtol=0, atol=0.01)
        sizes = torch.bincount(LABELS)
        torch.testing.assert_close(frequencies(drawn, 32), (expected / sizes)[LABELS], rtol=0, atol=0.003)

    def test_empty_class_takes_no_share(self):
        drawn = LABELS[list(ClassPower(LABELS, q=0, length=200_000, seed=0))]
        assert drawn.unique().tolist() == [0, 2, 3]

    @pytest.mark.parametrize("q", [0.0, 1.0])
    def test_length(self, q: float):
        assert len(list(ClassPower(LABELS, q=q))) == 32
        assert len(list(ClassPower(LABELS, q=q, length=7))) == 7
        assert len(list(ClassPower(LABELS, q=q, length="max"))) == 17 * 3
        with pytest.raises(ValueError, match="length must be at least 1"):
            ClassPower(LABELS, q=q, length=0)

    def test_balanced_labels_of_length_max_are_shuffled(self):
        assert sorted(ClassPower(torch.tensor([1, 0, 1, 0]), length="max")) == [0, 1, 2, 3]
