"""Builds the samplers of the training part."""

from collections.abc import Callable, Sequence
from inspect import isclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DistributedSampler, Sampler, SubsetRandomSampler, WeightedRandomSampler

from lightning_imbal.errors import UserError
from lightning_imbal.factories.build import build, target_of
from lightning_imbal.samplers.of_others import SeededSampler

SamplerFactory = Callable[[Tensor], Sampler[int]]
# They want weights, positions, batches or processes, not labels.
STRANGERS = (WeightedRandomSampler, SubsetRandomSampler, BatchSampler, DistributedSampler)


def build_samplers(
    factories: Sequence[SamplerFactory], label: np.ndarray, batch_size: int, max_epochs: int | None
) -> list[Sampler[int]]:
    """Builds the samplers of one part with its labels (N,); each draws from a stream of its own.

    Raises:
        UserError: One of them refuses its arguments, or composes batches of another size.
    """
    samplers = []
    for stream, factory in enumerate(factories):
        refuse_strangers(factory)
        labels = torch.from_numpy(label)
        try:
            sampler = build(factory, labels=labels, data_source=labels)
        except ValueError as error:
            raise UserError(str(error)) from error
        if not hasattr(sampler, "set_epoch"):
            sampler = SeededSampler(labels, sampler)
        wanted = getattr(sampler, "batch_size", batch_size)
        if wanted != batch_size:
            name = type(sampler).__name__
            raise UserError(f"{name} makes batches of {wanted} images: set data.batch_size to {wanted}.")
        sampler.stream, sampler.max_epochs = stream, max_epochs  # type: ignore[attr-defined]  # EpochSampler has them
        samplers.append(sampler)
    return samplers


def refuse_strangers(factory: SamplerFactory) -> None:
    """Refuses samplers of torch that cannot be built of labels."""
    target = target_of(factory)
    if isclass(target) and issubclass(target, STRANGERS):
        raise UserError(
            f"{target.__name__} knows no labels: choose ClassPower, which draws every class equally often with q=0."
        )
