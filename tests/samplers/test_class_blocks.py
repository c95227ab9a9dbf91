"""The sampler class blocks: what it draws, and what it refuses."""

import pytest
import torch
from sampler_draws import LABELS, SIZES, draw

from lightning_imbal.samplers.class_blocks import ClassBlocks


class TestClassBlocks:
    def test_each_cycle_visits_each_class_once(self):
        sampler = ClassBlocks(LABELS, length=12 * 20, seed=0)
        label = LABELS[draw(sampler, 0)].view(20, 3, 4)
        assert torch.equal(label, label[:, :, :1].expand(-1, -1, 4))
        assert label[:, :, 0].sort(dim=1).values.unique(dim=0).tolist() == [[0, 2, 3]]
        assert label[:, :, 0].unique(dim=0).shape == (6, 3)

    @pytest.mark.parametrize("per_class", [1, 4, 7])
    def test_images_come_again_only_when_the_class_is_used_up(self, per_class: int):
        drawn = draw(ClassBlocks(LABELS, per_class, length=500, seed=0), 0)
        for label, size in SIZES.items():
            of_class = drawn[LABELS[drawn] == label]
            assert of_class[:size].unique().numel() == size
            assert torch.equal(of_class[size:], of_class[:-size])

    def test_epochs_shuffle_anew(self):
        sampler = ClassBlocks(LABELS, seed=0)
        orders = set()
        for epoch in range(5):
            drawn = draw(sampler, epoch)
            orders.add(tuple(drawn[LABELS[drawn] == 2][:5].tolist()))
        assert len(orders) > 1

    def test_length(self):
        assert len(list(ClassBlocks(LABELS))) == 17 * 3
        assert len(list(ClassBlocks(LABELS, length=None))) == 32
        assert len(list(ClassBlocks(LABELS, length=7))) == 7
        with pytest.raises(ValueError, match="length must be at least 1"):
            ClassBlocks(LABELS, length=0)
        with pytest.raises(ValueError, match="per_class must be at least 1"):
            ClassBlocks(LABELS, per_class=0)
