"""Mixing of the images of a batch, with labels that stay hard."""

from lightning_imbal.mixers.balanced_mixup import BalancedMixUp
from lightning_imbal.mixers.base import Mixer, MixerFactory
from lightning_imbal.mixers.cutmix import CutMix
from lightning_imbal.mixers.mixup import MixUp
from lightning_imbal.mixers.remix import Remix

__all__ = ["BalancedMixUp", "CutMix", "MixUp", "Mixer", "MixerFactory", "Remix"]
