"""Learnable weight scaling."""

from typing import Any

import torch
from torch import Tensor, nn


class LearnableScale(nn.Linear):
    """Learnable weight scaling (LWS): a fixed linear classifier whose logits, bias included, have a learned scale each.

    Kang et al. 2020, "Decoupling Representation and Classifier for Long-Tailed Recognition", Section 4. It takes the
    state of a `torch.nn.Linear` as well as its own.

    Equation:
        z[c] = s_c (w_c.f + b_c),   of which only s is learned

    Limits:
        It learns one number for each class: what the classifier of the first stage confuses for other reasons stays
        confused. That one must be linear.

    Args:
        in_features: Size of the feature.
        num_classes: Number of classes.
    """

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__(in_features, num_classes)
        self.requires_grad_(False)
        self.scale = nn.Parameter(torch.ones(num_classes))
        self.register_load_state_dict_pre_hook(_keep_missing_scale)

    def forward(self, feature: Tensor) -> Tensor:
        """Returns logits (B, C) of features (B, D)."""
        return self.scale * super().forward(feature)


def _keep_missing_scale(head: LearnableScale, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
    state_dict.setdefault(f"{prefix}scale", head.scale.detach())
