"""The checkpoints of a run: which epoch is kept, also after a move, and beside checkpoints that a user adds."""

import shutil

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lightning_imbal.callbacks.kept_epoch import KeptEpoch, kept_checkpoint


class Scripted(LightningModule):
    """Its score of each epoch is given; its one weight counts the steps."""

    def __init__(self, scores):
        super().__init__()
        self.scores, self.layer = scores, nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.layer.weight)

    def training_step(self, batch, batch_idx):
        return -self.layer(batch[0]).mean()

    def validation_step(self, batch, batch_idx):
        self.log("val/f1", self.scores[self.current_epoch])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=1.0)


def fit(folder, scores, callbacks, ckpt_path=None, **options):
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False, "accelerator": "cpu"}
    options = {"max_epochs": len(scores), **options}
    trainer = Trainer(default_root_dir=folder, callbacks=callbacks, **quiet, **options)
    data = DataLoader(TensorDataset(torch.ones(2, 1)), batch_size=1)
    trainer.fit(Scripted(scores), data, data, ckpt_path=ckpt_path)
    return trainer


def best_and_last(folder, mode="max"):
    return [KeptEpoch(folder, "best", "val/f1", mode), KeptEpoch(folder, "last")]


def epoch_of(file):
    return torch.load(file, weights_only=True)["epoch"]


@pytest.mark.parametrize(("mode", "epoch"), [("max", 1), ("min", 2)])
def test_best_and_last(mode, epoch, tmp_path):
    trainer = fit(tmp_path, [0.5, 0.9, 0.1, 0.3], best_and_last(tmp_path, mode))
    assert epoch_of(tmp_path / "best.ckpt") == epoch and epoch_of(tmp_path / "last.ckpt") == 3
    assert kept_checkpoint(trainer) == str(tmp_path / "best.ckpt")


def test_what_a_user_adds_is_not_tested(tmp_path):
    theirs = [
        ModelCheckpoint(tmp_path / "theirs", monitor="val/f1", mode="min"),
        ModelCheckpoint(tmp_path / "same", monitor="val/f1", mode="max"),  # by the rule of ours
    ]
    trainer = fit(tmp_path, [0.5, 0.9, 0.1], [*theirs, *best_and_last(tmp_path)])
    assert kept_checkpoint(trainer) == str(tmp_path / "best.ckpt")
    assert epoch_of(tmp_path / "best.ckpt") == 1


@pytest.mark.parametrize("move", [shutil.copytree, shutil.move])
def test_a_moved_folder_remembers_its_best_epoch(move, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    fit(here, [0.5, 0.9], best_and_last(here))
    move(here, there)
    trainer = fit(there, [0.5, 0.9, 0.1, 0.6], best_and_last(there), there / "last.ckpt")
    assert epoch_of(there / "best.ckpt") == 1 and epoch_of(there / "last.ckpt") == 3
    assert kept_checkpoint(trainer) == str(there / "best.ckpt")


def test_a_run_from_before_remembers_its_best_epoch(tmp_path):
    plain = {"enable_version_counter": False}
    before = [
        ModelCheckpoint(tmp_path, "best", monitor="val/f1", mode="max", **plain),
        ModelCheckpoint(tmp_path, "last", **plain),
    ]
    fit(tmp_path, [0.5, 0.9], before)
    fit(tmp_path, [0.5, 0.9, 0.1], best_and_last(tmp_path), tmp_path / "last.ckpt")
    assert epoch_of(tmp_path / "best.ckpt") == 1 and epoch_of(tmp_path / "last.ckpt") == 2


def test_the_last_epoch_is_kept_even_if_validation_is_rarer(tmp_path):
    trainer = fit(tmp_path, [0.5] * 3, [KeptEpoch(tmp_path, "best", save_last="link")], check_val_every_n_epoch=2)
    assert epoch_of(tmp_path / "best.ckpt") == epoch_of(tmp_path / "last.ckpt") == 2
    assert kept_checkpoint(trainer) == str(tmp_path / "best.ckpt")


def test_without_a_validation_the_last_epoch_is_tested(tmp_path):
    trainer = fit(tmp_path, [0.5] * 3, best_and_last(tmp_path), max_steps=1, num_sanity_val_steps=0)
    assert not (tmp_path / "best.ckpt").exists()
    assert kept_checkpoint(trainer) == str(tmp_path / "last.ckpt")
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]["layer.weight"] == 1
