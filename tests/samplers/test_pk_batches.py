"""The sampler pk batches: what it draws, and what it refuses."""

import pytest
import torch
from sampler_draws import LABELS, SIZES, draw, frequencies

from lightning_imbal.samplers.pk_batches import PKBatches


class TestPKBatches:
    @pytest.mark.parametrize("classes, samples", [(1, 3), (2, 5), (3, 4), (3, 12)])
    def test_batches(self, classes: int, samples: int):
        sampler = PKBatches(LABELS, classes, samples, length=1000, seed=0)
        assert sampler.batch_size == classes * samples
        for batch in draw(sampler, 0).split(sampler.batch_size):
            drawn_classes = LABELS[batch].unique()
            assert len(drawn_classes) == classes
            for label in drawn_classes.tolist():
                repeats = batch[LABELS[batch] == label].unique(return_counts=True)[1]
                assert repeats.sum() == samples
                assert len(repeats) == min(samples, SIZES[label])
                assert repeats.max() - repeats.min() <= 1

    def test_classes_are_chosen_uniformly(self):
        drawn = draw(PKBatches(LABELS, classes=2, samples=1, length=100_000, seed=0), 0)
        pairs = LABELS[drawn].view(-1, 2)
        torch.testing.assert_close(frequencies(pairs[:, 0], 4), torch.tensor([1, 0, 1, 1]) / 3, rtol=0, atol=0.01)
        of_pair = frequencies(pairs[:, 0] * 4 + pairs[:, 1], 16)
        torch.testing.assert_close(of_pair[of_pair > 0], torch.ones(6) / 6, rtol=0, atol=0.01)

    def test_images_come_again_only_when_the_class_is_used_up(self):
        drawn = draw(PKBatches(LABELS, classes=2, samples=4, length=400, seed=0), 0)
        for label, size in SIZES.items():
            of_class = drawn[LABELS[drawn] == label]
            assert of_class[:size].unique().numel() == size
            assert torch.equal(of_class[size:], of_class[:-size])

    def test_all_images_are_used_over_the_epochs(self):
        sampler = PKBatches(LABELS, classes=2, samples=4, seed=0)
        assert torch.cat([draw(sampler, epoch) for epoch in range(20)]).unique().numel() == 32

    def test_length_is_that_of_whole_batches(self):
        assert len(list(PKBatches(LABELS, 2, 5))) == 30
        assert len(list(PKBatches(LABELS, 2, 5, length=49))) == 40
        assert len(list(PKBatches(LABELS, 3, 12))) == 36
        with pytest.raises(ValueError, match="length must be at least 1"):
            PKBatches(LABELS, 2, 5, length=0)

    def test_refused_batches(self):
        with pytest.raises(ValueError, match="cannot have 4 classes, for only 3 have images"):
            PKBatches(LABELS, classes=4, samples=2)
        for classes, samples in [(0, 2), (2, 0)]:
            with pytest.raises(ValueError, match=f"must be at least 1, but are {classes} and {samples}"):
                PKBatches(LABELS, classes, samples)
