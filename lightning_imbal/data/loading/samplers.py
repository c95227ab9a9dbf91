"""Builds the samplers of the training part."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Sampler

from lightning_imbal.errors import UserError

SamplerFactory = Callable[[Tensor], Sampler[int]]


def build_samplers(
    factories: Sequence[SamplerFactory], label: np.ndarray, batch_size: int, max_epochs: int | None
) -> list[Sampler[int]]:
    """Builds the samplers of one part with its labels (N,); each draws from a stream of its own.

    Raises:
        UserError: One of them refuses its arguments, or composes batches of another size.
    """
    samplers = []
    for stream, factory in enumerate(factories):
        try:
            sampler = factory(torch.from_numpy(label))
        except ValueError as error:
            raise UserError(str(error)) from error
        wanted = getattr(sampler, "batch_size", batch_size)
        if wanted != batch_size:
            name = type(sampler).__name__
            raise UserError(f"{name} makes batches of {wanted} images: set data.batch_size to {wanted}.")
        sampler.stream, sampler.max_epochs = stream, max_epochs  # type: ignore[attr-defined]  # EpochSampler has them
        samplers.append(sampler)
    return samplers
