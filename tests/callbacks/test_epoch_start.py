"""What happens when an epoch begins: schedules count from 1, random layers draw by (seed, epoch, device)."""

from types import SimpleNamespace

import pytest
import torch

from lightning_imbal.callbacks import EpochStart


def drawn(monkeypatch, seed=0, epoch=2, rank=0, batch=0, before=0):
    """What a layer draws in a batch, after other draws."""
    monkeypatch.setenv("PL_GLOBAL_SEED", str(seed))
    torch.manual_seed(5)
    torch.rand(before)
    trainer = SimpleNamespace(current_epoch=epoch, global_rank=rank)
    EpochStart().on_train_batch_start(trainer, None, None, batch)
    return torch.rand(()).item()


def test_an_epoch_draws_the_same_whatever_came_before(monkeypatch):
    assert drawn(monkeypatch) == drawn(monkeypatch, before=3)
    assert drawn(monkeypatch, batch=1) != drawn(monkeypatch, batch=1, before=3)


@pytest.mark.parametrize("other", [{"seed": 1}, {"epoch": 3}, {"rank": 1}])
def test_other_seeds_epochs_and_devices_draw_otherwise(other, monkeypatch):
    assert drawn(monkeypatch) != drawn(monkeypatch, **other)


def test_schedules_are_told_the_epoch_from_1():
    told = []
    module = SimpleNamespace(set_epoch=lambda *epochs: told.append(epochs))
    for epoch in range(2):
        EpochStart().on_train_epoch_start(SimpleNamespace(current_epoch=epoch, max_epochs=2), module)
    assert told == [(1, 2), (2, 2)]
