"""What W&B gets: curves, the final table and the panels, also without an account."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import wandb
from forked import Forked, check_status
from lightning.pytorch.utilities import rank_zero_only
from wandb_file import artifact_files, forget_settings, history, records, run_of, table

from lightning_imbal.callbacks import ClassF1Panels
from lightning_imbal.cli import main
from lightning_imbal.loggers import finish_wandb, wandb_logger
from lightning_imbal.metrics import ImbalReport

TRAIN = ["fit", "--config", "experiments/demo.yaml", "--trainer.max_epochs", "2", "--then.trainer.max_epochs", "2"]
TRAIN += ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that was recorded offline."""
    folder = tmp_path_factory.mktemp("wandb") / "run"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("WANDB")]:
            patch.delenv(name)
        own = {"HOME": str(folder.parent), "NETRC": str(folder.parent / "none"), "WANDB_MODE": "offline"}
        process = Forked(main, [*TRAIN, "--run_dir", str(folder)], **own)
    with process:
        check_status(0, process)
        told = process.log.read_text()
    files = [next((folder / stage / "wandb").glob("offline-run-*/*.wandb")) for stage in ("stage1", "stage2")]
    return SimpleNamespace(
        files=files, last=files[1], told=told, found=json.loads((folder / "metrics.json").read_text())
    )


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """Begins a run in this process and gives its logger."""
    forget_settings(monkeypatch)
    monkeypatch.setenv("WANDB_MODE", "offline")
    yield lambda: wandb_logger(tmp_path, "run", "stage1")
    finish_wandb()


def test_further_devices_begin_no_run_of_their_own(offline, monkeypatch):
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    assert offline() is None


def file_of(logger):
    finish_wandb()
    wandb.teardown()  # ends the process that writes the file: until then it may be incomplete
    return next(Path(logger.experiment.dir).parent.glob("*.wandb"))


def test_the_terminal_says_how_to_upload(run):
    lines = [line for line in run.told.splitlines() if "W&B" in line]
    assert len(lines) == 2 and all("wandb sync" in line for line in lines)


def test_each_stage_is_a_run_of_one_group(run):
    about = [run_of(file) for file in run.files]
    assert {each.run_group for each in about} == {"run"}
    assert [each.job_type for each in about] == ["stage1", "stage2"]
    title = "CL (temperature 0.1) -> oversampled, DigitsLT, 30 % test, seed 0"
    assert [each.display_name for each in about] == [f"{title} stage1", f"{title} stage2"]
    assert not any(each.tags for each in about)


def test_a_run_of_a_table_has_its_group_and_tags(offline, monkeypatch):
    wandb.setup()  # W&B reads its environment now, and not again
    monkeypatch.setenv("WANDB_RUN_GROUP", "marrakchi_table1: CE")
    monkeypatch.setenv("WANDB_TAGS", "marrakchi_table1,CE,ISIC2018 resnet50")
    about = run_of(file_of(offline()))
    assert about.run_group == "marrakchi_table1: CE"
    assert list(about.tags) == ["marrakchi_table1", "CE", "ISIC2018 resnet50"]
    assert (about.job_type, about.display_name) == ("stage1", "run stage1")


def test_every_validation_epoch_has_the_f1_of_each_class(run):
    rows = [row for row in history(run.last) if "val/f1/0" in row]
    assert [row["epoch"] for row in rows] == [0, 1]
    for row in rows:
        scores = [row[f"val/f1/{digit}"] for digit in range(10)]
        assert sum(scores) / 10 == pytest.approx(row["val/f1"], abs=1e-6)


def test_the_class_sizes_are_in_the_configuration(run):
    sizes = [row["train_images"] for row in run.found["classes"]]
    for file in run.files:
        updates = [record.config.update for record in records(file) if record.WhichOneof("record_type") == "config"]
        config = {item.key: json.loads(item.value_json) for update in updates for item in update if item.key}
        assert dict(zip(config["class_names"], config["class_counts"], strict=True)) == dict(
            zip(map(str, range(10)), sizes, strict=True)
        )


def test_the_final_table_has_the_scores_of_every_class(run):
    rows = table(run.last, "test/classes")
    assert [row["train_images"] for row in rows] == sorted((row["train_images"] for row in rows), reverse=True)
    assert sorted(rows, key=lambda row: row["name"]) == run.found["classes"]


def test_the_bars_show_the_final_table(run):
    assert table(run.last, "test/f1_per_class_table") == table(run.last, "test/classes")


def test_the_confusion_matrix_has_every_count(run):
    cells = {(row["Actual"], row["Predicted"]): row["nPredictions"] for row in table(run.last, "test/confusion_table")}
    counts = [[cells.pop((str(actual), str(predicted))) for predicted in range(10)] for actual in range(10)]
    assert counts == run.found["confusion"] and not cells


def test_all_that_an_upload_needs_is_in_the_folder_of_the_run(run):
    staged = artifact_files(run.last)
    assert len(staged) == 2
    assert all(file.is_file() and run.last.parent in file.parents for file in staged)


def test_the_confusion_matrix_of_many_classes_is_whole(offline):
    names = [f"class {number}" for number in range(102)]
    report, label = ImbalReport([9] * 102, names), torch.arange(102)
    report.update(torch.eye(102), label, label)
    trainer = SimpleNamespace(loggers=[offline()], is_global_zero=True)
    ClassF1Panels().on_test_epoch_end(trainer, SimpleNamespace(test_report=report))
    rows = table(file_of(trainer.loggers[0]), "test/confusion_table")
    assert len(rows) == 102**2
    assert {row["Actual"] for row in rows if row["nPredictions"]} == set(names)


def test_training_goes_on_when_wandb_breaks_down_in_mid_run(monkeypatch, tmp_path):
    def broken(*args, **kwargs):
        raise ConnectionResetError("Connection lost")

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setattr(wandb.Run, "log", broken)
    args = [*TRAIN, "--config", "experiments/methods/ce.yaml", "--run_dir", str(tmp_path / "run")]
    with pytest.warns(UserWarning, match="goes on without it"):
        assert main(args) == 0
    assert (tmp_path / "run" / "metrics.json").is_file()


def test_training_goes_on_when_wandb_cannot_be_reached(monkeypatch, tmp_path, capsys):
    def unreachable(*args, **kwargs):
        raise wandb.errors.CommError("no route")

    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setattr(wandb, "login", unreachable)
    args = [*TRAIN, "--config", "experiments/methods/ce.yaml", "--run_dir", str(tmp_path / "run")]
    assert main(args) == 0
    assert (tmp_path / "run" / "metrics.json").is_file()
    assert "recorded offline (W&B cannot be used now, CommError)" in capsys.readouterr().out
