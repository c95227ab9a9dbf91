"""The seed that was drawn is kept, so that the run can be repeated."""

import torch
from jsonargparse import Namespace

from lightning_imbal.cli.parts.seed import seed


def test_a_drawn_seed_is_kept():
    config = Namespace(seed_everything=True)
    seed(config)
    drawn = torch.rand(3)
    assert type(config.seed_everything) is int
    seed(config)
    assert torch.equal(torch.rand(3), drawn)


def test_no_seed_is_no_seed():
    config = Namespace(seed_everything=False)
    seed(config)
    assert config.seed_everything is False
