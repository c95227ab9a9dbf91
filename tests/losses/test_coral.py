"""The loss of CORAL against its authors' library, a slow oracle, its limits and its edge cases."""

import math

import pytest
import torch
import torch.nn.functional as F
from coral_pytorch.dataset import levels_from_labelbatch
from coral_pytorch.losses import coral_loss
from loss_oracles import COUNTS, random_logits, softmax, value_of, weighted_or_not

from lightning_imbal.losses import CoralLoss

GRADES = torch.tensor([50, 5, 30, 10, 5])
# By the images above and up to each grade but the last: 50 and 50, 55 and 45, 85 and 15, 95 and 5.
BY_IMBALANCE = [(n / 95) ** 0.5 for n in (50, 55, 85, 95)]


def log_of_grades(task_logits):
    """Log-probabilities of the grades, (B, C), from falling logits of "is it higher than k?", (B, C - 1)."""
    higher = F.pad(F.pad(torch.sigmoid(task_logits), (1, 0), value=1.0), (0, 1))
    return (higher[:, :-1] - higher[:, 1:]).log()


class TestCoralLoss:
    @weighted_or_not
    @pytest.mark.parametrize("importance, task_weight", [("uniform", [1.0] * 4), ("imbalance", BY_IMBALANCE)])
    def test_against_the_equation(self, importance, task_weight, sample_weight):
        logits, label = random_logits(num_classes=5)
        total = 0.0
        for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight or [1.0] * 8, strict=True):
            p = softmax(row)
            for k in range(4):
                total -= w * task_weight[k] * math.log(sum(p[k + 1 :]) if y > k else sum(p[: k + 1]))
        value = value_of(CoralLoss(GRADES, importance), sample_weight, logits, label)
        assert value == pytest.approx(total / 8, abs=1e-10)

    @pytest.mark.parametrize("importance, task_weight", [("uniform", None), ("imbalance", BY_IMBALANCE)])
    def test_is_that_of_the_authors_library(self, importance, task_weight):
        scores, label = random_logits(num_classes=5)
        task_logits = scores[:, :1] + torch.tensor([1.0, 0.4, 0.3, -1.5], dtype=torch.float64)
        weight = None if task_weight is None else torch.tensor(task_weight, dtype=torch.float64)
        expected = coral_loss(task_logits, levels_from_labelbatch(label, 5), weight)
        torch.testing.assert_close(CoralLoss(GRADES, importance)(log_of_grades(task_logits), label), expected)

    def test_two_classes_are_cross_entropy(self):
        logits, label = random_logits(num_classes=2)
        torch.testing.assert_close(CoralLoss(COUNTS[:2])(logits, label), F.cross_entropy(logits, label))

    def test_far_errors_cost_more(self):
        logits = 4.0 * torch.eye(5)[:1]
        terms = [CoralLoss(GRADES)(logits, torch.tensor([label])).item() for label in range(5)]
        assert terms == sorted(terms) and terms[1] - terms[0] > 2

    def test_importance_outside_its_range(self):
        with pytest.raises(ValueError, match="^importance must be uniform or imbalance, but is 'equal'"):
            CoralLoss(GRADES, importance="equal")
