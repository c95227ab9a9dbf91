"""Builds the samplers of the training part."""

from collections.abc import Callable, Sequence
from inspect import isclass, signature

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DistributedSampler, Sampler, SubsetRandomSampler, WeightedRandomSampler

from lightning_imbal.errors import UserError
from lightning_imbal.factories.build import build, name_of, target_of
from lightning_imbal.samplers.of_others import SeededSampler

SamplerFactory = Callable[[Tensor], Sampler[int]]
# They want weights, positions, batches or processes, not labels.
NO_GROUPS = (
    "needs to know which images are of one lesion or patient, and these data do not say it: name the column of their "
    "label file (--data.group_column), or the part of the files' names (--data.group_pattern), or find the images that "
    "show the same (--data.group_by duplicates)."
)
STRANGERS = (WeightedRandomSampler, SubsetRandomSampler, BatchSampler, DistributedSampler)


def build_samplers(
    factories: Sequence[SamplerFactory],
    label: np.ndarray,
    batch_size: int,
    max_epochs: int | None,
    group: np.ndarray | None = None,
) -> list[Sampler[int]]:
    """Builds the samplers of one part with its labels (N,); each draws from a stream of its own.

    Args:
        factories: Of the samplers.
        label: Class of each image, (N,).
        batch_size: The global one.
        max_epochs: The Trainer's.
        group: Number of the lesion or patient of each image, (N,); None if none is known.

    Raises:
        UserError: One of them refuses its arguments, composes batches of another size, or needs groups.
    """
    samplers = []
    for stream, factory in enumerate(factories):
        refuse_strangers(factory)
        labels = torch.from_numpy(label)
        offered = {"labels": labels, "data_source": labels}
        if group is not None:
            offered["groups"] = torch.from_numpy(group)
        elif needs_groups(factory):
            raise UserError(f"{name_of(factory)} {NO_GROUPS}")
        try:
            sampler = build(factory, **offered)
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


def needs_groups(factory: SamplerFactory) -> bool:
    """Whether a sampler cannot be built without knowing which images are of one lesion or patient."""
    target = target_of(factory)
    wanted = signature(target).parameters.get("groups") if isclass(target) else None
    return wanted is not None and wanted.default is wanted.empty
