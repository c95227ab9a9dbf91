"""What is imported and read ahead leaves a process as forks must find it."""

import random

import numpy as np
import pytest
import torch

from lightning_imbal.cli.parts import ahead


def states():
    return random.getstate(), repr(np.random.get_state()), torch.get_rng_state().tolist()


@pytest.mark.parametrize("later", [ahead.LATER, ("no.such.file",)])
def test_nothing_is_drawn_or_asked_of_a_device(later, monkeypatch):
    """A process that has asked for devices has none in its forks; another version of a library may lack a file."""

    def refuse(*args):
        raise AssertionError("a device was looked for")

    for name in ("is_available", "device_count", "init"):
        monkeypatch.setattr(torch.cuda, name, refuse)
    monkeypatch.setattr(ahead, "LATER", later)
    before = states()
    ahead.read_ahead()
    assert states() == before
