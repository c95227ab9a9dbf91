"""What a checkpoint owes to the images that are to validate it: nothing is trained, its files are made up."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from made_runs import write_stage

from lightning_imbal.cli.parts.trained_images import chosen_by
from lightning_imbal.runs.identity import split_digest

KEPT = {"KeptEpoch{'monitor': 'val/f1'}": {"monitor": "val/f1", "best_model_path": "elsewhere/best.ckpt"}}
KEPT["KeptEpoch{'monitor': None}"] = {"monitor": None, "best_model_path": "elsewhere/last.ckpt"}


@pytest.fixture
def checkpoint(tmp_path):
    """Writes a stage of some epochs, whose checkpoints hold the states of some callbacks."""

    def write(stage="stage1", name="best.ckpt", epochs=5, callbacks=KEPT, validated=("a", "b")):
        write_stage(tmp_path / stage, epochs=epochs)
        split = pd.DataFrame({"image": ["a", "b", "c", "d"], "class": "nv"})
        split["part"] = np.where(split["image"].isin(validated), "val", "train")
        split.to_csv(tmp_path / stage / "split.csv", index=False)
        file = tmp_path / stage / "checkpoints" / name
        file.parent.mkdir()
        torch.save({"state_dict": {}, "callbacks": callbacks}, file)
        return str(file)

    return write


@pytest.fixture
def data(tmp_path):
    return SimpleNamespace(
        root=tmp_path, table=pd.DataFrame({"image": ["a", "b", "c", "d"]}), rows=lambda part: np.arange(2)
    )


def model(**chosen):
    return SimpleNamespace(chosen_on_validation=lambda: chosen)


def test_the_best_epoch_and_what_training_has_chosen(checkpoint, data):
    assert chosen_by(checkpoint(), model(tau="balanced accuracy"), data) == {
        "epoch": "val/f1",
        "tau": "balanced accuracy",
    }


@pytest.mark.parametrize(
    "how",
    [
        {"name": "last.ckpt"},
        {"epochs": 1},
        {"callbacks": {"ModelCheckpoint": {"monitor": "train/loss", "best_model_path": "best.ckpt"}, "own": 3}},
        {"callbacks": {}},
    ],
    ids=["last epoch", "one epoch", "no score of validation", "no callback"],
)
def test_an_epoch_that_no_validation_has_chosen(checkpoint, data, how):
    assert chosen_by(checkpoint(**how), model(), data) == {}


def test_other_images_have_chosen_nothing(checkpoint, data):
    assert chosen_by(checkpoint(validated=("c",)), model(tau="balanced accuracy"), data) == {}


def test_the_epoch_of_an_earlier_stage(checkpoint, data):
    checkpoint()
    assert chosen_by(checkpoint("stage2", callbacks={}), model(), data) == {"epoch of an earlier stage": "val/f1"}


@pytest.mark.parametrize(("same", "expected"), [(True, {"epoch": "val/f1", "tau": "F1"}), (False, {})])
def test_a_checkpoint_alone_knows_its_split(tmp_path, data, same, expected):
    data.table = data.table.assign(**{"class": "nv", "part": ["val", "val", "train", "train"]})
    split = split_digest(data.table if same else data.table[::-1])
    file = tmp_path / "best.ckpt"
    torch.save({"state_dict": {}, "callbacks": KEPT, "config": {"split_digest": split}}, file)
    assert chosen_by(str(file), model(tau="F1"), data) == expected
