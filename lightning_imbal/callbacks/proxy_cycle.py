"""Cycle update of ECL's proxies."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn
from torch.optim import Optimizer

from lightning_imbal.callbacks.base import model_of
from lightning_imbal.errors import UserError
from lightning_imbal.factories.build import build


class ProxyCycleUpdate(Callback):
    """Steps the proxies of a module once an epoch, on the sum of their gradients over the epoch's batches.

    Zhang et al. 2023, "ECL: Class-Enhancement Contrastive Learning for Long-Tailed Skin Lesion Classification", Section
    2.1, cycle update strategy. (Line 11 of Algorithm 1 stands within the loop over the batches; the text and the
    released code step after it.) The module keeps its `proxies` out of `trained_parameters`, so that nothing else steps
    or clears them and their gradients add up. They have an optimizer of their own, made as that of the network is and
    with its learning rate of the epoch; the step comes after the epoch's last batch and before the validation.

    What the Trainer does to the network's gradients leaves the proxies alone: `gradient_clip_val` does not clip them,
    and with `accumulate_grad_batches` they still get the sum over all batches, not divided by that number. On several
    devices they are the same, and equal to those of one device with the whole batch. 16-mixed precision is refused.

    A checkpoint holds the optimizer of the proxies, their momentum with it, and the sum so far, which is not empty only
    in a checkpoint that is written within an epoch. The program writes checkpoints at the ends of epochs: a run that is
    killed within an epoch goes on at its start and loses what every parameter loses, the part of an epoch since then.
    """

    _proxies: nn.Parameter  # like their optimizer, from the start of the training on

    def __init__(self) -> None:
        self._optimizer: Optimizer | None = None
        self._restored: dict[str, Any] = {}
        self._lr = 0.0

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuses the one precision in which each batch's gradient would have a scale of its own."""
        if stage == "fit" and trainer.precision == "16-mixed":
            raise UserError(
                "The cycle update sums the gradients of the proxies over an epoch, in which 16-mixed precision changes "
                "their scale: set trainer.precision=bf16-mixed or 32-true, or model.cycle_update=false."
            )

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Builds the optimizer of the proxies, which are on their device now, and gives it its state back."""
        model = model_of(pl_module)
        self._proxies = model.proxies
        self._optimizer = build(model.optimizer, params=[self._proxies])
        if self._restored:
            self._optimizer.load_state_dict(self._restored["optimizer"])
            gradient = self._restored["gradient"]
            self._proxies.grad = None if gradient is None else gradient.to(self._proxies)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Remembers the learning rate of the epoch: the schedule is stepped right after the last batch."""
        self._lr = trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Steps the proxies after the last batch."""
        if self._optimizer is None or self._proxies.grad is None or not trainer.is_last_batch:
            return
        self._proxies.grad.mul_(trainer.accumulate_grad_batches)
        self._optimizer.param_groups[0]["lr"] = self._lr
        self._optimizer.step()
        self._optimizer.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """The state of the optimizer, and the gradient that has been summed so far."""
        if self._optimizer is None:
            return self._restored
        return {"optimizer": self._optimizer.state_dict(), "gradient": self._proxies.grad}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keeps the state until training starts."""
        self._restored = state_dict
