"""Reads command lines as the program does, and trains nothing."""

import functools
from pathlib import Path

from lightning_imbal.cli.parts.parser import ImbalCLI

EXPERIMENTS = Path(__file__).parents[1] / "experiments"


def with_configs(*configs):
    return [part for config in configs for part in ("--config", str(config))]


@functools.cache
def _parser(verb):
    return ImbalCLI(verb)


@functools.cache
def parsed(verb, *args):
    """The configuration of a command line such as `fit --config ...`, in which `then` is whole."""
    return _parser(verb).read(args)


def merged(*configs, then=None):
    """The configuration of `fit` from files laid over each other, in which `then` is whole."""
    return parsed("fit", *with_configs(*configs), *(["--then", str(then)] if then else []))


def second(config):
    """The complete configuration of the second stage, None if there is none."""
    return _parser("fit").next_stage(config)


def built(config):
    """Data, model and more of a configuration of `fit`, as objects."""
    return _parser("fit").build(config)
