"""The best settings as a configuration."""

import pandas as pd
import pytest
import yaml
from made_runs import write_run, write_split, write_stage

from lightning_imbal.runs.tuned import images_digest
from lightning_imbal.tuning.about import about
from lightning_imbal.tuning.overlay import overlay, write_overlay
from lightning_imbal.tuning.trial import Trial, folder_of


def called(path, **arguments):
    return {"class_path": path, "init_args": arguments}


FIRST = {
    "model": called("a.Classifier", optimizer=called("torch.optim.SGD", lr=0.1), loss=called("a.LDAM"), dropout=0.1),
    "data": called("a.Digits", sampler=called("a.ClassPower", q=1.0), batch_size=64),
    "trainer": {"max_epochs": 3},
    "then": {"model": called("a.FrozenHead", init="new")},
}
SECOND = {**FIRST, "model": called("a.FrozenHead", optimizer=called("torch.optim.Adam", lr=0.1)), "then": None}


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        (
            {"model.optimizer.lr": 0.02},
            {"model": {"init_args": {"optimizer": called("torch.optim.SGD", lr=0.02)}}},
        ),
        (
            {"model.loss": "LDAM", "model.loss.scale": "30", "model.dropout": 0.5},
            {"model": {"init_args": {"loss": called("a.LDAM", scale=30), "dropout": 0.5}}},
        ),
        (
            {"data.sampler.q": 0.5, "data.batch_size": "32", "trainer.max_epochs": 5},
            {
                "data": {"init_args": {"sampler": called("a.ClassPower", q=0.5), "batch_size": 32}},
                "trainer": {"max_epochs": 5},
            },
        ),
        (
            {"then.model.optimizer.lr": 0.3, "then.trainer.max_epochs": 2},
            {
                "then": {
                    "model": {"init_args": {"optimizer": called("torch.optim.Adam", lr=0.3)}},
                    "trainer": {"max_epochs": 2},
                }
            },
        ),
        ({"model": "Classifier"}, {"model": {"class_path": "a.Classifier"}}),
    ],
)
def test_settings_stand_where_the_configurations_have_them(params, wanted):
    assert overlay(params, [FIRST, SECOND]) == wanted


def test_it_says_how_it_was_found(tmp_path):
    of = about(["model.optimizer.lr=log:1e-4:1e-1"], "val/f1", 3, "median", ["demo.yaml"], [])
    trials = [
        Trial(n, {"model.optimizer.lr": 0.01 * (n + 1)}, n, state, 0.25)
        for n, state in enumerate(["complete", "pruned", "failed"])
    ]
    folder = folder_of(tmp_path, 0)
    write_run(folder, part="val", title={"data": "ISIC2018"})
    write_stage(folder / "stage1")
    write_split(folder, of_group=2)
    write_overlay(of, trials, trials[0], tmp_path)
    found = yaml.safe_load((tmp_path / "best.yaml").read_text())
    assert found["model"] == {"init_args": {"optimizer": called("torch.optim.SGD", lr=0.01)}}
    assert found["tuned"] == {
        **{"score": "val/f1", "value": 0.25, "trial": 0, "trials": 3, "pruned": 1, "failed": 1},
        **{"search": {"model.optimizer.lr": "log:1e-4:1e-1"}, "seed": 3, "folder": str(tmp_path)},
        **{"data": "ISIC2018", "images": images_digest(pd.read_csv(folder / "stage1" / "split.csv"))},
    }
