"""tau-normalised classifier."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.heads.base import ClosedFormHead


class TauNormalized(ClosedFormHead):
    """tau-normalised classifier: a trained linear one without its bias, weights divided by the tau-th power of norms.

    Kang et al. 2020, "Decoupling Representation and Classifier for Long-Tailed Recognition", Section 4. It takes the
    state of a `torch.nn.Linear` as well as its own; `weight`, shape (C, D), stays as it was loaded.

    Equation:
        z[c] = w_c.f / ||w_c||^tau

    Limits:
        It needs a validation part to choose tau (`--data.split.val 0.1`), or tau given. It helps where rare classes
        have the shorter weights.

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

    def check(self, count: Callable[[str], int]) -> None:
        if self.given_tau is None and not count("val"):
            raise ValueError(
                "TauNormalized chooses tau on the validation part, but there is none: give the split one "
                "(data.split.val=0.1), or the head its tau."
            )

    @property
    def chosen_on_validation(self) -> dict[str, str]:
        return {} if self.given_tau is not None else {"tau": "balanced accuracy"}

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


def _take_linear(head: TauNormalized, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
    state_dict.pop(f"{prefix}bias", None)
    state_dict.setdefault(f"{prefix}tau", head.tau)
