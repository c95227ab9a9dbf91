"""What an evaluation leaves: which image has which label, by hand; nothing while a run is trained."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from lightning_imbal.callbacks import ResultsWriter
from lightning_imbal.callbacks.results_writer import fitted_of
from lightning_imbal.heads import TauNormalized
from lightning_imbal.metrics import ImbalReport
from lightning_imbal.predictors import Plain, TemperatureScaled

IMAGES = ["a", "b", "c", "d", "e"]


@pytest.fixture
def trainer(tmp_path):
    """Of an evaluation of the images d, a and e, two of class nv, in another order than that of the table."""
    report = ImbalReport([9, 2], ["nv", "mel"])
    probability = torch.tensor([[0.25, 0.75], [0.75, 0.25], [0.375, 0.625]])
    report.update(probability, torch.tensor([0, 1, 0]), torch.tensor([3, 0, 4]))
    module = SimpleNamespace(hparams={"backbone": "resnet18"}, val_report=report, test_report=report, side_reports={})
    return SimpleNamespace(
        datamodule=SimpleNamespace(table=pd.DataFrame({"image": IMAGES}), tested="test"),
        lightning_module=module,
        is_global_zero=True,
        sanity_checking=False,
        loggers=[],
        state=SimpleNamespace(fn="validate"),
        strategy=SimpleNamespace(root_device=torch.device("cpu")),
        world_size=1,
        precision="32-true",
    )


def test_results_by_hand(trainer, tmp_path):
    writer = ResultsWriter(tmp_path, {"name": "run", "seed": 4})
    writer.on_validation_epoch_end(trainer, trainer.lightning_module)
    writer.on_validation_end(trainer, trainer.lightning_module)
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["confusion"] == [[0, 2], [1, 0]]  # d and e are nv and taken for mel, a is mel and taken for nv
    assert [(row["name"], row["train_images"], row["images"]) for row in found["classes"]] == [
        ("nv", 9, 2),
        ("mel", 2, 1),
    ]
    told = {"name": "run", "seed": 4, "backbone": "resnet18", "part": "val", "device": "cpu"}
    assert told.items() <= found["identity"].items()
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    assert table["image"].tolist() == ["a", "d", "e"] and table["label"].tolist() == ["mel", "nv", "nv"]
    assert table["probability/mel"].tolist() == [0.25, 0.75, 0.625]


def test_what_was_fitted_is_kept():
    counts = torch.tensor([9.0, 2.0])
    found = SimpleNamespace(predictor=TemperatureScaled(counts), head=torch.nn.Linear(3, 2))
    found.predictor.temperature = 1.5
    assert fitted_of(found) == {"temperature": 1.5}
    given = SimpleNamespace(predictor=TemperatureScaled(counts, 2.0), head=TauNormalized(3, 2))
    given.head.tau.fill_(0.75)
    assert fitted_of(given) == {"tau": 0.75}
    assert fitted_of(SimpleNamespace(predictor=Plain(counts), head=TauNormalized(3, 2, tau=1.0))) == {}


def test_side_reports_say_so_in_their_titles(trainer, tmp_path):
    module = trainer.lightning_module
    module.predictor, module.head = Plain(torch.tensor([9.0, 2.0])), torch.nn.Linear(3, 2)
    module.side_reports, trainer.state.fn = {"plain": module.test_report}, "test"
    writer = ResultsWriter(tmp_path, {"name": "run", "title": {"method": "CE", "predictor": "", "data": "x"}})
    writer.on_test_epoch_end(trainer, module)
    assert writer.results[""]["identity"]["title"]["predictor"] == "" and writer.results[""]["identity"]["fitted"] == {}
    assert writer.results["plain"]["identity"]["title"] == {"method": "CE", "predictor": "plain", "data": "x"}


def test_what_is_predicted_of_the_validation_part_is_kept_to_the_last_digit_and_not_scored(trainer, tmp_path):
    trainer.state.fn, trainer.datamodule.tested, report = "test", "val", trainer.lightning_module.test_report
    report.update(torch.tensor([[1.0, 0.0], [1 - 2**-20, 2**-20]]), torch.tensor([0, 0]), torch.tensor([1, 2]))
    writer = ResultsWriter(tmp_path, {"name": "run"})
    writer.on_test_epoch_end(trainer, trainer.lightning_module)
    writer.on_test_end(trainer, trainer.lightning_module)
    assert [file.name for file in tmp_path.iterdir()] == ["predictions_val.parquet"]
    table = pd.read_parquet(tmp_path / "predictions_val.parquet")
    assert table["image"].tolist() == ["a", "b", "c", "d", "e"]
    assert np.exp(table["logit/mel"]).tolist() == pytest.approx([0.25, 2**-149, 2**-20, 0.75, 0.625], rel=1e-14)


def test_a_validation_during_training_leaves_nothing(trainer, tmp_path):
    trainer.state.fn = "fit"
    writer = ResultsWriter(tmp_path, {"name": "run"})
    writer.on_validation_epoch_end(trainer, trainer.lightning_module)
    writer.on_validation_end(trainer, trainer.lightning_module)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fast_dev_run", [0, 1])
def test_results_of_a_run_that_goes_on_are_set_aside_until_there_are_new_ones(trainer, tmp_path, fast_dev_run):
    trainer.fast_dev_run, trainer.default_root_dir = fast_dev_run, tmp_path
    trainer.datamodule.table = pd.DataFrame({"image": IMAGES, "class": "nv", "part": "train"})
    (tmp_path / "metrics.json").write_text("{}")
    writer = ResultsWriter(tmp_path, {"name": "run"})
    writer.on_fit_start(trainer, trainer.lightning_module)
    aside = tmp_path / "metrics.before_resume.json"
    assert aside.exists() != (tmp_path / "metrics.json").exists() == bool(fast_dev_run)
    writer.on_test_epoch_end(trainer, trainer.lightning_module)
    assert (tmp_path / "predictions.parquet").exists() and aside.exists() != bool(fast_dev_run)
    writer.on_test_end(trainer, trainer.lightning_module)
    assert not aside.exists() and "files" in json.loads((tmp_path / "metrics.json").read_text())
