"""Logits less the log of the class frequencies."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from lightning_imbal.losses.base import ImbalancedLoss
from lightning_imbal.predictors.base import Predictor, class_log_frequency


class PostHocAdjusted(Predictor):
    """Subtracts the scaled logarithm of the class frequencies from the logits: `z_c - tau * log(n_c / N)`.

    Menon et al. 2021, "Long-Tail Learning via Logit Adjustment", Eq. 9, for networks trained with plain cross-entropy.

    Args:
        class_counts: Class sizes of the training part, shape (C,).
        tau: 0 leaves the logits as they are.

    Raises:
        ValueError: A class has no training image.
    """

    asks_image = False
    adjustment: Tensor

    def __init__(self, class_counts: Tensor, tau: float = 1.0) -> None:
        super().__init__(class_counts)
        self.register_buffer("adjustment", tau * class_log_frequency(class_counts), persistent=False)

    def check(self, count: Callable[[str], int], losses: Sequence[ImbalancedLoss]) -> None:
        super().check(count, losses)
        for loss in losses:
            if loss.adjusts_logits:
                raise ValueError(
                    f"The loss {type(loss).__name__} has adjusted the logits already: use another predictor, such as "
                    "Plain."
                )

    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        logits = model(image)
        return logits - self.adjustment.to(torch.promote_types(logits.dtype, torch.float32))
