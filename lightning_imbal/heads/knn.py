"""k nearest neighbours among the training features."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.heads.base import ClosedFormHead
from lightning_imbal.heads.cosine import scaled_cosine

NUMBERS = (10, 20, 100, 200)  # of neighbours, as the code of DINO tries
LEAST = 1e-6  # probability of a class that no neighbour has
ROWS = 1024  # validation features that are compared at once


class KNearest(ClosedFormHead):
    """The votes of the k training features that are nearest by angle, each weighted by how near it is.

    The protocol of Caron et al. 2021, "Emerging Properties in Self-Supervised Vision Transformers" (DINO), Section 4.1
    and code: k = 20, temperature 0.07. With `exponent`, votes for frequent classes count less, as
    in Tan 2005, "Neighbor-weighted K-nearest neighbor for unbalanced text corpus" (NWKNN), Eq. 3.

    It keeps the training features, of unit length: a checkpoint or ONNX file is larger by 4 bytes for each number,
    36 MB for 7,000 images and 1,280 features.

    Equation:
        z[c] = log(max(p[c], 1e-6)),   p[c] = v[c] / sum_k v[k]
        v[c] = w[c] sum_{i near, y_i = c} exp(cos(f, f_i) / temperature)
        near: the k nearest training features, by angle
        w[c] = 1, or (min_k n_k / n_c)^(1 / exponent)

    Limits:
        A class with fewer than half of the neighbours' weight never wins, however near they are: rare classes need a
        small k, or `exponent`. Its probabilities are shares of votes: calibrate them.

    Args:
        in_features: Size of the feature.
        num_classes: Number of classes.
        k: Number of neighbours. None chooses among 10, 20, 100 and 200 the first with the best balanced accuracy on the
            validation part. The buffer `k` keeps the number in use.
        temperature: Of the weights of neighbours.
        exponent: More than 1; the nearer to 1, the less do frequent classes count. None: all classes count the same.

    Raises:
        ValueError: An argument is no such number, or, in `solve`, a validation part is missing.
    """

    bank: Tensor
    label: Tensor
    k: Tensor
    class_weight: Tensor

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        k: int | None = 20,
        temperature: float = 0.07,
        exponent: float | None = None,
    ) -> None:
        super().__init__()
        if k is not None and k < 1:
            raise ValueError(f"k must be at least 1, or null to choose it on the validation part, but is {k}.")
        if not temperature > 0:
            raise ValueError(f"temperature must be positive, but is {temperature}.")
        if exponent is not None and not exponent > 1:
            raise ValueError(f"exponent must be more than 1, or null, but is {exponent}.")
        self.given_k, self.temperature, self.exponent, self.nearest = k, temperature, exponent, k or NUMBERS[0]
        self.register_buffer("bank", torch.zeros(0, in_features))
        self.register_buffer("label", torch.zeros(0, dtype=torch.long))
        self.register_buffer("k", torch.tensor(self.nearest))
        self.register_buffer("class_weight", torch.ones(num_classes))
        self.register_load_state_dict_pre_hook(_make_room)

    def check(self, count: Callable[[str], int]) -> None:
        if self.given_k is None and not count("val"):
            raise ValueError(
                "KNearest chooses k on the validation part, but there is none: give the split one "
                "(data.split.val=0.1), or the head its k."
            )

    @property
    def chosen_on_validation(self) -> dict[str, str]:
        return {} if self.given_k is not None else {"k": "balanced accuracy"}

    @torch.no_grad()
    def solve(self, train: tuple[Tensor, Tensor], val: tuple[Tensor, Tensor] | None) -> None:
        feature, self.label = train
        self.bank = F.normalize(feature.to(torch.promote_types(feature.dtype, torch.float32)), dim=1)
        if self.exponent is not None:
            count = self.label.bincount(minlength=len(self.class_weight)).clamp(min=1)
            self.class_weight = (count.min() / count) ** (1 / self.exponent)
        if self.given_k is None:
            if val is None or len(val[1]) == 0:
                raise ValueError("KNearest chooses k on a validation part: give the split one or set k.")
            self.nearest = self._best_k(*val)
        self.k = torch.tensor(self.nearest, device=self.bank.device)

    def forward(self, feature: Tensor) -> Tensor:
        if not len(self.bank):
            return torch.zeros(len(feature), len(self.class_weight), device=feature.device)
        weight, label = self._neighbours(feature, self.nearest)
        return self._logits(weight, label)

    def _neighbours(self, feature: Tensor, number: int) -> tuple[Tensor, Tensor]:
        """The votes of so many neighbours, the nearest first, and their classes, both (B, k)."""
        cosine, index = scaled_cosine(feature, self.bank, 1.0).topk(min(number, len(self.bank)), dim=1)
        # Relative to the nearest, which changes no share.
        return ((cosine - cosine[:, :1]) / self.temperature).exp(), self.label[index]

    def _logits(self, weight: Tensor, label: Tensor) -> Tensor:
        """Logits (B, C) of votes and their classes, (B, k)."""
        one_hot = label[..., None] == torch.arange(len(self.class_weight), device=label.device)
        vote = (weight[..., None] * one_hot).sum(dim=1) * self.class_weight
        return (vote / vote.sum(dim=1, keepdim=True)).clamp(min=LEAST).log()

    def _best_k(self, feature: Tensor, label: Tensor) -> int:
        label, numbers = label.to(self.bank.device), [number for number in NUMBERS if number <= len(self.bank)]
        numbers = numbers or [len(self.bank)]
        answers = [
            torch.stack([self._logits(weight[:, :number], near[:, :number]).argmax(dim=1) for number in numbers])
            for weight, near in (self._neighbours(rows, numbers[-1]) for rows in feature.split(ROWS))
        ]
        hit = (torch.cat(answers, dim=1) == label).to(torch.float64)  # (numbers, N)
        count = label.bincount(minlength=len(self.class_weight))
        recall = hit.new_zeros(len(numbers), len(count)).index_add_(1, label, hit) / count.clamp(min=1)
        # A class absent from the validation part adds 0 to each sum, so the sum has the maximum of the mean.
        return numbers[int(recall.sum(dim=1).argmax())]


def _make_room(head: KNearest, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Makes buffers of the size of those that are about to be loaded."""
    for name in ("bank", "label"):
        if (stored := state_dict.get(f"{prefix}{name}")) is not None:
            setattr(head, name, getattr(head, name).new_zeros(stored.shape))
    if (number := state_dict.get(f"{prefix}k")) is not None:
        head.nearest = int(number)
