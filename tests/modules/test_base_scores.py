"""The scores of an epoch get everywhere where Lightning's own logging takes them."""

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from lightning_imbal.modules.base_scores import log_at_once

SCORES = {"val/f1": 0.7, "val/f1/a class": 1 / 3, "val/auc": float("nan")}


class Scored(LightningModule):
    """Learns nothing, and logs the same scores after every epoch, one by one or at once."""

    def __init__(self, at_once: bool) -> None:
        super().__init__()
        self.weight, self.at_once = torch.nn.Parameter(torch.zeros(1)), at_once

    def training_step(self, batch, batch_idx):
        return self.weight.sum()

    def validation_step(self, batch, batch_idx):
        pass

    def on_validation_epoch_end(self):
        if self.at_once:
            log_at_once(self.trainer, SCORES)
        else:
            self.log_dict(SCORES)

    def test_step(self, batch, batch_idx):
        self.log("test/loss", torch.tensor(0.5))

    def on_test_epoch_end(self):
        self.on_validation_epoch_end()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Seen(Callback):
    """Keeps what callbacks are told."""

    def __init__(self) -> None:
        self.metrics = []

    def on_validation_end(self, trainer, pl_module):
        self.metrics.append({name: value.item() for name, value in trainer.callback_metrics.items()})


def fitted(folder, at_once):
    """The scores that a callback sees, all that is logged, and the epochs until nothing has got better."""
    seen, stop = Seen(), EarlyStopping("val/f1/a class", patience=1, mode="max")
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    logger = CSVLogger(folder, name="", version="")
    trainer = Trainer(
        default_root_dir=folder, accelerator="cpu", max_epochs=5, logger=logger, callbacks=[seen, stop], **quiet
    )
    loader = DataLoader(torch.zeros(2, 1))
    trainer.fit(Scored(at_once), loader, loader)
    logged = {name: float(value) for name, value in trainer.logged_metrics.items()}
    return seen.metrics, logged, trainer.current_epoch, (folder / "metrics.csv").read_text()


def test_all_at_once_is_the_same_as_one_by_one(tmp_path):
    one_by_one, at_once = (fitted(tmp_path / str(each), each) for each in (False, True))
    same = [pytest.approx(metrics, nan_ok=True, rel=0, abs=0) for metrics in one_by_one[0]]
    assert at_once[0] == same and len(same) == 3, "the check before training is one of them"
    assert at_once[1] == pytest.approx(one_by_one[1], nan_ok=True, rel=0, abs=0) and at_once[1].keys() >= SCORES.keys()
    assert at_once[2:] == one_by_one[2:] and at_once[2] == 2


def evaluated(folder, at_once, verb):
    """What the Trainer hands back, what callbacks can know afterwards, and what the logger has written."""
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    logger = CSVLogger(folder, name="", version="")
    trainer = Trainer(default_root_dir=folder, accelerator="cpu", logger=logger, **quiet)
    evaluate = getattr(trainer, verb)
    [handed_back] = evaluate(Scored(at_once), DataLoader(torch.zeros(2, 1)), verbose=False)
    known = {name: value.item() for name, value in trainer.callback_metrics.items()}
    header, row = (folder / "metrics.csv").read_text().splitlines()
    return handed_back, known, dict(zip(header.split(","), row.split(","), strict=True))


@pytest.mark.parametrize("verb", ["test", "validate"])
def test_an_evaluation_hands_back_the_same(verb, tmp_path):
    one_by_one, at_once = (evaluated(tmp_path / str(each), each, verb) for each in (False, True))
    for one, other in zip(one_by_one[:2], at_once[:2], strict=True):
        assert other == pytest.approx(one, nan_ok=True, rel=0, abs=0) and other.keys() >= SCORES.keys()
    assert at_once[2] == one_by_one[2] and ("test/loss" in at_once[0]) == (verb == "test")
