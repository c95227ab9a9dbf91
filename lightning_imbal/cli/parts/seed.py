"""Seeds a stage."""

import os
import secrets

from jsonargparse import Namespace
from lightning.pytorch import seed_everything
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.errors import UserError
from lightning_imbal.processes import is_one_of_several


def seed(config: Namespace) -> None:
    """Seeds everything by `seed_everything` of a configuration, which then holds the number: True draws one."""
    given = config.seed_everything
    if given is False:
        rank_zero_info("seed_everything is false: weights are drawn anew each time, samplers draw as with seed 0.")
        return
    if given is True:
        if is_one_of_several():
            raise UserError("seed_everything is true, and each process would draw a seed of its own: give a number.")
        # A process of a further device takes what the first one has drawn and left in the environment.
        given = None if "LOCAL_RANK" in os.environ else secrets.randbelow(2**32)
    if given is not None and not 0 <= given < 2**32:
        raise UserError(f"seed_everything must be in 0..4294967295, but is {given}.")
    config.seed_everything = seed_everything(given, workers=True)
