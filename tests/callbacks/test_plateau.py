"""A schedule that waits for a score is stepped once after every validation of the training, with its own score."""

from types import SimpleNamespace

import torch

from lightning_imbal.callbacks import PlateauSteps
from lightning_imbal.schedulers import Plateau, Steps


def test_steps_after_every_validation_of_the_training():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    plateau, steps = Plateau(optimizer, 10, "val/f1", patience=0), Steps(optimizer, 10)
    configs = [SimpleNamespace(scheduler=plateau, monitor="val/f1"), SimpleNamespace(scheduler=steps, monitor=None)]

    def validate(f1, fn="fit", sanity_checking=False, epoch=0):
        scores = {"val/f1": torch.tensor(f1), "val/kappa": torch.tensor(0.0)}
        state = {"state": SimpleNamespace(fn=fn), "sanity_checking": sanity_checking, "current_epoch": epoch}
        trainer = SimpleNamespace(lr_scheduler_configs=configs, callback_metrics=scores, **state)
        PlateauSteps().on_validation_end(trainer, None)
        return optimizer.param_groups[0]["lr"]

    assert validate(0.9, sanity_checking=True) == validate(0.8, fn="validate") == 1.0
    assert [validate(f1, epoch=epoch) for epoch, f1 in enumerate([0.6, 0.5, 0.7])] == [1.0, 0.1, 0.1]
    assert plateau.best == torch.tensor(0.7) and steps.last_epoch == 0
