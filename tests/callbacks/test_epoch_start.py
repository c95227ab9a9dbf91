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
    trainer = SimpleNamespace(current_epoch=epoch, global_rank=rank, max_epochs=9)
    module = SimpleNamespace(set_epoch=lambda *epochs: None, device=torch.device("cpu"))
    EpochStart().on_train_batch_start(trainer, module, None, batch)
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


def test_an_epoch_that_goes_on_is_told_too_and_draws_on(monkeypatch):
    """Lightning says that an epoch begins only to one that begins."""
    told, start = [], EpochStart()
    module = SimpleNamespace(set_epoch=lambda *epochs: told.append(epochs), device=torch.device("cpu"))
    trainer = SimpleNamespace(
        current_epoch=2, global_rank=0, max_epochs=9, training=True, is_last_batch=False, world_size=1
    )
    torch.manual_seed(3)
    start.on_save_checkpoint(trainer, module, checkpoint := {})
    expected = torch.rand(())
    start.on_load_checkpoint(trainer, module, checkpoint)
    for batch in (4, 5):
        start.on_train_batch_start(trainer, module, None, batch)
        assert told == [(3, 9)]
        assert torch.equal(torch.rand(()), expected) == (batch == 4)
    trainer.is_last_batch = True
    start.on_save_checkpoint(trainer, module, whole := {})
    assert not whole
