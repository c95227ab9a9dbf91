"""Learning rates and weights over the epochs of a run; every point in time is a fraction of the number of epochs."""

from lightning_imbal.schedulers.cosine import CosineCycles, WarmupCosine
from lightning_imbal.schedulers.parabolic_decay import parabolic_decay
from lightning_imbal.schedulers.plateau import Plateau
from lightning_imbal.schedulers.steps import Steps

__all__ = ["CosineCycles", "Plateau", "Steps", "WarmupCosine", "parabolic_decay"]
