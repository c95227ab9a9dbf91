"""The head of CORN: one yes-or-no question for each grade but the last, asked one after the other."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CornHead(nn.Module):
    """CORN: linear answers to "is the grade higher than k, if it is at least k?", as log-probabilities of the grades.

    Shi et al. 2023, "Deep Neural Networks for Rank-Consistent Ordinal Regression Based on Conditional Probabilities"
    (arXiv:2111.08851). A grade has the probability that the questions before it are answered with yes and its own with
    no. The paper answers with their median (it counts the products of yes that are above 1/2), every part here with the
    grade of the largest probability. `linear` has C - 1 outputs.

    Equation:
        z[c] = log p[c] = sum_{k < c} log f[k] + log(1 - f[c])   (f[C - 1] = 0)
        f[k] = sigmoid(w_k.f + b_k) = P(y > k | y >= k)

    Limits:
        It needs classes with an order, from low to high.

    Args:
        in_features: Size of the feature.
        num_classes: Number of classes.
    """

    needs_order = True

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, num_classes - 1)

    def forward(self, feature: Tensor) -> Tensor:
        """Returns log-probabilities (B, C) of features (B, D)."""
        answer = self.linear(feature)
        answer = answer.to(torch.promote_types(answer.dtype, torch.float32))
        grade = torch.arange(answer.shape[1] + 1, device=answer.device)
        yes = grade[:-1] < grade[:, None]  # (C, C - 1): the questions that lie below a grade
        # Not a running sum, which CUDA does not give twice the same; nor logsigmoid: in ONNX it is the logarithm of a
        # rounded sigmoid.
        not_reached = (F.softplus(-answer)[:, None] * yes).sum(dim=2)
        return -not_reached - F.pad(F.softplus(answer), (0, 1))
