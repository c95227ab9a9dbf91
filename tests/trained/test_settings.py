"""What a checkpoint keeps of the settings of its stage, and which settings are taken for it."""

import pytest
import torch
import yaml

from lightning_imbal.errors import UserError
from lightning_imbal.trained.settings import check_classes, own_settings, portable, settings_beside, settings_of

MODEL = {"class_path": "lightning_imbal.modules.Classifier", "init_args": {"backbone": "test_resnet"}}


def config(tmp_path, root, labels="labels.csv", **more):
    """That of a stage on own images in a folder, with files around it."""
    place = tmp_path / "data" / "pictures"
    place.mkdir(parents=True, exist_ok=True)
    for file in (place / "labels.csv", tmp_path / "train.csv", tmp_path / "net.pth"):
        file.touch()
    split = {"class_path": "lightning_imbal.data.IdLists", "init_args": {"train": str(tmp_path / "train.csv")}}
    data = {"root": root, "labels": labels, "image_column": "data", "group_pattern": "/(\\d+)_", "split": split, **more}
    model = {**MODEL, "init_args": {**MODEL["init_args"], "pretrained": str(tmp_path / "net.pth")}}
    return {
        "seed_everything": 3,
        "run_dir": str(tmp_path / "runs" / "mine"),
        "model": model,
        "data": {"class_path": "lightning_imbal.data.CSVData", "init_args": {**data, "cache_dir": str(tmp_path)}},
        "trainer": {"precision": "bf16-mixed", "default_root_dir": str(tmp_path), "devices": 2},
    }


@pytest.mark.parametrize("relative", [True, False])
def test_no_path_is_kept_but_below_the_data(tmp_path, monkeypatch, relative):
    monkeypatch.chdir(tmp_path)
    root = "data/pictures" if relative else str(tmp_path / "data" / "pictures")
    kept = portable(config(tmp_path, root, f"{root}/labels.csv"), "abc")
    assert str(tmp_path) not in str(kept) and "pictures" not in str(kept)
    data = kept["data"]["init_args"]
    assert (data["root"], data["labels"], data["split"]["init_args"]["train"]) == ("", "labels.csv", "")
    assert data["image_column"] == "data", "a folder of this name is there, but it is a column"
    assert data["group_pattern"] == "/(\\d+)_" and "cache_dir" not in data
    assert kept["model"]["init_args"] == {"backbone": "test_resnet", "pretrained": False}
    assert kept["left_out"] == ["data.root", "data.split.train"]
    assert kept["trainer"] == {"precision": "bf16-mixed"} and kept["run_dir"] == "mine"
    assert (kept["seed_everything"], kept["split_digest"]) == (3, "abc")


def test_a_file_outside_the_data_is_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = config(tmp_path, "data/pictures", "train.csv")
    kept = portable(settings, "")
    assert kept["data"]["init_args"]["labels"] == "" and "data.labels" in kept["left_out"]
    assert settings["data"]["init_args"]["root"] == "data/pictures", "it is a copy"


def write(folder, own, beside):
    """A checkpoint in the folder of a stage, and the path of it."""
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    file = folder / "checkpoints" / "best.ckpt"
    torch.save({"state_dict": {}} | ({"config": own} if own else {}), file)
    if beside:
        (folder / "config.yaml").write_text(yaml.safe_dump({**beside, "ckpt_path": None}))
    return file


def of(model="Classifier", **more):
    return {"model": {"class_path": f"lightning_imbal.modules.{model}"}, "data": {"class_path": "x.Own"}, "trainer": {}}


def test_the_file_beside_wins_and_must_be_of_the_same_network(tmp_path, monkeypatch):
    monkeypatch.setattr("lightning_imbal.trained.settings.check_classes", lambda *args: None)
    own = {**of(), "left_out": []}
    beside = {**of(), "seed_everything": 7}
    both = write(tmp_path / "both", own, beside)
    assert settings_of(both)["seed_everything"] == 7 and settings_beside(both) == tmp_path / "both" / "config.yaml"
    alone = write(tmp_path / "alone", own, None)
    assert settings_of(alone) == own_settings(alone) == own and settings_beside(alone) is None
    with pytest.raises(UserError, match="it has the model ECL, and the checkpoint Classifier; put the checkpoint"):
        settings_of(write(tmp_path / "other", own, of("ECL")))
    with pytest.raises(UserError, match="does not say its settings itself: put config.yaml of its run beside it"):
        settings_of(write(tmp_path / "none", None, None))


def test_a_file_that_is_of_something_else_is_not_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr("lightning_imbal.trained.settings.check_classes", lambda *args: None)
    own = {**of(), "left_out": []}
    lone = write(tmp_path, own, None).rename(tmp_path / "best.ckpt")
    (tmp_path / "config.yaml").write_text("host: mine\n")
    assert settings_of(lone) == own
    with pytest.raises(UserError, match="config.yaml"):  # of the folder of a stage it is damaged
        settings_of(write(tmp_path, own, None))


def test_a_class_that_is_not_here_is_named(tmp_path, monkeypatch):
    loss = {"class_path": "losses_of_mine.deep.Poly1", "init_args": {}}
    settings = {"model": {"class_path": "lightning_imbal.modules.Classifier", "init_args": {"loss": [loss]}}}
    with pytest.raises(
        UserError, match=r"trained with losses_of_mine.deep.Poly1, and there is no losses_of_mine/deep.py"
    ):
        check_classes(settings, tmp_path / "best.ckpt")
    (tmp_path / "losses_of_mine").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    check_classes(settings, tmp_path / "best.ckpt")
