"""A training whose loss is no number any more is stopped, also in its last epoch."""

from types import SimpleNamespace

import pytest
import torch

from lightning_imbal.callbacks import DivergenceGuard
from lightning_imbal.errors import UserError


def trainer(**losses):
    return SimpleNamespace(
        callback_metrics={f"{part}/loss": torch.tensor(loss) for part, loss in losses.items()}, current_epoch=3
    )


@pytest.mark.parametrize("look", ["on_train_epoch_start", "on_train_end"])
@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -float("inf")])
def test_stops_at_what_is_no_number(look, loss):
    with pytest.raises(UserError, match="by epoch 3: lower the learning rate"):
        getattr(DivergenceGuard(), look)(trainer(train=loss), None)


@pytest.mark.parametrize("look", ["on_train_epoch_start", "on_train_end"])
def test_goes_on_else(look):
    getattr(DivergenceGuard(), look)(trainer(train=1e30), None)
    getattr(DivergenceGuard(), look)(trainer(val=float("nan")), None)  # before the first epoch there is no loss
