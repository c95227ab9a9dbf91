"""Nearest class mean."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.heads.base import ClosedFormHead
from lightning_imbal.heads.cosine import check_scale, scaled_cosine


class NearestClassMean(ClosedFormHead):
    """Nearest class mean (NCM): scale * cosine of the feature and the mean training feature of each class.

    Kang et al. 2020, "Decoupling Representation and Classifier for Long-Tailed Recognition", Section 4. The features
    are averaged as they are, the means brought to unit length: `class_mean`, shape (C, D), 0 until it is solved.

    Equation:
        z[c] = scale cos(f, mean of the training features of class c)

    Limits:
        A class of several looks has one mean all the same, and the mean of a class of few images is uncertain. Its
        probabilities depend on `scale`: calibrate them.

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
        check_scale(scale)
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
