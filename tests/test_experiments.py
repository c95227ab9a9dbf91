"""Every committed configuration runs, on generated pictures in the data set's own layout."""

import json
from pathlib import Path

import layouts
import pytest
import timm
import yaml

from lightning_imbal.cli import main

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
PAPERS = sorted(path for path in EXPERIMENTS.glob("*.yaml"))
METHODS = sorted(EXPERIMENTS.glob("methods/*.yaml"))
TINY = [
    *("--model.backbone", "test_resnet", "--data.image_size", "32", "--data.batch_size", "16"),
    *("--data.num_workers", "0", "--trainer.max_epochs", "1", "--trainer.limit_train_batches", "2"),
    *("--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"),
]
TINY_HEAD = ["--then.trainer.max_epochs", "1", "--then.data.init_args.batch_size", "16"]


def name_of(path):
    return path.stem


@pytest.fixture
def fit(isic_root, tmp_path):
    """Runs configurations laid over each other on tiny data and returns the results."""
    roots = {
        "ISIC2018": lambda: isic_root,
        "CSVData": lambda: layouts.csv_data(tmp_path / "own"),
        "FolderData": lambda: layouts.folder_data(tmp_path / "own"),
    }

    def run(*configs, extra=()):
        args = [part for config in configs for part in ("--config", str(config))]
        data = yaml.safe_load(configs[0].read_text())["data"]["class_path"]
        args += ["--data.root", str(roots[data]())] if data in roots else []
        assert main(["fit", *args, *TINY, *extra, "--run_dir", str(tmp_path / "run")]) == 0
        return json.loads((tmp_path / "run" / "metrics.json").read_text())

    return run


@pytest.mark.parametrize("paper", PAPERS, ids=name_of)
def test_experiment_runs(paper, fit):
    config = yaml.safe_load(paper.read_text())
    results = fit(paper, extra=TINY_HEAD if config.get("then") else ())
    assert results["identity"]["data"] == config["data"]["class_path"]
    assert all(0 <= row["f1"] <= 1 for row in results["classes"])


@pytest.mark.parametrize("paper", PAPERS, ids=name_of)
def test_experiment_starts_with_its_source_and_names_a_real_backbone(paper):
    assert paper.read_text().startswith("# ")
    assert timm.is_model(yaml.safe_load(paper.read_text())["model"]["init_args"]["backbone"])


@pytest.mark.parametrize("method", METHODS, ids=name_of)
@pytest.mark.parametrize("paper", PAPERS, ids=name_of)
def test_method_runs_over_every_paper(paper, method, fit):
    results = fit(paper, method)
    assert results["identity"]["method"] == yaml.safe_load(method.read_text())["model"]["class_path"]


@pytest.mark.parametrize("configs", [("marrakchi_isic",), ("marrakchi_isic", "methods/ce"), ("demo",)], ids="+".join)
def test_laptop_overlay_runs_over_experiments(configs, fit, tmp_path):
    paths = [EXPERIMENTS / f"{name}.yaml" for name in (*configs, "variants/laptop")]
    results = fit(*paths, extra=TINY_HEAD if len(configs) == 1 else ())
    stages = sorted(path.name for path in (tmp_path / "run").glob("stage*"))
    assert stages == (["stage1", "stage2"] if len(configs) == 1 else ["stage1"])
    assert results["identity"]["method"] == ("FrozenHead" if len(configs) == 1 else "Classifier")


def test_real_images_train_and_test(real_isic, tmp_path):
    configs = ["--config", str(EXPERIMENTS / "marrakchi_isic.yaml")]
    configs += ["--config", str(EXPERIMENTS / "variants" / "laptop.yaml"), "--data.root", str(real_isic)]
    few = ["--data.cache", "none", "--data.image_size", "32", "--trainer.max_epochs", "1", "--then.trainer.max_epochs"]
    few += ["1", "--trainer.limit_train_batches", "2", "--trainer.enable_progress_bar", "false"]
    assert main(["fit", *configs, *few, "--run_dir", str(tmp_path / "run")]) == 0
    results = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert sum(row["images"] for row in results["classes"]) == 3005
    assert len(results["groups"]["minor"]["classes"]) == 4
