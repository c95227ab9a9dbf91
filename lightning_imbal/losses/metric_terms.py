"""Metric-learning terms beside the cross-entropy."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lightning_imbal.losses.center import CenterLoss
from lightning_imbal.losses.projection import Projection
from lightning_imbal.losses.supcon import SupConLoss
from lightning_imbal.losses.triplet import TripletLoss


class MetricTerm(nn.Module, ABC):
    """A loss on the backbone's feature that is added to that of the classifier.

    Args:
        num_classes: Number of classes.
        dim: Size of the feature.
    """

    def __init__(self, num_classes: int, dim: int) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, feature: Tensor, label: Tensor) -> Tensor:
        """Returns the loss, shape (), of features (B, D) and labels (B,), those of the global batch."""

    def own_optimizer(self) -> Optimizer | None:
        """An optimizer of the term's parameters apart from that of the network.

        It is meant for the gradient of the term itself: whoever multiplies the term by a weight divides it out again.
        """
        return None


class CenterTerm(MetricTerm):
    """Center loss, "CT" of Zeng et al. 2023, Section 2.2.

    Equation:
        L_M = mean_i ||f_i - center[y_i]||^2

    Limits:
        Distances grow with the length of the feature: what `metric_weight` fits one network may not fit another.

    Args:
        num_classes: Number of classes.
        dim: Size of the feature.
        init: How the centers start, as for `CenterLoss`.
        lr: Learning rate of the centers, which have an SGD of their own without momentum and weight decay.

    Raises:
        ValueError: As for `CenterLoss`.
    """

    def __init__(self, num_classes: int, dim: int, init: Literal["zero", "normal"] = "zero", lr: float = 0.5) -> None:
        super().__init__(num_classes, dim)
        self.loss = CenterLoss(num_classes, dim, init)
        self.lr = lr

    def forward(self, feature: Tensor, label: Tensor) -> Tensor:
        return self.loss(feature, label)

    def own_optimizer(self) -> Optimizer:
        return torch.optim.SGD(self.parameters(), lr=self.lr)


class TripletTerm(MetricTerm):
    """Triplet loss, "TP" of Zeng et al. 2023, Section 2.2; the margin is that of Section 3.1.

    Equation:
        L_M = mean of max(0, margin + ||f_a - f_p||^2 - ||f_a - f_n||^2) over the
        triplets where it is not 0;   a, p: images of a class, n: of another one

    Limits:
        A class with a single image in a batch gives no triplets as anchor: take larger batches. All triplets of B
        images take memory for a few times B^3 numbers.

    Args:
        num_classes: Number of classes.
        dim: Size of the feature.
        margin: As for `TripletLoss`.
        squared: As for `TripletLoss`.
        mining: As for `TripletLoss`.

    Raises:
        ValueError: As for `TripletLoss`.
    """

    def __init__(
        self,
        num_classes: int,
        dim: int,
        margin: float = 50.0,
        squared: bool = True,
        mining: Literal["all", "hard"] = "all",
    ) -> None:
        super().__init__(num_classes, dim)
        self.loss = TripletLoss(margin, squared, mining)

    def forward(self, feature: Tensor, label: Tensor) -> Tensor:
        return self.loss(feature, label)


class ContrastTerm(MetricTerm):
    """Supervised contrastive loss on the unit-length output of a three-layer perceptron.

    "SC" of Zeng et al. 2023, Section 2.2; the temperature is that of Section 3.1. The paper gives no layer sizes.

    Equation:
        L_M = `SupConLoss`(u, y)
        u: unit-length output of a perceptron on the feature

    Args:
        num_classes: Number of classes.
        dim: Size of the feature.
        temperature: Temperature of the loss.
        hidden_size: Width of the perceptron's two hidden layers.
        embedding_size: Size of the embedding.

    Raises:
        ValueError: `temperature` is not positive.
    """

    def __init__(
        self,
        num_classes: int,
        dim: int,
        temperature: float = 0.05,
        hidden_size: int = 2048,
        embedding_size: int = 128,
    ) -> None:
        super().__init__(num_classes, dim)
        self.projection = Projection(dim, hidden_size, embedding_size, hidden_layers=2)
        self.loss = SupConLoss(temperature)

    def forward(self, feature: Tensor, label: Tensor) -> Tensor:
        return self.loss(self.projection(feature), label)


MetricFactory = Callable[[int, int], MetricTerm]
