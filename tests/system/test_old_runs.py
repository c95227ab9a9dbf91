"""Runs of version 0.1.0, one of each paper's method, are still read, tested, resumed and reported.

`old_runs.tar.xz` holds their folders, trained for two epochs on scikit-learn's digits at commit ada88a5 from
experiments/demo.yaml with methods/contrast_crw, perturbed, balanced_mixup and ecl (seed 0, the network below, hidden
size 32, embedding size 16). The only change since: the folder that Lightning writes into checkpoints is /home/user, for
which the tests put their own.
"""

import shutil
import tarfile
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from timm.models.resnet import BasicBlock, ResNet

import lightning_imbal as li
from lightning_imbal.cli import main

ARCHIVE = Path(__file__).with_name("old_runs.tar.xz")
STAGES = {"marrakchi": 2, "zeng": 2, "chen": 1, "galdran": 1, "zhang": 1}
ROUNDING = 1e-5  # of other processors


@timm.models.register_model
def tiny_resnet(pretrained: bool = False, **kwargs) -> ResNet:
    """A ResNet of four blocks and 4 to 8 channels: checkpoints of a few kilobytes."""
    for name in ("pretrained_cfg", "pretrained_cfg_overlay", "cache_dir"):
        kwargs.pop(name, None)
    size = {"block": BasicBlock, "layers": (1, 1, 1, 1), "stem_width": 4, "stem_type": "deep", "channels": (4, 4, 4, 8)}
    network = ResNet(**size, **kwargs)
    network.default_cfg = network.pretrained_cfg = {
        "architecture": "tiny_resnet",
        "input_size": (3, 32, 32),
        "classifier": "fc",
    }
    return network


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """The folder of the archive."""
    folder = tmp_path_factory.mktemp("archive")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "old_runs"


@pytest.fixture
def old_runs(extracted, request, tmp_path, monkeypatch):
    """The folders of the runs, in the working folder; the checkpoints of the one that a test asks for are of there."""
    shutil.copytree(extracted, tmp_path / "old_runs", symlinks=True)
    monkeypatch.chdir(tmp_path)
    name = request.node.callspec.params["name"] if hasattr(request.node, "callspec") else "none"
    for checkpoint in Path("old_runs", name).rglob("*.ckpt"):
        if not checkpoint.is_symlink():
            content = torch.load(checkpoint, map_location="cpu", weights_only=True)
            torch.save(moved(content, tmp_path), checkpoint)
    return Path("old_runs")


def moved(content, folder):
    """The content of a checkpoint as it would be had it been trained in a folder."""
    match content:
        case str():
            return content.replace("/home/user", str(folder))
        case dict():
            return {moved(key, folder): moved(value, folder) for key, value in content.items()}
        case list() | tuple():
            return type(content)(moved(value, folder) for value in content)
    return content


def probabilities(folder):
    table = pd.read_parquet(folder / "predictions.parquet").set_index("image")
    return table.filter(like="probability/")


def assert_same(here, there):
    assert list(here.columns) == list(there.columns)
    assert np.abs(here.to_numpy() - there.loc[here.index].to_numpy()).max() <= ROUNDING


# The slow ones are resumed below, which ends with the same test, or have the stages of one that is.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ("zeng", "galdran") else [pytest.mark.slow]) for name in STAGES]
)
def test_its_checkpoint_is_tested(old_runs, name):
    checkpoint = old_runs / name / f"stage{STAGES[name]}" / "checkpoints" / "best.ckpt"
    assert main(["test", "--ckpt_path", str(checkpoint), "--run_dir", "again"]) == 0
    assert_same(probabilities(Path("again")), probabilities(old_runs / name))


# The slow ones have the stages of the first, and a training step as those that are tested above.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in ("zeng", "galdran") else []) for name in STAGES]
)
def test_it_is_resumed(old_runs, name):
    run = old_runs / name
    before = probabilities(run)
    for file in ("metrics.json", "predictions.parquet"):
        (run / file).unlink()
    if STAGES[name] == 2:  # as if it had been killed between its stages
        shutil.rmtree(run / "stage2")
    command = ["fit", "--config", str(run / "stage1" / "config.yaml"), "--run_dir", str(run), "--ckpt_path", "last"]
    assert main(command) == 0
    assert_same(probabilities(run), before)
    trained = pd.read_csv(run / "stage1" / "metrics.csv")["train/loss"].dropna()
    assert len(trained) == 2  # epochs: nothing was trained again


def test_they_are_reported_side_by_side(old_runs, capsys):
    assert main(["report", *(str(old_runs / name) for name in STAGES), "--html", "page.html"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith("F1 per class: DigitsLT, 30 % test, seed 0")
    page = unescape(Path("page.html").read_text().replace("<wbr>", ""))
    sized = "CL (temperature 0.1) -> oversampled"
    for title in ("CE+SC -> cRW", "CE, perturbed input", "Balanced-MixUp", "ECL", sized):
        assert all(word in printed for word in title.replace("-M", "- M").split())
        assert title in page
    assert Path("page.html").stat().st_size > 10_000


@pytest.mark.parametrize("name", ["marrakchi", pytest.param("galdran", marks=pytest.mark.slow)])
def test_it_is_loaded_in_python(old_runs, name):
    model, run = li.load(old_runs / name), li.Run(old_runs / name)
    data = model.transforms.data
    arrays = [data.images[row] for row in data.rows("test")[:8]]
    known = run.predictions.set_index("image").filter(like="probability/")
    found = li.predict(model, arrays).filter(like="probability/")
    assert_same(found.set_index(data.table["image"].iloc[data.rows("test")[:8]].astype(str)), known)
    assert model.class_names == run.class_names and len(run.predictions) and len(run.curves) == 2 * STAGES[name]
