"""Every public class, so that it can be named without its module."""

from albumentations import Compose
from lightning.pytorch import Callback
from lightning.pytorch.loggers import Logger
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import Sampler

import lightning_imbal.callbacks
import lightning_imbal.data
import lightning_imbal.losses
import lightning_imbal.modules
from lightning_imbal import heads, mixers, predictors, samplers, schedulers

BASES = {
    "data": lightning_imbal.data.ImbalDataModule,
    "split": lightning_imbal.data.Split,
    "sampler": Sampler,
    "paired_sampler": Sampler,
    "train_transform": Compose,
    "test_transform": Compose,
    "model": lightning_imbal.modules.ImbalModule,
    "loss": lightning_imbal.losses.ImbalancedLoss,
    "head": (heads.NormedLinear, heads.LearnableScale, heads.ClosedFormHead),
    "metric": lightning_imbal.losses.MetricTerm,
    "mixer": mixers.Mixer,
    "predictor": predictors.Predictor,
    "perturb": predictors.PerturbedInput,
    "scheduler": LRScheduler,
    "callbacks": Callback,
    "logger": Logger,
}
PUBLIC = (
    *(lightning_imbal.modules, lightning_imbal.data, lightning_imbal.losses, lightning_imbal.callbacks),
    *(samplers, heads, mixers, predictors, schedulers),
)
