"""DataLoaders for pictures, with the project's defaults."""

import os
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler

from lightning_imbal.data.cache import ImageFiles
from lightning_imbal.data.dataset import ImageDataset
from lightning_imbal.data.index import IMAGE_SUFFIXES, pictures_below
from lightning_imbal.errors import UserError


def image_loader(
    dataset: ImageDataset, batch_size: int, num_workers: int | None, devices: int = 1, sampler: Sampler | None = None
) -> DataLoader:
    """Returns a loader of one device.

    Args:
        dataset: What to load.
        batch_size: Images per batch of one device.
        num_workers: Processes that prepare batches; None shares the CPU cores out, at most 8 per device.
        devices: Number of devices that share the CPU cores.
        sampler: Yields what is drawn from the data set; None is every image once, in order.
    """
    if num_workers is None:
        num_workers = min(max((os.cpu_count() or 1) // devices, 1), 8)
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_one_thread,
    )


def folder_dataset(folder: str | Path, recipe: A.Compose, short_side: int) -> tuple[ImageDataset, list[Path]]:
    """All pictures below a folder, without labels, and their files in the same order.

    Args:
        folder: Where to look.
        recipe: Picture to picture of the network's size.
        short_side: Larger pictures are reduced to it, in pixels.

    Raises:
        UserError: There are none.
    """
    files = pictures_below(folder)
    if not files:
        raise UserError(f"No images below {folder}: looked for files ending in {', '.join(sorted(IMAGE_SUFFIXES))}.")
    images, nothing = ImageFiles([str(file) for file in files], short_side), np.zeros(len(files), dtype=int)
    return ImageDataset(images, nothing, np.arange(len(files)), [recipe]), files


def _one_thread(worker: int) -> None:
    """Loader processes already use every core: OpenCV must not start threads in each of them."""
    cv2.setNumThreads(0)
