"""The sampler oversample to max: what it draws, and what it refuses."""

import torch
from sampler_draws import LABELS

from lightning_imbal.samplers import OversampleToMax


class TestOversampleToMax:
    def test_every_class_is_as_large_as_the_largest(self):
        for epoch in range(3):
            sampler = OversampleToMax(LABELS, seed=0)
            sampler.set_epoch(epoch)
            assert len(sampler) == 17 * 3
            assert torch.bincount(LABELS[list(sampler)]).tolist() == [17, 0, 17, 17]

    def test_images_are_repeated_evenly(self):
        sampler = OversampleToMax(LABELS, seed=0)
        twice_of_class_3 = set()
        for epoch in range(5):
            sampler.set_epoch(epoch)
            repeats = torch.bincount(torch.tensor(list(sampler)), minlength=32)
            assert repeats[LABELS == 0].tolist() == [1] * 17
            assert sorted(repeats[LABELS == 2].tolist()) == [3, 3, 3, 4, 4]
            assert sorted(repeats[LABELS == 3].tolist()) == [1] * 3 + [2] * 7
            twice_of_class_3.add(tuple(((LABELS == 3) & (repeats == 2)).nonzero().flatten().tolist()))
        assert len(twice_of_class_3) > 1

    def test_classes_are_mixed(self):
        drawn = LABELS[list(OversampleToMax(LABELS, seed=0))]
        assert (drawn[1:] != drawn[:-1]).sum() > 17

    def test_balanced_labels_give_a_permutation(self):
        assert sorted(OversampleToMax(torch.tensor([1, 0, 1, 0]), seed=0)) == [0, 1, 2, 3]
