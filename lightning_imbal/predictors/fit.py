"""What predictors are told before an evaluation: how pictures are normalised, and what validation images look like."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from lightning_imbal.contract import Batch
from lightning_imbal.predictors.base import Predictor


def tell_normalization(module: nn.Module, mean: Tensor, std: Tensor) -> None:
    """Tells the predictors in a module how pictures are normalised: pixels in 0..1, less mean, over std, (3, 1, 1)."""
    for part in module.modules():
        if isinstance(part, Predictor):
            part.set_normalization(mean, std)


def calibrate(predictor: Predictor, network: Callable[[Batch], nn.Module], batches: Iterable[Batch]) -> None:
    """Fits a predictor to what it makes of batches of the validation part, and of the network that each is for."""
    predictor.forget_calibration()
    given = ((batch, batch["feature"] if "feature" in batch else batch["image"]) for batch in batches)
    seen = [(predictor(network(batch), what).float(), batch["label"]) for batch, what in given]
    predictor.calibrate(*map(torch.cat, zip(*seen, strict=True)))
