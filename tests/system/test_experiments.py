"""Every committed configuration runs, on generated pictures in the data set's own layout."""

import functools
import json

import cv2
import layouts
import numpy as np
import pandas as pd
import pytest
import timm
import torch
import yaml
from jsonargparse import Namespace
from parsing import EXPERIMENTS, merged, second, with_configs

from lightning_imbal.cli import main

PAPERS = sorted(EXPERIMENTS.glob("*.yaml"))
METHODS = sorted(EXPERIMENTS.glob("methods/*.yaml"))
HEADS = sorted(EXPERIMENTS.glob("heads/*.yaml"))
BACKBONES = sorted(EXPERIMENTS.glob("backbones/*.yaml"))
LAYOUTS = {
    "APTOS2019": layouts.aptos,
    "ChulaRBC12": layouts.chula_rbc12,
    "CSVData": layouts.csv_data,
    "EyePACS": layouts.eyepacs,
    "Flowers102LT": layouts.flowers,
    "FolderData": layouts.folder_data,
    "FundusDR": layouts.fundus_dr,
    "ISIC2019": layouts.isic2019,
    "HyperKvasir": layouts.hyper_kvasir,
    "MedMNIST": lambda root: layouts.octmnist(layouts.pathmnist(root)),
    "StanfordDogsLT": layouts.dogs,
    "XRay6": layouts.chest_xray14,
    "XRay9": layouts.chest_xray14,
}
# The same as a method of one stage but for their second one.
TWO_STAGE = [
    path for path in METHODS if path.stem[-4:] in ("_crw", "_crs") and path.with_stem(path.stem[:-4]) in METHODS
]
OTHERS = [path for path in METHODS if path not in TWO_STAGE]
QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false", "--data.num_workers", "0"]
QUIET += ["--laptop", "false"]  # nothing is laid over own images, which are then read once
TINY = [
    *("--model.backbone", "test_resnet", "--model.pretrained", "false", "--data.image_size", "32"),
    *("--data.batch_size", "16", "--trainer.max_epochs", "1", "--trainer.limit_train_batches", "2"),
    *("--trainer.limit_val_batches", "2", "--trainer.limit_test_batches", "2"),
    *("--then.trainer.max_epochs", "1", "--then.data.init_args.batch_size", "16", *QUIET),
]
# A twentieth of the 72 generated images of ISIC2018 would be fewer than its classes.
MORE = {"zeng_skin7": ["--data.split.val", "0.15"]}
# Rows of Table 2 of Zhang et al. 2023 that are ECL with something else.
ABLATION = ("ce_bhp", "2_proxies", "no_cycle")
TUNED = ("lora", "bitfit", "last_block", "layer_decay")  # read in tests/system/test_tuning.py
MORE_VARIANTS = [
    ("marrakchi_isic", "variants/marrakchi_released"),
    ("zeng_skin7", "methods/ce_crw", "variants/group_balanced"),
    ("galdran_eyepacs", "variants/galdran_released"),
    ("zhang_isic2018", "variants/zhang_released"),
    ("marrakchi_isic", "variants/laptop"),
    ("zhang_isic2018", "variants/laptop"),
    ("zhang_isic2019", "methods/bwce"),
    *(("zhang_isic2019", f"variants/zhang_{row}") for row in ABLATION),
    ("demo", "variants/laptop"),
    *(("demo", f"variants/{tuning}") for tuning in TUNED),
    ("zeng_skin7", "methods/ce_crw", "variants/laptop"),
    ("chen_skin7", "variants/laptop"),
    ("galdran_eyepacs", "methods/balanced_mixup", "variants/laptop"),
    ("galdran_hyper_kvasir", "methods/supcon", "variants/laptop"),
    ("zhang_isic2019", "variants/zhang_3_proxies"),
    ("zhang_isic2019", "variants/zhang_4_proxies"),
]
# Laid over anything, and over each other.
EVERYDAY = [
    f"variants/{name}" for name in ("ema", "warmup", "early_stopping", "accumulation", "mixed_precision", "tta8")
]
# Methods of ordered classes, and protocols whose data have some.
ORDERED = ("coral", "corn", "cost_sensitive", "sord")
OF_GRADES = [EXPERIMENTS / f"{name}.yaml" for name in ("galdran_eyepacs", "marrakchi_aptos")]
# Methods that weigh classes by their F1 on a validation part, in the last half of the epochs.
WITH_VAL = ("bwce", "ecl", "ce_tau_norm")
# What images of ISIC2018, of all generated ones, have attributes for.
OF_ATTRIBUTES = {"ce_metadata": ["--data.metadata_columns", "diagnosis_confirm_type"]}
# What belongs to the protocol, or is linked from the data; all else of a model belongs to the method.
PROTOCOL = {"backbone", "pretrained", "optimizer", "scheduler", "predictor"}
PROTOCOL |= {"class_counts", "class_names", "class_groups", "metadata_encoding"}
PROTOCOL |= {"image_size", "pooling", "grad_checkpointing", "architecture"}
PROTOCOL |= {"tuning", "unfreeze", "layer_decay", "checkpoint_parts"}
OF_DATA = ("sampler", "paired_sampler", "views", "more_views")


def read(path):
    return yaml.safe_load(path.read_text())


def name_of(path):
    return path.stem


def method(name):
    return EXPERIMENTS / "methods" / f"{name}.yaml"


def some_slow(values, fast):
    """Parameters, of which those are slow whose kind of fault is found by the others."""
    return [pytest.param(value, marks=[] if value in fast else pytest.mark.slow) for value in values]


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
        run_dir = ["--run_dir", str(tmp_path / "run"), "--data.cache_dir", str(tmp_path / "cache")]
        assert main(["fit", *with_configs(*configs), *args, *extra, *TINY, *run_dir]) == 0
        return json.loads((tmp_path / "run" / "metrics.json").read_text())

    return run


# Each other one has the module of one of these, and data whose reading has tests of its own, or is run elsewhere.
PAPERS_RUN = [
    *(EXPERIMENTS / f"{name}.yaml" for name in ("marrakchi_isic", "zeng_pathmnist", "galdran_eyepacs", "own_csv")),
    EXPERIMENTS / "chula_small.yaml",
]


@pytest.mark.parametrize("paper", some_slow(PAPERS, PAPERS_RUN), ids=name_of)
def test_experiment_runs(paper, fit):
    results = fit(paper)
    assert results["identity"]["data"] == read(paper)["data"]["class_path"]
    assert all(0 <= row["f1"] <= 1 for row in results["classes"])


# Two whose validation part decides, and a module of steps that are written by hand in tests/modules, as those of the
# others of its kind; the others are trained without a paper below.
KINDS = [OTHERS.index(method(name)) for name in ("ecl", "ce_tau_norm", "bbn")]
OVER_ISIC = (*WITH_VAL, *OF_ATTRIBUTES)


@pytest.mark.parametrize("index", some_slow(range(len(OTHERS)), KINDS), ids=lambda index: OTHERS[index].stem)
def test_method_runs_over_a_paper(index, fit, tmp_path):
    content = read(OTHERS[index])
    name = OTHERS[index].stem
    papers = OF_GRADES if name in ORDERED else PAPERS
    paper = EXPERIMENTS / "zhang_isic2018.yaml" if name in OVER_ISIC else papers[index % len(papers)]
    results = fit(paper, OTHERS[index], extra=OF_ATTRIBUTES.get(name, ()))
    assert results["identity"]["method"] == ("FrozenHead" if content["then"] else content["model"]["class_path"])
    first = read(tmp_path / "run" / "stage1" / "config.yaml")
    assert first["model"]["class_path"].endswith("." + content["model"]["class_path"])


FOR_LINEAR = [EXPERIMENTS / "heads" / f"{name}.yaml" for name in ("lws", "tau_norm")]
AFTER = [(head, first) for head in HEADS for first in ("ce", "ldam") if first == "ce" or head not in FOR_LINEAR]


# The others are slow: a head of one's own, and one that is made of the first stage's, are trained above and below.
FAST = [(EXPERIMENTS / "heads" / "ncm.yaml", "ldam")]


@pytest.mark.parametrize("pair", some_slow(AFTER, FAST), ids=[f"{first}-{head.stem}" for head, first in AFTER])
def test_head_runs_after_a_first_stage(pair, fit, tmp_path):
    head, first = pair
    results = fit(EXPERIMENTS / "own_folder.yaml", method(first), extra=["--then", str(head)])
    assert results["identity"]["method"] == "FrozenHead"
    model = read(tmp_path / "run" / "stage2" / "config.yaml")["model"]["init_args"]
    of_first = "NormedLinear" if first == "ldam" else "Linear"
    wanted = read(head)["model"]["init_args"].get("head", {"class_path": of_first})["class_path"]
    assert model["head"]["class_path"].split(".")[-1] == wanted


@pytest.mark.parametrize("head", some_slow(FOR_LINEAR, FOR_LINEAR[:1]), ids=name_of)
def test_head_made_of_a_linear_one_refuses_cosines(head, fit, capsys):
    with pytest.raises(AssertionError):
        fit(EXPERIMENTS / "own_folder.yaml", method("ldam"), extra=["--then", str(head)])
    assert "cannot keep the classifier of the first: NormedLinear is no" in capsys.readouterr().err


@pytest.mark.parametrize(
    "configs",
    [
        ("marrakchi_isic", "methods/ce", "variants/laptop"),
        ("own_folder", "methods/supcon", *EVERYDAY),
        *(pytest.param(more, marks=pytest.mark.slow) for more in [*MORE_VARIANTS, ("zhang_isic2018", *EVERYDAY)]),
    ],
    ids="+".join,
)
def test_variant_runs_over_experiments(configs, fit, tmp_path):
    paths = [EXPERIMENTS / f"{name}.yaml" for name in configs]
    fit(*paths)
    then = [read(path)["then"] for path in paths[:-1] if "then" in read(path)]
    stages = sorted(path.name for path in (tmp_path / "run").glob("stage*"))
    assert stages == (["stage1", "stage2"] if then and then[-1] else ["stage1"])


def test_everyday_overlays_do_what_they_say(tmp_path):
    """Early stopping ends a training that does not improve, and every fourth batch is a step."""
    overlays = [EXPERIMENTS / "variants" / f"{name}.yaml" for name in ("early_stopping", "accumulation")]
    still = ["--model.optimizer.lr", "1e-30", "--trainer.callbacks.patience", "2", "--trainer.log_every_n_steps", "1"]
    few = ["--trainer.limit_train_batches", "5", "--trainer.max_epochs", "9", "--trainer.limit_val_batches", "1"]
    few += ["--trainer.limit_test_batches", "0"]
    args = [*with_configs(EXPERIMENTS / "demo.yaml", method("ce"), *overlays), *still, *few, *QUIET]
    assert main(["fit", *args, "--run_dir", str(tmp_path / "run")]) == 0
    states = [
        torch.load(tmp_path / "run" / "stage1" / "checkpoints" / f"{name}.ckpt", weights_only=True)
        for name in ("best", "last")
    ]
    assert [state["epoch"] for state in states] == [0, 2] and states[1]["global_step"] == 3 * 2


LAID = MORE_VARIANTS + [("marrakchi_isic", name) for name in EVERYDAY]
# Laid over one experiment each, and as the tunings elsewhere.
QUICK = list({more[-1]: more for more in LAID if more[-1].removeprefix("variants/") not in TUNED}.values())


@pytest.mark.parametrize("configs", some_slow(LAID, QUICK), ids="+".join)
def test_variant_can_be_laid_over_an_experiment(configs):
    *below, variant = (EXPERIMENTS / f"{name}.yaml" for name in configs)
    assert merged(*below, variant).as_dict() != merged(*below).as_dict()


def test_any_method_can_be_tested_with_perturbed_input(fit, tmp_path):
    results = fit(EXPERIMENTS / "chen_skin7.yaml", method("ldam_drw"), extra=["--model", "PerturbedClassifier"])
    assert results["identity"]["method"] == "PerturbedClassifier"
    model = read(tmp_path / "run" / "stage1" / "config.yaml")["model"]["init_args"]
    assert [model[name]["class_path"].split(".")[-1] for name in ("loss", "head")] == ["Deferred", "NormedLinear"]
    assert (tmp_path / "run" / "plain" / "metrics.json").is_file()


@pytest.mark.parametrize(
    ("right", "wrong", "named"),
    [
        ("LDAM,", "LDMA,", ["'LDMA'", "LDAM"]),
        ("NormedLinear", "NormdLinear", ["'NormdLinear'", "NormedLinear"]),
        ("max_margin", "max_margn", ["LDAM", "'max_margn'", "max_margin"]),
        ("views", "veiws", ["veiws'", "views"]),
        ("then: null", "then: heads/cwr.yaml", ["heads/cwr.yaml"]),
    ],
)
def test_mistake_in_a_method_is_one_sentence_that_names_it(right, wrong, named, tmp_path, capsys):
    content = method("ldam").read_text()
    assert right in content
    (tmp_path / "mine.yaml").write_text(content.replace(right, wrong))
    assert main(["fit", *with_configs(EXPERIMENTS / "demo.yaml", tmp_path / "mine.yaml")]) == 2
    sentence = capsys.readouterr().err.strip()
    assert len(sentence.splitlines()) == 1 and all(name in sentence for name in named)


def test_mistake_in_the_name_of_a_method_is_one_sentence_that_names_it(capsys):
    assert main(["fit", *with_configs(EXPERIMENTS / "demo.yaml", method("ldma"))]) == 2
    sentence = capsys.readouterr().err.strip()
    assert len(sentence.splitlines()) == 1 and "methods/ldma.yaml" in sentence


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.rglob("*.yaml")), ids=name_of)
def test_file_starts_with_its_source(path):
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize("path", PAPERS + BACKBONES, ids=name_of)
def test_backbone_is_one_of_timm(path):
    assert timm.is_model(read(path)["model"]["init_args"]["backbone"])


def of_method(config):
    """What a method decides: all that is left when the protocol's share is taken away."""
    arguments = {key: value for key, value in vars(config.model.init_args).items() if key not in PROTOCOL}
    drawing = {key: config.data.init_args[key] for key in OF_DATA}
    return {"class_path": config.model.class_path, **arguments, **drawing}


@functools.cache
def kinds_of_paper():
    """One experiment of each kind: those of a kind set the same of a method and differ in their protocol alone."""

    def kind(content):
        model, data = content["model"], content["data"]["init_args"]
        own = {name: value for name, value in model["init_args"].items() if name not in PROTOCOL}
        return str((model["class_path"], own, [data.get(name) for name in OF_DATA], content.get("then")))

    return list({kind(read(paper)): paper for paper in PAPERS}.values())


@pytest.mark.parametrize("path", TWO_STAGE, ids=name_of)
def test_two_stage_method_is_the_one_stage_method_and_a_head(path):
    name, head = path.stem.rsplit("_", 1)
    content = read(path)
    assert content.pop("then") == f"../heads/{head}.yaml"
    assert content | {"then": None} == read(method(name))


def two_of(values, index):
    """Two of some values, others for the next index, so that all of them have their turn."""
    return [values[number % len(values)] for number in (2 * index, 2 * index + 1)]


# Over a paper whose own method is another each; the slow ones are of the same kinds, over others.
@pytest.mark.parametrize(
    "index", some_slow(range(len(METHODS)), range(0, len(METHODS), 12)), ids=lambda index: METHODS[index].stem
)
def test_method_leaves_nothing_of_the_own_method_of_a_paper(index):
    path = METHODS[index]
    over_first = merged(PAPERS[0], path)
    for paper in [PAPERS[0], *two_of(kinds_of_paper()[1:], index)]:
        protocol, config = vars(merged(paper).model.init_args), merged(paper, path)
        assert of_method(config) == of_method(over_first) and config.then == over_first.then, paper.stem
        for name in PROTOCOL & vars(config.model.init_args).keys():
            plain = Namespace(class_path="lightning_imbal.predictors.Plain")
            expected = protocol.get(name, plain if name == "predictor" else None)
            assert config.model.init_args[name] == expected, (paper.stem, name)


def settings(arguments, path=()):
    """The paths of all arguments that are set, such as loss, loss.gamma."""
    for name, value in arguments.items():
        yield ".".join((*path, name))
        if isinstance(value, dict):
            yield from settings(value.get("init_args", {}), (*path, name))


def settings_of_method(config):
    """What a method decides of all that is set in a configuration."""
    model, data = (settings(config[part].get("init_args", {})) for part in ("model", "data"))
    of_model = {path for path in model if path.split(".")[0] not in PROTOCOL}
    return of_model | {path for path in data if path.split(".")[0] in OF_DATA}


@functools.cache
def set_by_any():
    """The settings that any method or paper decides."""
    return set().union(*(settings_of_method(read(path)) for path in METHODS + PAPERS))


@pytest.mark.parametrize("path", some_slow(METHODS, METHODS[::3]), ids=name_of)
def test_method_sets_all_of_its_own_that_another_sets(path):
    # Where it does not, it would have the other's value when it is laid over it.
    config = merged(PAPERS[0], path)
    takes = settings_of_method({"model": config.model.as_dict(), "data": config.data.as_dict()})
    assert takes & set_by_any() == settings_of_method(read(path))


OWN = {"marrakchi": "supcon", "zeng": "contrast_crw", "chen": "perturbed", "zhang": "ecl"}


OF_AUTHORS = [path for path in PAPERS if path.stem.split("_")[0] in OWN]
# One of each author, and the one with a value of its own.
FIRST = [*{path.stem.split("_")[0]: path for path in OF_AUTHORS}.values(), EXPERIMENTS / "chen_xray6.yaml"]


@pytest.mark.parametrize("paper", some_slow(OF_AUTHORS, FIRST), ids=name_of)
def test_method_of_a_paper_is_that_of_its_experiments(paper):
    alone, overlaid = merged(paper), merged(paper, method(OWN[paper.stem.split("_")[0]])).clone()
    if paper.stem == "chen_xray6":
        assert alone.model.init_args.perturb.init_args.epsilon == 1e-4
        overlaid.model.init_args.perturb.init_args.epsilon = 1e-4
    assert (alone.model, alone.data, alone.trainer) == (overlaid.model, overlaid.data, overlaid.trainer)
    if alone.then or overlaid.then:
        alone, overlaid = second(alone), second(overlaid)
        assert (alone.model, alone.data, alone.trainer) == (overlaid.model, overlaid.data, overlaid.trainer)


def test_balanced_mixup_is_that_of_the_paper(fit, tmp_path):
    paper = EXPERIMENTS / "galdran_hyper_kvasir.yaml"
    alone = fit(paper)
    (tmp_path / "run").rename(tmp_path / "alone")
    assert fit(paper, method("balanced_mixup"))["summary"] == alone["summary"]


TRAINED_HEADS = [head for head in HEADS if "optimizer" in read(head)["model"]["init_args"]]


# Read over two of the papers each; the slow ones are set by files of the same form as that of the quick one.
@pytest.mark.parametrize(
    "index", some_slow(range(len(TRAINED_HEADS)), (0,)), ids=lambda index: TRAINED_HEADS[index].stem
)
def test_second_stage_is_the_same_after_the_experiments_of_every_author(index):
    head = TRAINED_HEADS[index]

    def settings_of_stage(paper):
        stage = second(merged(paper, method("ldam"), then=head))
        training = [stage.model.init_args[key] for key in ("optimizer", "scheduler")]
        return of_method(stage), training, [stage.trainer[key] for key in ("max_epochs", "callbacks")]

    first, *others = {paper.stem.split("_")[0]: paper for paper in PAPERS}.values()
    over_first = settings_of_stage(first)
    assert over_first[-1] == [read(head)["trainer"]["max_epochs"], None]
    assert all(settings_of_stage(paper) == over_first for paper in two_of(others, index))


PATTERNS = [
    lambda x, y: (x // 4) % 2,
    lambda x, y: (y // 4) % 2,
    lambda x, y: (x // 4 + y // 4) % 2,
    lambda x, y: (x - 16) ** 2 + (y - 16) ** 2 < 100,
]


LEARNABLE = """
model:
  class_path: Classifier
  init_args:
    backbone: test_resnet
    optimizer: {{class_path: torch.optim.Adam, init_args: {{lr: 0.01}}}}
    scheduler: {{class_path: torch.optim.lr_scheduler.CosineAnnealingLR}}
data:
  class_path: CSVData
  init_args:
    root: {root}
    labels: labels.csv
    split_column: part
    ordered: true
    split: {{class_path: Official, init_args: {{val: 0.0}}}}
    image_size: 32
    batch_size: 16
trainer: {{accelerator: cpu, max_epochs: 12}}
"""
SECOND = """
then:
  model: {init_args: {optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.2, momentum: 0.9}}}}
  data: {init_args: {batch_size: 16}}
  trainer: {max_epochs: 10}
"""


# Every image is trained on: what would be learned from a validation part is given.
WITHOUT_VAL = dict.fromkeys(("bwce", "ecl"), ["--model.loss.balanced", "1"])
WITHOUT_VAL["ce_tau_norm"] = ["--then.model.init_args.head.init_args.tau", "0.7"]
# Ten times the cost draws answers to the middle grades for longer than so few epochs.
MILDER = {"cost_sensitive": ["--model.loss.cost_weight", "1"]}
FURTHER = WITHOUT_VAL | MILDER | {"ce_metadata": ["--data.metadata_columns", "side"]}


@pytest.fixture(scope="module")
def learnable(tmp_path_factory):
    """A protocol whose test part is a copy of its 32 training images: 4 patterns, each in two random colours, noisy."""
    root = tmp_path_factory.mktemp("learnable")
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.arange(32), np.arange(32))
    files = {"train": [], "test": []}
    for number, label in enumerate(layouts.labels([20, 7, 3, 2])):
        fore, back = rng.permutation([rng.uniform(0, 110, 3), rng.uniform(145, 255, 3)])
        image = np.where(PATTERNS[label](x, y)[..., None], fore, back) + rng.normal(0, 12, (32, 32, 3))
        for part, rows in files.items():
            rows.append({"image": f"{part}{number}.png", "label": label, "part": part, "side": number % 2})
            assert cv2.imwrite(str(root / rows[-1]["image"]), image.clip(0, 255).astype(np.uint8))
    pd.DataFrame(files["train"] + files["test"]).to_csv(root / "labels.csv", index=False)
    (root / "protocol.yaml").write_text(LEARNABLE.format(root=root))
    (root / "then.yaml").write_text(SECOND)
    return root


# Another weight, term, mixer, sampler or second stage of one that is run; each loss and sampler has tests of its own.
ALIKE = ("contrast_only_crw", "triplet_crw", "ce_crs", "ce_lws", "cutmix", "remix", "sqrt_sampling", "ldam_drw", "bcl")
ALIKE += ("ce_crt", "ce_drw", "ce_resample", "center_crw", "drs", "focal", "label_smoothing", "ohem", "progressive")
ALIKE += ("rs", "rw", "cb_focal", "bwce", "ce_ncm", "ce_tau_norm", "ldam", "mixup", "mwnl")
ALIKE += ("ce_metadata", "corn", "cost_sensitive", "sord")
ALIKE += ("bbn", "hybrid_sc", "scl", "tsc")  # run above
ALIKE += ("contrast_crw", "perturbed", "balanced_mixup", "ecl")  # as are the experiments of their papers


def train_in_new_ways():
    """The methods of the papers, then those that set anything as no method before them does, but for a few."""
    found, known = [], set()
    for path in sorted(METHODS, key=lambda path: (path.stem not in OWN.values(), bool(read(path)["then"]))):
        content = read(path)
        parts = content["model"], content["model"].pop("init_args"), content["data"]["init_args"]
        choices = {str(choice) for part in parts for choice in part.items()} | {content["then"]}
        if choices - known and path.stem not in ALIKE:
            found.append(path)
        known |= choices
    return found


@pytest.mark.parametrize("path", some_slow(METHODS, train_in_new_ways()), ids=name_of)
def test_method_learns_its_training_images_by_heart(path, learnable, tmp_path):
    configs = with_configs(learnable / "protocol.yaml", path, learnable / "then.yaml")
    assert main(["fit", *configs, *FURTHER.get(path.stem, []), *QUIET, "--run_dir", str(tmp_path / "run")]) == 0
    results = json.loads((tmp_path / "run" / "metrics.json").read_text())
    mixes = read(path)["model"]["init_args"].get("mixer")
    assert results["summary"]["accuracy"] >= (0.95 if mixes else 1)


def test_real_images_train_and_test(real_isic, tmp_path):
    configs = with_configs(EXPERIMENTS / "marrakchi_isic.yaml", EXPERIMENTS / "variants" / "laptop.yaml")
    few = ["--data.root", str(real_isic), "--data.cache", "none", "--data.image_size", "32"]
    few += ["--trainer.max_epochs", "1", "--then.trainer.max_epochs", "1", "--trainer.limit_train_batches", "2"]
    few += ["--trainer.limit_val_batches", "2", "--data.batch_size", "16", "--data.split.test", "0.03", *QUIET]
    assert main(["fit", *configs, *few, "--run_dir", str(tmp_path / "run")]) == 0
    results = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert sum(row["images"] for row in results["classes"]) == 301
    assert len(results["groups"]["minor"]["classes"]) == 4
