"""Reads command lines as the program does, and trains nothing."""

import functools
from pathlib import Path

from lightning_imbal.cli.parts.configurations import Configurations

EXPERIMENTS = Path(__file__).parents[1] / "experiments"


def with_configs(*configs):
    return [part for config in configs for part in ("--config", str(config))]


@functools.cache
def _parsing():
    return Configurations(["fit", *with_configs(EXPERIMENTS / "demo.yaml")])


@functools.cache
def parsed(*args):
    """The configuration of a command line such as `fit --config ...`, in which `then` is whole."""
    return _parsing().read(args)


def merged(*configs, then=None):
    """The configuration of `fit` from files laid over each other, in which `then` is whole."""
    return parsed("fit", *with_configs(*configs), *(["--then", str(then)] if then else []))


def second(config):
    """The complete configuration of the second stage, None if there is none."""
    return _parsing().next_stage(config)
