"""What every loss refuses."""

import pytest
import torch
from loss_oracles import COUNTS

from lightning_imbal.losses import CrossEntropy, ImbalancedLoss


class TestImbalancedLoss:
    def test_is_abstract(self):
        with pytest.raises(TypeError, match="abstract"):
            ImbalancedLoss(COUNTS)

    def test_counts_are_a_float64_buffer(self):
        loss = CrossEntropy(COUNTS)
        assert dict(loss.named_buffers())["class_counts"].dtype == torch.float64
        assert loss.class_counts.tolist() == COUNTS.tolist()

    def test_empty_classes_are_named(self):
        with pytest.raises(ValueError, match="class label 1, 3:"):
            CrossEntropy(torch.tensor([5, 0, 2, 0]))

    def test_set_epoch_is_accepted(self):
        CrossEntropy(COUNTS).set_epoch(1, max_epochs=10)
