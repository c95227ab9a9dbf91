"""What is imported and read ahead leaves a process as forks must find it."""

import random

import numpy as np
import torch

from lightning_imbal.cli.parts import ahead


def states():
    return random.getstate(), repr(np.random.get_state()), torch.get_rng_state().tolist()


def test_nothing_is_drawn_or_asked_of_a_device(monkeypatch):
    """A process that has asked for devices has none in its forks."""

    def refuse(*args):
        raise AssertionError("a device was looked for")

    for name in ("is_available", "device_count", "init"):
        monkeypatch.setattr(torch.cuda, name, refuse)
    before = states()
    ahead.read_ahead()
    assert states() == before
