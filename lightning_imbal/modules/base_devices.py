"""What the processes of a training share: their batches, and random numbers."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor, nn

from lightning_imbal.seeding import epoch_generator, run_seed


class OverDevices(LightningModule):
    """A module whose batch is that of all devices."""

    def on_fit_start(self) -> None:
        """Says where results depend on the number of devices."""
        if self.trainer.world_size > 1 and any(map(_is_of_each_device, self.modules())):
            rank_zero_info(
                "BatchNorm takes mean and variance of each device's share of a batch: results depend on the number of "
                "devices, unless --trainer.sync_batchnorm is true, which needs GPUs."
            )

    def gather(self, tensor: Tensor) -> Tensor:
        """Joins the batches (B, ...) of all W devices to (W B, ...) as one device has it; gradients flow back to each.

        The k-th image of device r is image W k + r of all.
        """
        if self._trainer is None or self.trainer.world_size == 1:
            return tensor
        gathered = self.all_gather(tensor, sync_grads=tensor.is_floating_point())
        return gathered.transpose(0, 1).flatten(0, 1)  # type: ignore[union-attr]  # of a tensor, a tensor

    @contextmanager
    def same_draws(self, batch_idx: int) -> Iterator[None]:
        """What is drawn inside, from the CPU's default generator, is the same on all devices.

        It depends on nothing but the seed of the run, the epoch and the batch; outside, draws go on as before.
        """
        generator = epoch_generator(run_seed(), self.current_epoch, stream=1 + batch_idx)
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(generator.get_state())
            yield


def _is_of_each_device(layer: nn.Module) -> bool:
    return isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d) and layer.training
