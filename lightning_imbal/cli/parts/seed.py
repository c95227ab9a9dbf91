"""Seeds a stage."""

from jsonargparse import Namespace
from lightning.pytorch import seed_everything


def seed(config: Namespace) -> None:
    """Seeds everything by `seed_everything` of a configuration, which then holds the number: True draws one."""
    if config.seed_everything is not False:
        given = None if config.seed_everything is True else config.seed_everything
        config.seed_everything = seed_everything(given, workers=True)
