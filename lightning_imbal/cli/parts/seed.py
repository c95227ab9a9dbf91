"""Seeds a stage."""

import os
import secrets

from jsonargparse import Namespace
from lightning.pytorch import seed_everything
from lightning.pytorch.utilities import rank_zero_info


def seed(config: Namespace) -> None:
    """Seeds everything by `seed_everything` of a configuration, which then holds the number: True draws one."""
    given = config.seed_everything
    if given is False:
        rank_zero_info("seed_everything is false: weights are drawn anew each time, samplers draw as with seed 0.")
        return
    if given is True:
        # A process of a further device takes what the first one has drawn and left in the environment.
        given = None if "LOCAL_RANK" in os.environ else secrets.randbelow(2**32)
    config.seed_everything = seed_everything(given, workers=True)
