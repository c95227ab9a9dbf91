"""Callbacks of Lightning that change what is trained: a test goes without them."""

from collections.abc import Iterable

from lightning.pytorch import Callback
from lightning.pytorch.callbacks import (
    BatchSizeFinder,
    EarlyStopping,
    LearningRateFinder,
    SpikeDetection,
    StochasticWeightAveraging,
    WeightAveraging,
)

AVERAGING = (WeightAveraging, StochasticWeightAveraging)
FINDERS = (BatchSizeFinder, LearningRateFinder)
OF_STEPS = (*AVERAGING, *FINDERS, SpikeDetection)


def averages(callbacks: Iterable[Callback]) -> bool:
    """Whether one of the callbacks averages weights."""
    return any(isinstance(callback, AVERAGING) for callback in callbacks)


def averages_at_the_end(callbacks: Iterable[Callback]) -> bool:
    """Whether one of the callbacks makes its average only after the last epoch, and plans for that epoch."""
    return any(isinstance(callback, StochasticWeightAveraging) for callback in callbacks)


def ends_by_a_score(callback: Callback) -> bool:
    """Whether it ends a training by a score of the validation part, which needs a classifier."""
    return isinstance(callback, EarlyStopping) and callback.monitor.startswith("val/")


def finds(callbacks: Iterable[Callback]) -> bool:
    """Whether one of the callbacks looks for a setting before training."""
    return any(isinstance(callback, FINDERS) for callback in callbacks)


def of_tests(callbacks: Iterable[Callback]) -> list[Callback]:
    """The callbacks that a test needs: averaging would put weights of training in the place of the average."""
    return [callback for callback in callbacks if not isinstance(callback, OF_STEPS)]


def of_resumed(callbacks: Iterable[Callback]) -> list[Callback]:
    """The callbacks of a training that goes on, with the settings that were found when it began."""
    for callback in callbacks:
        if isinstance(callback, SpikeDetection):
            callback.running = callback.running_mean  # type: ignore[attr-defined]  # as it reads its own checkpoint
    return [callback for callback in callbacks if not isinstance(callback, FINDERS)]
