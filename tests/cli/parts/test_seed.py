"""A seed that is drawn is another one each time, the same on all devices, and kept: the run can be repeated."""

import torch
from jsonargparse import Namespace

from lightning_imbal.cli.parts.seed import seed


def test_a_drawn_seed_is_kept():
    config, other = Namespace(seed_everything=True), Namespace(seed_everything=True)
    seed(other)
    seed(config)
    drawn = torch.rand(3)
    assert type(config.seed_everything) is int and config.seed_everything != other.seed_everything
    seed(config)
    assert torch.equal(torch.rand(3), drawn)


def test_further_devices_take_the_seed_of_the_first(monkeypatch):
    first, further = Namespace(seed_everything=True), Namespace(seed_everything=True)
    seed(first)
    monkeypatch.setenv("LOCAL_RANK", "1")
    seed(further)
    assert further.seed_everything == first.seed_everything


def test_no_seed_is_no_seed():
    config = Namespace(seed_everything=False)
    seed(config)
    assert config.seed_everything is False
