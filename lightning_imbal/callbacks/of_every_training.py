"""What every training brings."""

from lightning_imbal.callbacks.divergence import DivergenceGuard
from lightning_imbal.callbacks.epoch_start import EpochStart
from lightning_imbal.callbacks.plateau import PlateauSteps


class OfEveryTraining(DivergenceGuard, EpochStart, PlateauSteps):
    """The guard against divergence, the start of an epoch, and the steps of schedules that wait for a score.

    One callback in place of three: for each, Lightning opens and closes six hooks at every step.
    """
