"""What callbacks may ask of the module that is trained."""

from collections.abc import Iterable, MutableMapping
from typing import Protocol

from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer

from lightning_imbal.metrics.report import ImbalReport
from lightning_imbal.predictors.base import Predictor


class ImbalModel(Protocol):
    """What callbacks may ask of a module; each module has what its own callbacks need."""

    class_names: list[str]
    val_report: ImbalReport
    test_report: ImbalReport
    side_reports: MutableMapping[str, ImbalReport]
    backbone: nn.Module
    trained_of_backbone: str
    head: nn.Module
    predictor: Predictor
    proxies: nn.Parameter

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Tells what has a schedule that an epoch (1-based) begins."""

    def frozen_tensors(self) -> dict[str, Tensor]:
        """What stays as it is while it is trained, by its names in its state."""

    def gather(self, tensor: Tensor) -> Tensor:
        """Joins the batches (B, ...) of all devices to (devices * B, ...)."""

    def optimizer(self, parameters: Iterable[nn.Parameter], /) -> Optimizer:
        """Builds an optimizer."""


def model_of(pl_module: LightningModule) -> ImbalModel:
    """The module that Lightning hands to a callback, as what it is."""
    return pl_module  # type: ignore[return-value]  # modules are a floor above
