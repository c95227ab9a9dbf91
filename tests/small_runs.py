"""Short runs on scikit-learn's digits, for the tests of modules, and the command line that refuses."""

from pathlib import Path

import torch
from lightning.pytorch import Callback, Trainer

from lightning_imbal.cli import main
from lightning_imbal.data import DigitsLT, Holdout
from lightning_imbal.samplers import ClassPower

NAMES = list("0123456789")
QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
CALLBACK, TRAINER, LIGHTNING = "--trainer.callbacks", "--trainer.", "lightning.pytorch.callbacks."


def digits(**kwargs):
    options = {"split": Holdout(test=0.3, val=0.1), "batch_size": 64, "image_size": 32, "num_workers": 0}
    return DigitsLT(**options | kwargs)


def fit_digits(folder):
    """A finished run of one stage and one epoch, by the command."""
    config = ["--config", "experiments/demo.yaml", "--config", "experiments/methods/ce.yaml"]
    assert main(["fit", *config, "--trainer.max_epochs", "1", *QUIET, "--run_dir", str(folder)]) == 0
    return folder


def make_trainer(folder, max_epochs=1, **kwargs):
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    return Trainer(default_root_dir=folder, accelerator="cpu", max_epochs=max_epochs, **quiet, **kwargs)


def build(kind, data, **kwargs):
    """A module with the weights of seed 0."""
    torch.manual_seed(0)
    return kind(class_counts=data.class_counts, class_names=NAMES, backbone="test_resnet", **kwargs)


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1)


def balanced(labels):
    return ClassPower(labels, q=0.0)


class RankWeights(Callback):
    """Writes what each process ends with."""

    def on_train_end(self, trainer, pl_module):
        torch.save(pl_module.state_dict(), Path(trainer.default_root_dir) / f"rank{trainer.global_rank}.pt")


def refused(capsys, *args):
    """The one sentence with which the command line refuses."""
    assert main(list(args)) == 2
    sentence = capsys.readouterr().err.strip()
    assert len(sentence.splitlines()) == 1
    return sentence


def callback(name, **arguments):
    """Options that add a callback of Lightning."""
    given = [(f"{CALLBACK}.{key}", str(value)) for key, value in arguments.items()]
    return [f"{CALLBACK}+={LIGHTNING}{name}", *(part for pair in given for part in pair)]


def trainer(**options):
    """Options of the Trainer."""
    return [part for key, value in options.items() for part in (f"{TRAINER}{key}", str(value))]
