"""Classifier heads beside `torch.nn.Linear`: feature in, logits out."""

from abc import ABC, abstractmethod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def scaled_cosine(feature: Tensor, direction: Tensor, scale: float) -> Tensor:
    """Returns scale * cosine, shape (B, C), of features (B, D) and class directions (C, D), in float32 or better.

    Half precision would round scores of 30 to steps of 1/64 or 1/8. A vector of length 0 has the cosine 0.
    """
    with torch.autocast(device_type=feature.device.type, enabled=False):
        feature = feature.to(torch.promote_types(feature.dtype, torch.float32))
        direction = direction.to(feature.dtype)
        return scale * F.linear(F.normalize(feature, dim=1), F.normalize(direction, dim=1))


class NormedLinear(nn.Module):
    """Cosine classifier: scale * cosine of the feature and the weight of each class, without bias.

    The head of LDAM, Cao et al. 2019, "Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss",
    Section 3.2. `weight` has shape (in_features, num_classes) and starts with random columns of unit length.

    Args:
        in_features: Size of the feature.
        num_classes: Number of classes.
        scale: Factor of the cosine: the same as that of the loss.

    Raises:
        ValueError: `scale` is not positive.
    """

    def __init__(self, in_features: int, num_classes: int, scale: float = 30.0) -> None:
        super().__init__()
        _check_scale(scale)
        weight = torch.empty(in_features, num_classes).uniform_(-1, 1)
        self.weight = nn.Parameter(F.normalize(weight, dim=0))
        self.scale = scale

    def forward(self, feature: Tensor) -> Tensor:
        """Returns logits (B, C) of features (B, D)."""
        return scaled_cosine(feature, self.weight.T, self.scale)


class LearnableScale(nn.Linear):
    """Learnable weight scaling (LWS): a fixed linear classifier whose logits, bias included, have a learned scale each.

    Kang et al. 2020, "Decoupling Representation and Classifier for Long-Tailed Recognition", Section 4. It takes the
    state of a `torch.nn.Linear` as well as its own.

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


class ClosedFormHead(nn.Module, ABC):
    """A head that is computed from features rather than trained by gradient; it has no parameters, only buffers."""

    @abstractmethod
    def solve(self, train: tuple[Tensor, Tensor], val: tuple[Tensor, Tensor] | None) -> None:
        """Computes the head.

        Args:
            train: Features (N, D) and labels (N,) of the training part.
            val: Those of the validation part, or None if the split has none.
        """

    @abstractmethod
    def forward(self, feature: Tensor) -> Tensor:
        """Returns logits (B, C) of features (B, D)."""


class NearestClassMean(ClosedFormHead):
    """Nearest class mean (NCM): scale * cosine of the feature and the mean training feature of each class.

    Kang et al. 2020, "Decoupling Representation and Classifier for Long-Tailed Recognition", Section 4. The features
    are averaged as they are, the means brought to unit length: `class_mean`, shape (C, D), 0 until it is solved.

    Args:
        in_features: Size of the feature.
        num_classes: Number of classes.
        scale: Factor of the cosine; it does not change which class wins.

    Raises:
        ValueError: `scale` is not positive, or, in `solve`, a class has no training feature.
    """

    class_mean: Tensor

    def __init__(self, in_features: int, num_classes: int, scale: float = 30.0) -> None:
        super().__init__()
        _check_scale(scale)
        self.register_buffer("class_mean", torch.zeros(num_classes, in_features))
        self.scale = scale

    @torch.no_grad()
    def solve(self, train: tuple[Tensor, Tensor], val: tuple[Tensor, Tensor] | None) -> None:
        feature, label = train
        count = label.bincount(minlength=len(self.class_mean))
        empty = (count == 0).nonzero().flatten().tolist()
        if empty:
            raise ValueError(
                f"No training feature has class label {', '.join(map(str, empty))}: "
                "NearestClassMean needs training images of every class."
            )
        total = torch.zeros_like(self.class_mean, dtype=torch.float64, device=feature.device)
        mean = total.index_add_(0, label, feature.to(torch.float64)) / count[:, None]
        self.class_mean.copy_(F.normalize(mean, dim=1))

    def forward(self, feature: Tensor) -> Tensor:
        return scaled_cosine(feature, self.class_mean, self.scale)


class TauNormalized(ClosedFormHead):
    """tau-normalised classifier: a trained linear one without its bias, weights divided by the tau-th power of norms.

    Kang et al. 2020, "Decoupling Representation and Classifier for Long-Tailed Recognition", Section 4. It takes the
    state of a `torch.nn.Linear` as well as its own; `weight`, shape (C, D), stays as it was loaded.

    Args:
        in_features: Size of the feature.
        num_classes: Number of classes.
        tau: 0 leaves the weights as they are, 1 gives them all unit length. None chooses among 0, 0.1, ... 2 the first
            with the best balanced accuracy on the validation part. The buffer `tau` keeps the value in use, 0 until
            it is chosen.

    Raises:
        ValueError: `tau` is negative, or, in `solve`, no weights were loaded or a validation part is missing.
    """

    weight: Tensor
    tau: Tensor

    def __init__(self, in_features: int, num_classes: int, tau: float | None = None) -> None:
        super().__init__()
        if tau is not None and not tau >= 0:
            raise ValueError(f"tau must not be negative, but is {tau}.")
        self.register_buffer("weight", torch.zeros(num_classes, in_features))
        self.register_buffer("tau", torch.tensor(0.0 if tau is None else tau, dtype=torch.float64))
        self.given_tau = tau
        self.register_load_state_dict_pre_hook(_take_linear)

    @torch.no_grad()
    def solve(self, train: tuple[Tensor, Tensor], val: tuple[Tensor, Tensor] | None) -> None:
        if not self.weight.any():
            raise ValueError("TauNormalized has no weights to normalise: load those of a trained linear classifier.")
        if self.given_tau is not None:
            self.tau.fill_(self.given_tau)
        elif val is None or len(val[1]) == 0:
            raise ValueError("TauNormalized chooses tau on a validation part: give the split one or set tau.")
        else:
            self.tau.copy_(self._best_tau(*val))

    def forward(self, feature: Tensor) -> Tensor:
        return F.linear(feature, self.weight / self._norm()[:, None] ** self.tau)

    def _norm(self) -> Tensor:
        return self.weight.norm(dim=1).clamp(min=1e-12)

    def _best_tau(self, feature: Tensor, label: Tensor) -> Tensor:
        label = label.to(self.weight.device)
        grid = torch.arange(21, dtype=torch.float64, device=label.device) / 10
        logits = F.linear(feature.to(label.device, torch.float64), self.weight.to(torch.float64))
        logits = logits / self._norm().to(torch.float64) ** grid[:, None, None]  # (21, N, C)
        hit = (logits.argmax(dim=2) == label).to(torch.float64)
        count = label.bincount(minlength=len(self.weight))
        recall = hit.new_zeros(len(grid), len(count)).index_add_(1, label, hit) / count.clamp(min=1)
        # A class absent from the validation part adds 0 to each sum, so the sum has the maximum of the mean.
        return grid[recall.sum(dim=1).argmax()]


def _check_scale(scale: float) -> None:
    if not scale > 0:
        raise ValueError(f"scale must be positive, but is {scale}.")


def _keep_missing_scale(head: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
    state_dict.setdefault(f"{prefix}scale", head.scale.detach())


def _take_linear(head: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
    state_dict.pop(f"{prefix}bias", None)
    state_dict.setdefault(f"{prefix}tau", head.tau)
