"""DataLoaders for pictures, with the project's defaults."""

import os
from collections.abc import Iterator
from typing import Any

import cv2
import torch
from lightning.pytorch import Trainer
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from lightning_imbal.data.loading.epoch_draws import EpochDraws
from lightning_imbal.data.loading.feature_dataset import FeatureDataset
from lightning_imbal.data.loading.image_dataset import Draw, ImageDataset, PairedImages
from lightning_imbal.errors import UserError

Loadable = ImageDataset | PairedImages | FeatureDataset


class ResumableLoader(DataLoader[Any]):
    """Goes on within an epoch: a checkpoint of Lightning holds how many batches were taken of it."""

    _taken = _skip = 0

    def state_dict(self) -> dict[str, int]:
        """How many batches of the epoch were taken."""
        return {"batches": self._taken}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Leaves out so many batches of the next epoch that is loaded; after a whole one, none."""
        self._skip = state["batches"] % len(self)

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # what Lightning asks of the iterator, the loader has
        self._taken, self._skip = self._skip, 0
        if isinstance(self.sampler, EpochDraws):
            self.sampler.leave_out(self._taken * (self.batch_size or 1))
        return self._counted(self._batches())

    def _batches(self) -> Iterator[Any]:
        return super().__iter__()

    def _counted(self, batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            self._taken += 1
            yield batch


class FeatureLoader(ResumableLoader):
    """Cuts the batches of stored features out of one tensor, without a process or a step for each picture."""

    dataset: FeatureDataset

    def _batches(self) -> Iterator[dict[str, Tensor]]:
        if isinstance(self.sampler, EpochDraws):
            [(position, seed)] = self.sampler.drawn()
        else:
            position = torch.tensor(list(self.sampler), dtype=torch.long)
            seed = torch.zeros_like(position)
        return self.dataset.batches(position, seed, self.batch_size or 1)


def device_share(batch_size: int, devices: int) -> int:
    """Images per batch of one device.

    Raises:
        UserError: The devices cannot share the global batch equally.
    """
    if batch_size % devices:
        raise UserError(
            f"A batch of {batch_size} images cannot be shared by {devices} devices: "
            f"set data.batch_size to a multiple of {devices}."
        )
    return batch_size // devices


def image_loader(
    dataset: Loadable,
    batch_size: int,
    num_workers: int | None,
    devices: int = 1,
    sampler: Sampler[Any] | list[Draw] | None = None,
) -> DataLoader[Any]:
    """Returns a loader of one device.

    Args:
        dataset: What to load; of stored features, whole batches are taken out of memory without any process.
        batch_size: Images per batch of all devices.
        num_workers: Processes that prepare batches; None shares the CPU cores out, at most 8 per device.
        devices: Number of devices that share the batch and the CPU cores.
        sampler: Yields what is drawn from the data set; None is every image once, in order.

    Raises:
        UserError: The devices cannot share the batch.
    """
    batch_size = device_share(batch_size, devices)
    if isinstance(dataset, FeatureDataset):
        return FeatureLoader(dataset, batch_size, sampler=sampler)
    kind = ResumableLoader if isinstance(sampler, EpochDraws) else DataLoader
    # A validation within an epoch must not change what the training draws after it.
    generator = None if sampler else torch.Generator()
    if num_workers is None:
        num_workers = min(max((os.cpu_count() or 1) // devices, 1), 8)
    return kind(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_one_thread,
        generator=generator,
    )


def share_of_work(trainer: Trainer | None) -> tuple[int, int]:
    """How many devices share the work, and which of them this is."""
    return (trainer.world_size, trainer.global_rank) if trainer else (1, 0)


def first_epoch(trainer: Trainer | None) -> int:
    """The 0-based epoch that a run begins with: loader processes draw before Lightning tells that of a resumed one."""
    if trainer is None:
        return 0
    return trainer.fit_loop.epoch_progress.current.processed  # type: ignore[attr-defined]  # declared too narrowly


def _one_thread(worker: int) -> None:
    """Loader processes already use every core: OpenCV must not start threads in each of them."""
    cv2.setNumThreads(0)
