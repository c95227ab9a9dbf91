"""What W&B gets: curves, the final table and the panels, also without an account."""

import getpass
import json
import os
import re
import socket
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
import wandb
from forked import Forked, check_status
from lightning.pytorch.utilities import rank_zero_only
from wandb_file import artifact_files, forget_settings, history, records, run_of, table

from lightning_imbal.callbacks import ClassF1Panels
from lightning_imbal.cli import main
from lightning_imbal.loggers import finish_wandb, wandb_logger
from lightning_imbal.loggers.weights_and_biases import without_folders
from lightning_imbal.metrics import ImbalReport

TRAIN = ["fit", "--config", "experiments/demo.yaml", "--trainer.max_epochs", "1", "--then.trainer.max_epochs", "2"]
TRAIN += ["--trainer.limit_train_batches", "2", "--trainer.enable_progress_bar", "false"]
TRAIN += ["--trainer.enable_model_summary", "false"]


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
    found = json.loads((folder / "metrics.json").read_text())
    return SimpleNamespace(folder=folder, files=files, last=files[1], told=told, found=found)


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


def settings_of(file):
    updates = [record.config.update for record in records(file) if record.WhichOneof("record_type") == "config"]
    return {item.key: json.loads(item.value_json) for update in updates for item in update if item.key}


def test_the_class_sizes_are_in_the_configuration(run):
    sizes = [row["train_images"] for row in run.found["classes"]]
    for file in run.files:
        config = settings_of(file)
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


def all_that_is_sent(file):
    """Text of every record, and of the files that an upload takes, but for where it takes them from."""
    files = [path for path in (file.parent / "files").rglob("*") if path.is_file()]
    texts = [path.read_text() for path in [*files, *artifact_files(file)]]
    for record in records(file):
        for entry in record.artifact.manifest.contents:
            entry.ClearField("local_path")
        texts.append(str(record))
    return "".join(texts)


def test_no_image_path_user_or_host_is_sent(run):
    images = [*pd.read_csv(run.folder / "stage1" / "split.csv")["image"]]
    assert len(images) > 100 and set(images) >= set(pd.read_parquet(run.folder / "predictions.parquet")["image"])
    for file in run.files:
        sent = all_that_is_sent(file)
        assert not [image for image in images if image in sent]
        assert str(run.folder.parent) not in sent and "experiments/demo.yaml" not in sent and "--config" not in sent
        assert "torchvision==" not in sent
        assert not {getpass.getuser(), socket.gethostname()} & {*re.findall(r"[\w.-]+", sent)}
    kinds = {record.WhichOneof("record_type") for file in run.files for record in records(file)}
    assert not {"environment", "output", "output_raw"} & kinds
    assert settings_of(run.last)["backbone_ckpt"] == "best.ckpt"


def test_what_wandb_collects_itself_is_sent_where_it_is_asked_for(offline, monkeypatch):
    monkeypatch.setenv("LIGHTNING_IMBAL_WANDB", "all")
    logger = offline()
    logger.log_hyperparams({"pretrained": "/data/net.pth"})
    file = file_of(logger)
    about = [record.environment for record in records(file) if record.WhichOneof("record_type") == "environment"]
    assert about and about[0].host and about[0].program
    assert settings_of(file)["pretrained"] == "/data/net.pth"


@pytest.mark.parametrize(
    "given, sent",
    [
        ("/data/patients/net.pth", "net.pth"),
        ("~/net.pth", "net.pth"),
        ("../run/best.ckpt", "best.ckpt"),
        ("C:\\Users\\me\\net.pth", "net.pth"),
        ("experiments/demo.yaml", "demo.yaml"),  # which is there
        (Path("data/net.pth"), "net.pth"),
        ("hf-hub:timm/resnet50", "hf-hub:timm/resnet50"),
        ("actinic keratosis/Bowen", "actinic keratosis/Bowen"),
        ("torch.optim.SGD", "torch.optim.SGD"),
        ("a/" * 5000, "a/" * 5000),
        ({"init_args": {"files": ["/data/a.csv", 3, None]}}, {"init_args": {"files": ["a.csv", 3, None]}}),
    ],
)
def test_paths_are_cut_to_their_last_part(given, sent):
    assert without_folders(given) == sent


def test_the_confusion_matrix_of_many_classes_is_whole(offline):
    names = [f"class {number}" for number in range(102)]
    report, label = ImbalReport([9] * 102, names), torch.arange(102)
    report.update(torch.eye(102), label, label)
    trainer = SimpleNamespace(loggers=[offline()], is_global_zero=True, datamodule=None)
    ClassF1Panels().on_test_epoch_end(trainer, SimpleNamespace(test_report=report))
    rows = table(file_of(trainer.loggers[0]), "test/confusion_table")
    assert len(rows) == 102**2
    assert {row["Actual"] for row in rows if row["nPredictions"]} == set(names)


def test_the_scores_of_subgroups_are_sent_with_nothing_of_single_images(offline):
    report, label = ImbalReport([9, 5], ["a", "b"]), torch.arange(40) % 2
    report.update(torch.eye(2)[torch.where(torch.arange(40) < 12, 1 - label, label)], label, torch.arange(40))
    site = ["arm"] * 12 + ["leg"] * 24 + [""] * 4
    about = pd.DataFrame({"image": [f"secret{row}" for row in range(40)], "meta/site": site})
    data = SimpleNamespace(table=about)
    trainer = SimpleNamespace(loggers=[offline()], is_global_zero=True, datamodule=data)
    ClassF1Panels().on_test_epoch_end(trainer, SimpleNamespace(test_report=report))
    file = file_of(trainer.loggers[0])
    assert table(file, "test/subgroups") == [
        {"subgroup": "site: leg", "images": 24, "f1": 1, "balanced_accuracy": 1},
        {"subgroup": "site: arm", "images": 12, "f1": 0, "balanced_accuracy": 0},
        {"subgroup": "site: not known", "images": 4, "f1": None, "balanced_accuracy": None},
    ]
    assert b"secret" not in file.read_bytes()


def test_training_goes_on_when_wandb_cannot_be_reached_and_breaks_down_in_mid_run(monkeypatch, tmp_path, capsys):
    def unreachable(*args, **kwargs):
        raise wandb.errors.CommError("no route")

    def broken(*args, **kwargs):
        raise ConnectionResetError("Connection lost")

    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setattr(wandb, "login", unreachable)
    monkeypatch.setattr(wandb.Run, "log", broken)
    args = [*TRAIN, "--config", "experiments/methods/ce.yaml", "--run_dir", str(tmp_path / "run")]
    with pytest.warns(UserWarning, match="goes on without it"):
        assert main(args) == 0
    assert (tmp_path / "run" / "metrics.json").is_file()
    assert "recorded offline (W&B cannot be used now, CommError)" in capsys.readouterr().out
