"""The head of CORAL: one score for all grades, and a threshold between each two of them."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FIRST_STEP = 2.0  # nearer than 2 log 2, a grade between two others never has the largest probability
LEAST_STEP = 1e-6  # between two thresholds: a grade keeps a probability whose logarithm is a number


class CoralHead(nn.Module):
    """CORAL: a single linear score and ordered thresholds, as log-probabilities of the grades.

    Cao et al. 2020, "Rank Consistent Ordinal Regression for Neural Networks with Application to Age Estimation"
    (arXiv:1901.07884): all questions "is the grade higher than k?" share one weight vector and have a bias each. Their
    answers make probabilities of grades only if the biases fall with k. The paper shows that at the optimum they do
    (Theorem 1), and learns them freely; here they always fall: each is the one before it minus a positive step. The
    authors' code starts them 1 / (C - 1) apart, and answers with the median grade. Here every part answers with the
    grade of the largest probability, which a middle one cannot have then: they start 2 apart.

    Equation:
        z[c] = log p[c] = log(P(y > c - 1) - P(y > c))
        P(y > -1) = 1,   P(y > C - 1) = 0
        P(y > k) = sigmoid(w.f + b_k),   b_k = b_0 - sum_{j <= k} softplus(s_j)

    Limits:
        It needs classes with an order, from low to high, that one score can tell: what sets two grades apart must be
        more, or less, of the same.

    Args:
        in_features: Size of the feature.
        num_classes: Number of classes.
    """

    needs_order = True

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.score = nn.Linear(in_features, 1)
        nn.init.constant_(self.score.bias, FIRST_STEP * (num_classes - 2) / 2)
        self.raw_step = nn.Parameter(torch.full((num_classes - 2,), math.log(math.expm1(FIRST_STEP))))

    def forward(self, feature: Tensor) -> Tensor:
        """Returns log-probabilities (B, C) of features (B, D)."""
        score = self.score(feature)
        score = score.to(torch.promote_types(score.dtype, torch.float32))
        step = F.softplus(self.raw_step) + LEAST_STEP
        question = torch.arange(len(step) + 1, device=step.device)
        higher = score - (step * (question[:-1] < question[:, None])).sum(dim=1)  # logits of P(y > k), (B, C - 1)
        # sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)), 1 - exp(-s) = tanh(s / 2) (1 + exp(-s)): no
        # difference of near numbers. Not logsigmoid: in ONNX it is the logarithm of a rounded sigmoid.
        between = F.pad((step / 2).tanh().log() + F.softplus(-step), (1, 1))
        return between - F.pad(F.softplus(-higher), (1, 0)) - F.pad(F.softplus(higher), (0, 1))
