"""Every committed configuration runs, on generated pictures in the data set's own layout."""

import functools
import json
from pathlib import Path

import cv2
import layouts
import numpy as np
import pandas as pd
import pytest
import timm
import torch
import yaml

from lightning_imbal import second_stage
from lightning_imbal.cli import main
from lightning_imbal.stages import ImbalCLI

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
PAPERS = sorted(EXPERIMENTS.glob("*.yaml"))
METHODS = sorted(EXPERIMENTS.glob("methods/*.yaml"))
HEADS = sorted(EXPERIMENTS.glob("heads/*.yaml"))
BACKBONES = sorted(EXPERIMENTS.glob("backbones/*.yaml"))
LAYOUTS = {
    "APTOS2019": layouts.aptos,
    "CSVData": layouts.csv_data,
    "EyePACS": layouts.eyepacs,
    "Flowers102LT": layouts.flowers,
    "FolderData": layouts.folder_data,
    "HyperKvasir": layouts.hyper_kvasir,
    "MedMNIST": lambda root: layouts.octmnist(layouts.pathmnist(root)),
    "StanfordDogsLT": layouts.dogs,
    "XRay6": layouts.chest_xray14,
    "XRay9": layouts.chest_xray14,
}
QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false", "--data.num_workers", "0"]
TINY = [
    *("--model.backbone", "test_resnet", "--model.pretrained", "false", "--data.image_size", "32"),
    *("--data.batch_size", "16", "--trainer.max_epochs", "1", "--trainer.limit_train_batches", "2"),
    *("--trainer.limit_val_batches", "2", "--trainer.limit_test_batches", "2"),
    *("--then.trainer.max_epochs", "1", "--then.data.init_args.batch_size", "16", *QUIET),
]
# A twentieth of the 72 generated images of ISIC2018 would be fewer than its classes.
MORE = {"zeng_skin7": ["--data.split.val", "0.15"]}
# What belongs to the protocol, or is linked from the data; all else of a model belongs to the method.
PROTOCOL = {"backbone", "pretrained", "optimizer", "scheduler", "predictor", "class_counts", "class_names", "class_groups"}
OF_DATA = ("sampler", "paired_sampler", "views", "more_views")


def read(path):
    return yaml.safe_load(path.read_text())


def name_of(path):
    return path.stem


def method(name):
    return EXPERIMENTS / "methods" / f"{name}.yaml"


def with_configs(*configs):
    return [part for config in configs for part in ("--config", str(config))]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """These networks are too small to share: two threads wait for each other, for long if the machine is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def root_of(isic_root, tmp_path_factory):
    """The folder of generated pictures of a data set, made when it is first asked for."""
    roots = {"ISIC2018": isic_root}

    def folder(data):
        if data in LAYOUTS and data not in roots:
            roots[data] = LAYOUTS[data](tmp_path_factory.mktemp(data))
        return roots.get(data)

    return folder


@pytest.fixture
def fit(root_of, tmp_path):
    """Runs configurations laid over each other on tiny data and returns the results."""

    def run(*configs, extra=()):
        root = root_of(read(configs[0])["data"]["class_path"])
        args = ["--data.root", str(root), *MORE.get(configs[0].stem, [])] if root else []
        run_dir = ["--run_dir", str(tmp_path / "run")]
        assert main(["fit", *with_configs(*configs), *args, *extra, *TINY, *run_dir]) == 0
        return json.loads((tmp_path / "run" / "metrics.json").read_text())

    return run


@pytest.mark.parametrize("paper", PAPERS, ids=name_of)
def test_experiment_runs(paper, fit):
    results = fit(paper)
    assert results["identity"]["data"] == read(paper)["data"]["class_path"]
    assert all(0 <= row["f1"] <= 1 for row in results["classes"])


@pytest.mark.parametrize("index", range(len(METHODS)), ids=lambda index: METHODS[index].stem)
def test_method_runs_over_a_paper(index, fit, tmp_path):
    content = read(METHODS[index])
    results = fit(PAPERS[index % len(PAPERS)], METHODS[index])
    assert results["identity"]["method"] == ("FrozenHead" if content["then"] else content["model"]["class_path"])
    first = read(tmp_path / "run" / "stage1" / "config.yaml")
    assert first["model"]["class_path"].endswith("." + content["model"]["class_path"])


@pytest.mark.parametrize("first", ["ce", "ldam"])
@pytest.mark.parametrize("head", HEADS, ids=name_of)
def test_head_runs_over_a_first_stage(head, first, fit, tmp_path, capsys):
    extra = ["--then", str(head)]
    configs = EXPERIMENTS / "own_folder.yaml", method(first)
    if first == "ldam" and head.stem in ("lws", "tau_norm"):
        with pytest.raises(AssertionError):
            fit(*configs, extra=extra)
        assert "The head in" in (refusal := capsys.readouterr().err) and "init: new" in refusal
        return
    assert fit(*configs, extra=extra)["identity"]["method"] == "FrozenHead"
    then, second = (read(path) for path in (head, tmp_path / "run" / "stage2" / "config.yaml"))
    cosines = first == "ldam" and "head" not in then["model"]["init_args"]
    assert second["model"]["init_args"]["head"]["class_path"].endswith("NormedLinear") == cosines


@pytest.mark.parametrize(
    "configs",
    [
        ("marrakchi_isic", "variants/marrakchi_released"),
        ("galdran_eyepacs", "variants/galdran_released"),
        ("marrakchi_isic", "variants/laptop"),
        ("marrakchi_isic", "methods/ce", "variants/laptop"),
        ("demo", "variants/laptop"),
        ("zeng_skin7", "methods/ce_crw", "variants/laptop"),
        ("chen_skin7", "variants/laptop"),
        ("galdran_eyepacs", "methods/balanced_mixup", "variants/laptop"),
        ("galdran_hyper_kvasir", "methods/supcon", "variants/laptop"),
    ],
    ids="+".join,
)
def test_variant_runs_over_experiments(configs, fit, tmp_path):
    paths = [EXPERIMENTS / f"{name}.yaml" for name in configs]
    fit(*paths)
    content = {key: value for path in paths for key, value in read(path).items() if key == "then"}
    then = [read(path)["then"] for path in paths[:-1] if "then" in read(path)]
    stages = sorted(path.name for path in (tmp_path / "run").glob("stage*"))
    assert stages == (["stage1", "stage2"] if then and then[-1] else ["stage1"])


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.rglob("*.yaml")), ids=name_of)
def test_experiment_starts_with_its_source(path):
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize("path", PAPERS + BACKBONES, ids=name_of)
def test_backbone_is_one_of_timm(path):
    assert timm.is_model(read(path)["model"]["init_args"]["backbone"])


class Parsing(ImbalCLI):
    """Reads configurations as `fit` does, and stops there."""

    def instantiate_classes(self):
        """Builds nothing."""

    def _run_subcommand(self, subcommand):
        """Trains nothing."""


@functools.cache
def parsing():
    return Parsing(["fit", *with_configs(EXPERIMENTS / "demo.yaml"), "--run_dir", "not a run"])


@functools.cache
def merged(*configs, then=None):
    """The configuration of `fit`, its second stage read."""
    config = parsing()._parser("fit").parse_args(with_configs(*configs))
    config.then = second_stage.merged(config, then)
    return config


def of_method(config):
    """What a method decides: all that is left when the protocol's share is taken away."""
    arguments = {key: value for key, value in config.model.init_args.items() if key not in PROTOCOL}
    drawing = {key: config.data.init_args[key] for key in OF_DATA}
    return {"model": config.model.class_path, **arguments, **drawing}


@pytest.mark.parametrize("path", METHODS, ids=name_of)
def test_method_leaves_nothing_of_the_method_of_any_paper(path):
    own = merged(PAPERS[0], path)
    for paper in PAPERS[1:]:
        other, protocol = merged(paper, path), merged(paper)
        assert of_method(other) == of_method(own), paper.stem
        assert other.then == own.then, paper.stem
        assert other.monitor == protocol.monitor and other.trainer == protocol.trainer
        for name in PROTOCOL & vars(protocol.model.init_args).keys() & vars(other.model.init_args).keys():
            assert other.model.init_args[name] == protocol.model.init_args[name], (paper.stem, name)


def test_real_images_train_and_test(real_isic, tmp_path):
    configs = with_configs(EXPERIMENTS / "marrakchi_isic.yaml", EXPERIMENTS / "variants" / "laptop.yaml")
    few = ["--data.root", str(real_isic), "--data.cache", "none", "--data.image_size", "32", "--trainer.max_epochs", "1"]
    few += ["--then.trainer.max_epochs", "1", "--trainer.limit_train_batches", "2"]
    few += ["--trainer.enable_progress_bar", "false"]
    assert main(["fit", *configs, *few, "--run_dir", str(tmp_path / "run")]) == 0
    results = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert sum(row["images"] for row in results["classes"]) == 3005
    assert len(results["groups"]["minor"]["classes"]) == 4
