"""The loss of CORN against its authors' library, a slow oracle and its limits."""

import math

import pytest
import torch
import torch.nn.functional as F
from coral_pytorch.losses import corn_loss
from loss_oracles import COUNTS, random_logits, softmax, value_of, weighted_or_not

from lightning_imbal.heads import CornHead
from lightning_imbal.losses import CornLoss


class TestCornLoss:
    @weighted_or_not
    def test_against_the_equation(self, sample_weight):
        logits, label = random_logits(num_classes=4)
        total, questions = 0.0, 0
        for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True):
            p = softmax(row)
            for k in range(min(y + 1, 3)):  # asked of the grades k and higher
                higher = sum(p[k + 1 :]) / sum(p[k:])
                total -= w * math.log(higher if y > k else 1 - higher)
                questions += 1
        counts = torch.tensor([9, 5, 2, 1])
        assert value_of(CornLoss(counts), sample_weight, logits, label) == pytest.approx(total / questions, abs=1e-10)

    def test_is_that_of_the_authors_library(self):
        torch.manual_seed(0)
        head, feature, label = CornHead(6, 5).double(), torch.randn(9, 6).double(), torch.arange(9) % 5
        loss = CornLoss(torch.ones(5))(head(feature), label)
        torch.testing.assert_close(loss, corn_loss(head.linear(feature), label, 5))
        found = torch.autograd.grad(loss, head.linear.weight)[0]
        expected = torch.autograd.grad(corn_loss(head.linear(feature), label, 5), head.linear.weight)[0]
        torch.testing.assert_close(found, expected)

    def test_two_classes_are_cross_entropy(self):
        logits, label = random_logits(num_classes=2)
        torch.testing.assert_close(CornLoss(COUNTS[:2])(logits, label), F.cross_entropy(logits, label))
