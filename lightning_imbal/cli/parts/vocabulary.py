"""Every public class is imported here, so that it can be named without its module."""

import lightning_imbal.callbacks
import lightning_imbal.data
import lightning_imbal.losses
import lightning_imbal.modules
from lightning_imbal import backbones, heads, mixers, predictors, samplers, schedulers

PUBLIC = (
    *(lightning_imbal.modules, lightning_imbal.data, lightning_imbal.losses, lightning_imbal.callbacks),
    *(backbones, samplers, heads, mixers, predictors, schedulers),
)
