"""What finished runs got right and wrong, and the options that they differ in."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from made_runs import GROUPS, NAMES, write_features, write_run, write_stage
from scipy.stats import binom
from sklearn.metrics import confusion_matrix

from lightning_imbal.errors import UserError
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.runs.run import Run
from lightning_imbal.stats import analysis
from lightning_imbal.stats.read_runs import methods_of, read_runs
from lightning_imbal.stats.settings import configurations, settings
from lightning_imbal.stats.sweeps import sweeps

WHOLE = {"trainer": "{}", "model": "{}", "data": "{}", "ckpt_path": "null"}  # of each stage's configuration


def runs_of(*folders):
    """The runs of the only row."""
    (runs,) = methods_of(folders).values()
    return runs


def made(tmp_path, image, label, probability, counts=(30, 20, 10), repeat="seed 0"):
    """A run of the classes a, b and c."""
    label = np.array(label)
    groups = {"major": ("a",), "minor": ("b", "c")}
    images = np.bincount(label, minlength=3).tolist()
    found = {"classes": [{"name": name, "images": number} for name, number in zip("abc", images, strict=True)]}
    alone = np.ones(len(image), dtype=bool)
    predictions = Predictions(
        np.array(image), np.array(image), alone, label, np.array(probability), ("a", "b", "c"), counts, groups
    )
    run = Run(tmp_path, repeat)
    run.results, run.predictions = found, predictions  # as if they had been read
    return run


def slow_reliability(confidence, correct):
    """Equation 3 of Guo et al., image by image."""
    bins = {}
    for each, right in zip(confidence, correct, strict=True):
        bins.setdefault(min(int(each * 15), 14), []).append((each, float(right)))
    gaps = [abs(sum(each for each, _ in inside) - sum(right for _, right in inside)) for inside in bins.values()]
    return bins, sum(gaps) / len(confidence)


@pytest.mark.slow  # tests/test_floors.py imports every module that reads results
def test_statistics_and_the_report_need_no_torch():
    modules = ", ".join(f"lightning_imbal.stats.{name}" for name in ("analysis", "compared", "sweeps"))
    code = f"import sys, {modules}; print({{'torch', 'lightning'}} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"


def test_confusion_is_summed_over_the_runs_with_true_classes_in_rows(tmp_path):
    for seed in range(2):
        write_run(tmp_path / f"ce+seed{seed}", noise=seed, seed=seed)
    runs = runs_of(tmp_path / "ce+seed0", tmp_path / "ce+seed1")
    label = np.concatenate([run.predictions.label for run in runs])
    predicted = np.concatenate([run.predictions.probability.argmax(axis=1) for run in runs])
    found = analysis.confusion(runs)
    assert np.array_equal(found, confusion_matrix(label, predicted))
    assert np.issubdtype(found.dtype, np.integer)


@pytest.mark.parametrize("skill", [0.0, 1.0, 30.0])
def test_calibration_error_of_a_run_is_the_one_in_its_metrics(tmp_path, skill):
    write_run(tmp_path / "ce", skill=skill)
    runs = runs_of(tmp_path / "ce")
    found = analysis.reliability(runs)["all"]
    probability = runs[0].predictions.probability
    correct = probability.argmax(axis=1) == runs[0].predictions.label
    bins, ece = slow_reliability(probability.max(axis=1), correct)
    assert found.ece == pytest.approx(runs[0].results["summary"]["ece"], abs=1e-6)
    assert found.ece == pytest.approx(ece, abs=1e-12)
    assert found.images == 240
    for row in found.bins.itertuples():
        inside = bins.pop(round(row.low * 15))
        assert (row.confidence, row.accuracy, row.images) == (*map(pytest.approx, np.mean(inside, axis=0)), len(inside))
        assert row.low <= row.confidence <= row.high == pytest.approx(row.low + 1 / 15)
    assert not bins


def test_full_confidence_is_in_the_last_bin(tmp_path):
    run = made(tmp_path, ["1", "2"], [0, 1], [[1.0, 0, 0], [1.0001, 0, 0]])
    (row,) = analysis.reliability([run])["all"].bins.itertuples(index=False)
    assert tuple(row) == pytest.approx((14 / 15, 1, 1, 0.5, 2))


def test_groups_of_classes_share_the_predictions_of_all_runs(tmp_path):
    for seed in range(2):
        write_run(tmp_path / f"ce+seed{seed}", noise=seed, seed=seed)
    runs = runs_of(tmp_path / "ce+seed0", tmp_path / "ce+seed1")
    found = analysis.reliability(runs)
    assert list(found) == ["all", *GROUPS]
    assert found["all"].images == 480 == found["all"].bins["images"].sum()
    together = pd.concat([found[group].bins for group in GROUPS]).groupby("low")["images"].sum()
    assert together.tolist() == found["all"].bins["images"].tolist()
    of_runs = []
    for run in runs:
        rare = run.predictions.label >= 2
        probability = run.predictions.probability[rare]
        correct = probability.argmax(axis=1) == run.predictions.label[rare]
        of_runs.append(slow_reliability(probability.max(axis=1), correct)[1])
    assert found["minor"].ece == pytest.approx(np.mean(of_runs), abs=1e-12) and of_runs[0] != of_runs[1]


def test_what_a_calibrated_network_would_not_exceed(tmp_path):
    """By hand: all answers have a confidence of 0.6, so that the error is |share of right answers - 0.6|."""
    runs = [made(tmp_path, [str(image) for image in range(50)], [0] * 50, [[0.6, 0.3, 0.1]] * 50) for _ in range(2)]
    # The answers of both runs to an image are right together.
    drawn = np.abs(binom(50, 0.6).rvs(100_000, random_state=0) / 50 - 0.6)
    for given in (runs, runs[:1]):
        assert analysis.reliability(given)["all"].calibrated == pytest.approx(np.quantile(drawn, 0.95), abs=0.021)
    # Of five patients with ten images each, whose answers are right together, none to five have right ones.
    patients = runs[0]
    patients.predictions = replace(patients.predictions, unit=np.repeat(list("abcde"), 10))
    assert analysis.reliability([patients])["all"].calibrated == pytest.approx(0.4, abs=1e-6)
    certain = made(tmp_path, ["1", "2"], [0, 1], [[1.0, 0, 0]] * 2)
    assert analysis.reliability([certain])["all"].calibrated == pytest.approx(0, abs=1e-6)


def test_a_group_without_images_has_no_calibration(tmp_path):
    write_run(tmp_path / "ce", classes=[0, 1])
    assert list(analysis.reliability(runs_of(tmp_path / "ce"))) == ["all", "major"]


def test_runs_without_predictions_have_neither_calibration_nor_worst_images(tmp_path):
    write_run(tmp_path / "ce", predictions=False)
    runs = runs_of(tmp_path / "ce")
    assert analysis.reliability(runs) == {}
    assert list(analysis.worst(runs)) == ["image", "label", "predicted", "probability", "confidence", "run"]
    assert analysis.worst(runs).empty


SIX = [[0.1, 0.9, 0], [0.3, 0.1, 0.6], [0.8, 0.1, 0.1], [0.5, 0.2, 0.3], [0.7, 0.1, 0.2], [0.2, 0.5, 0.3]]


def test_worst_images_come_class_by_class_from_the_rarest(tmp_path):
    run = made(tmp_path, list("123456"), [0, 0, 0, 1, 1, 2], SIX)
    found = analysis.worst([run])
    assert found.to_dict("split")["data"] == [
        ["6", "c", "b", 0.3, 0.5, 0],
        ["5", "b", "a", 0.1, 0.7, 0],
        ["1", "a", "b", 0.1, 0.9, 0],
        ["4", "b", "a", 0.2, 0.5, 0],
        ["2", "a", "c", 0.3, 0.6, 0],
    ]
    assert analysis.worst([run], number=2).equals(found.head(2))
    common = made(tmp_path, list("123456"), [0, 0, 0, 1, 1, 2], SIX, counts=(10, 20, 30))
    assert analysis.worst([common])["label"].tolist() == ["a", "b", "c", "a", "b"]


def test_worst_images_are_those_of_the_mean_over_seeds(tmp_path):
    first = made(tmp_path, ["1", "2"], [0, 1], [[0.4, 0.6, 0], [0.8, 0.2, 0]])
    second = made(tmp_path, ["2", "1"], [1, 0], [[0.4, 0.3, 0.3], [0.9, 0.1, 0]])
    (row,) = analysis.worst([first, second]).to_dict("records")
    assert row == {
        **{"image": "2", "label": "b", "predicted": "a", "run": 0},
        **{"probability": pytest.approx(0.25), "confidence": pytest.approx(0.6)},
    }


def test_a_worst_image_names_a_run_that_tested_it(tmp_path):
    nothing = Run(tmp_path, "fold 0")
    folds = [made(tmp_path, [name], [0], [[0.2, 0.8, 0]]) for name in "xyz"]
    found = analysis.worst([nothing, *folds])
    assert dict(zip(found["image"], found["run"], strict=True)) == {"x": 1, "y": 2, "z": 3}


def test_learning_curves_hold_every_epoch_of_every_stage_but_no_test(tmp_path):
    write_run(tmp_path / "ce+seed3", seed=3)
    write_stage(tmp_path / "ce+seed3" / "stage1", epochs=4)
    write_stage(tmp_path / "ce+seed3" / "stage2", epochs=2)
    (tmp_path / "ce+seed3" / "stage3").mkdir()
    found = analysis.learning_curves(runs_of(tmp_path / "ce+seed3"))
    assert list(found) == ["run", "stage", "epoch", "score", "value"]
    assert set(found["run"]) == {"seed 3"}
    assert set(found["score"]) == {"train/loss", "val/loss", "val/f1", *(f"val/f1/{name}" for name in NAMES)}
    for stage, epochs in {"stage1": 4, "stage2": 2}.items():
        curves = found[found["stage"] == stage].pivot(index="epoch", columns="score", values="value")
        assert curves.index.tolist() == list(range(1, epochs + 1))
        assert curves["train/loss"].tolist() == [2 / epoch for epoch in range(1, epochs + 1)]
        assert curves["val/f1"].tolist() == pytest.approx([0.1 * epoch for epoch in range(epochs)])
        assert curves.notna().all(axis=None)


def test_an_epoch_that_a_resumed_run_repeats_counts_as_it_was_the_last_time(tmp_path):
    write_run(tmp_path / "ce")
    write_stage(tmp_path / "ce" / "stage1", epochs=2)
    file = tmp_path / "ce" / "stage1" / "metrics.csv"
    again = pd.DataFrame({"epoch": [1, 2], "step": [19, 29], "train/loss": [0.7, 0.6]})
    pd.concat([pd.read_csv(file), again]).to_csv(file, index=False)
    found = analysis.learning_curves(runs_of(tmp_path / "ce"))
    assert found.loc[found["score"] == "train/loss", ["epoch", "value"]].to_numpy().tolist() == [
        *([1, 2.0], [2, 0.7], [3, 0.6])
    ]


def test_a_run_without_curves_has_an_empty_table(tmp_path):
    write_run(tmp_path / "ce")
    assert list(analysis.learning_curves(runs_of(tmp_path / "ce"))) == ["run", "stage", "epoch", "score", "value"]


def test_map_shows_the_images_that_have_a_place(tmp_path):
    write_run(tmp_path / "ce")
    (run,) = runs_of(tmp_path / "ce")
    assert run.feature_map() is None
    write_features(tmp_path / "ce")
    found = run.feature_map()
    with np.load(tmp_path / "ce" / "features.npz") as arrays:
        placed = np.arange(240) % 5 > 0
        assert list(found) == ["image", "label", "x", "y"]
        assert all(np.array_equal(found[name], arrays[name][placed]) for name in found)


def test_an_archive_with_pickled_objects_is_not_opened(tmp_path):
    write_run(tmp_path / "ce")
    np.savez(tmp_path / "ce" / "features.npz", image=np.array([{}], dtype=object))
    with pytest.raises(UserError, match="features.npz is cut off, damaged or not what this program wrote"):
        runs_of(tmp_path / "ce")[0].feature_map()


def test_folds_test_different_images_and_seeds_the_same(tmp_path):
    parts = {"fold": [(0, 160), (160, 80)], "seed": [(0, 240), (0, 240)]}
    for kind, ranges in parts.items():
        for number, (first, images) in enumerate(ranges):
            identity = {"split": {"fold": number}} if kind == "fold" else {"seed": number}
            write_run(tmp_path / f"{kind}+{kind}{number}", images, first, **identity)
    label = pd.read_parquet(tmp_path / "seed+seed0" / "predictions.parquet")["label"]
    want = {name: int((label == name).sum()) for name in NAMES}
    for kind in parts:
        found = analysis.test_counts([runs_of(*sorted(tmp_path.glob(f"{kind}+*")))])
        assert list(found.items()) == list(want.items())


def test_without_predictions_the_largest_test_set_counts(tmp_path):
    write_run(tmp_path / "ce+seed0", 160, predictions=False)
    write_run(tmp_path / "ce+seed1", 240, predictions=False, seed=1)
    runs = runs_of(tmp_path / "ce+seed0", tmp_path / "ce+seed1")
    assert sum(analysis.test_counts([runs]).values()) == 240


def test_images_of_different_methods_are_never_added(tmp_path):
    """Folds of one cross-validation are one test, but not where each is another method's."""
    for number, (first, images) in enumerate([(0, 160), (160, 80)]):
        write_run(tmp_path / f"m{number}", images, first, split={"kind": "KFold", "folds": 3, "fold": number})
    rows = [runs_of(tmp_path / "m0"), runs_of(tmp_path / "m1")]
    assert analysis.test_counts(rows) == analysis.test_counts(rows[:1])
    assert sum(analysis.test_counts([rows[0] + rows[1]]).values()) == 240


def write_config(folder, config):
    (folder / "stage1").mkdir(parents=True)
    text = config if isinstance(config, str) else yaml.safe_dump(config)
    # What is empty is no setting.
    more = [f"{name}: {empty}\n" for name, empty in WHOLE.items() if f"{name}:" not in text]
    (folder / "stage1" / "config.yaml").write_text(text + "".join(more))


def write_record(folder, *configs, **options):
    """Leaves what a table asked a further test for, and its results."""
    write_run(folder, predictions=False)
    identity = {"configs": list(configs), "options": {name.replace("__", "."): text for name, text in options.items()}}
    (folder / "command.json").write_text(json.dumps({"identity": identity, "seconds": 1.0}))


def test_configurations_are_the_text_of_every_stage(tmp_path):
    for number in (1, 2):
        (tmp_path / f"stage{number}").mkdir()
        (tmp_path / f"stage{number}" / "config.yaml").write_text(f"# {number}\n")
    (tmp_path / "stage3").mkdir()
    assert (
        configurations(Run(tmp_path))
        == configurations(Run(tmp_path / "plain"))
        == {"stage1": "# 1\n", "stage2": "# 2\n"}
    )


def test_settings_are_what_decides_the_results(tmp_path):
    machine = {"accelerator": "gpu", "logger": {"class_path": "X", "init_args": {"a": 1}}, "default_root_dir": "."}
    split = {"class_path": "KFold", "init_args": {"folds": 5, "fold": 2, "seed": 1}}
    data = {"root": "images", "num_workers": 4, "cache": "disk", "cache_dir": "/c", "split": split, "mean": [0.5, 0.4]}
    model = {"class_path": "p.M", "init_args": {"class_counts": [5, 2], "loss": {"class_path": "F", "init_args": {}}}}
    config = {
        **{"seed_everything": 3, "run_dir": "runs/x", "ckpt_path": "last", "config": ["a.yaml"]},
        **{"trainer": machine | {"max_epochs": 4}, "model": model, "data": {"class_path": "D", "init_args": data}},
        "then": {"trainer": machine | {"max_epochs": 2}, "data": {"init_args": {"num_workers": 1, "batch_size": 8}}},
    }
    write_config(tmp_path, config)
    assert settings(Run(tmp_path)) == {
        **{"trainer.max_epochs": 4, "model.class_path": "p.M", "model.loss.class_path": "F", "data.class_path": "D"},
        **{"data.split.class_path": "KFold", "data.split.folds": 5, "data.mean": (0.5, 0.4)},
        **{"then.trainer.max_epochs": 2, "then.data.batch_size": 8},
    }


def test_tags_dates_and_exponents_do_not_break_the_reading(tmp_path):
    text = "a: !!python/tuple [1, [2]]\nb: !mine {c: 2021-13-45}\nd: !other x\ne: 1e-05\nf: [{class_path: X}]\n"
    write_config(tmp_path, text)
    found = settings(Run(tmp_path))
    assert found == {"a": (1, (2,)), "b.c": "2021-13-45", "d": "x", "e": 1e-5, "f": ((("class_path", "X"),),)}
    hash(tuple(found.items()))


def test_a_folder_without_configuration_has_no_settings(tmp_path):
    assert settings(Run(tmp_path)) == configurations(Run(tmp_path)) == {}


def test_a_further_test_has_its_own_options_over_those_of_its_run(tmp_path):
    write_config(tmp_path, {"model": {"class_path": "P", "init_args": {"perturb": {"init_args": {"epsilon": 0.1}}}}})
    write_record(tmp_path, "protocol.yaml", model__perturb__epsilon="9")
    run = {"model.class_path": "P", "model.perturb.epsilon": 0.1}
    assert settings(Run(tmp_path)) == run
    assert settings(Run(tmp_path / "plain")) == run | {"report": "plain"}
    options = {"model__perturb__epsilon": "1e-05", "model__name": "@x", "data__cache": "disk", "model__more": "[1, 2]"}
    write_record(tmp_path / "test_small", **options)
    small = {"model.class_path": "P", "model.perturb.epsilon": 1e-5, "model.name": "@x", "model.more": (1, 2)}
    assert settings(Run(tmp_path / "test_small")) == small
    assert settings(Run(tmp_path / "test_small" / "plain")) == small | {"report": "plain"}
    write_record(tmp_path / "test_other", "adjusted.yaml")
    assert settings(Run(tmp_path / "test_other")) == run | {"configs": ("adjusted.yaml",)}


def loss(name, **settings):
    return {"loss": {"class_path": f"lightning_imbal.losses.{name}", "init_args": settings}}


def sweeps_of(folder, **rows):
    """The sweeps of rows that have these arguments of the model."""
    for row, arguments in rows.items():
        write_run(folder / row, predictions=False)
        write_stage(folder / row / "stage1", epochs=1, **arguments)
    return swept([folder / row for row in rows])


def swept(folders):
    """The sweeps of runs, each row by the folder of its run."""
    results = read_runs(folders)
    [rows] = results.runs.values()
    folder = {name: run.folder.relative_to(folders[0].parent).as_posix() for name, [run] in rows.items()}

    def by_folder(sweep):
        curves = {name: [(x, folder[row]) for x, row in points] for name, points in sweep.curves.items()}
        return replace(sweep, curves=curves)

    return list(map(by_folder, sweeps(results)))


def test_rows_that_differ_in_a_number_alone_are_a_sweep(tmp_path):
    (found,) = sweeps_of(tmp_path, c=loss("Focal", gamma=3), a=loss("Focal", gamma=1), b=loss("Focal", gamma=2.0))
    assert found.option == "model.loss.gamma"
    assert found.curves == {"": [(1, "a"), (2, "b"), (3, "c")]}


def test_other_settings_make_curves_of_their_own(tmp_path):
    rows = {f"{name}{gamma}": loss(name, gamma=gamma) for name in ("Focal", "OHEM") for gamma in (1, 2)}
    (found,) = sweeps_of(tmp_path, **rows, ce=loss("CrossEntropy"))
    assert found.curves == {"Focal": [(1, "Focal1"), (2, "Focal2")], "OHEM": [(1, "OHEM1"), (2, "OHEM2")]}


def test_a_grid_is_a_sweep_of_each_option_with_a_curve_for_every_value_of_the_other(tmp_path):
    rows = {f"g{gamma}q{q}": loss("Focal", gamma=gamma) | {"q": q} for gamma in (1, 2) for q in (0, 0.5)}
    gamma, q = sweeps_of(tmp_path, **rows)
    assert gamma.option == "model.loss.gamma" and q.option == "model.q"
    assert gamma.curves == {"q=0": [(1, "g1q0"), (2, "g2q0")], "q=0.5": [(1, "g1q0.5"), (2, "g2q0.5")]}
    assert q.curves == {"gamma=1": [(0, "g1q0"), (0.5, "g1q0.5")], "gamma=2": [(0, "g2q0"), (0.5, "g2q0.5")]}


def test_curves_are_named_after_their_classes_first(tmp_path):
    grid = [(name, a, gamma) for name in ("Focal", "OHEM") for a in (0, 1) for gamma in (1, 2)]
    rows = {f"{name}-{a}-{gamma}": loss(name, gamma=gamma) | {"a": a} for name, a, gamma in grid}
    _, gamma = sorted(sweeps_of(tmp_path, **rows), key=lambda sweep: sweep.option)
    assert list(gamma.curves) == ["Focal, a=0", "Focal, a=1", "OHEM, a=0", "OHEM, a=1"]


def test_a_curve_without_a_class_is_named_after_what_it_lacks(tmp_path):
    mixers = {"none": None, "mixup": {"class_path": "lightning_imbal.mixers.Mixup", "init_args": {"alpha": 0.2}}}
    rows = {
        f"{name}{gamma}": loss("Focal", gamma=gamma) | {"mixer": mixers[name]} for name in mixers for gamma in (1, 2)
    }
    (found,) = sweeps_of(tmp_path, **rows)
    assert list(found.curves) == ["no mixer", "Mixup"]


def test_curves_that_settings_do_not_tell_apart_are_named_after_their_first_row(tmp_path):
    for lr in (0.1, 0.2):
        write_run(tmp_path / f"ce{lr}", predictions=False)
        write_run(tmp_path / f"ce{lr}" / "plain", predictions=False)
        write_stage(tmp_path / f"ce{lr}" / "stage1", epochs=1, lr=lr)
    folders = [tmp_path / name for name in ("ce0.1", "ce0.1/plain", "ce0.2", "ce0.2/plain")]
    (found,) = swept(folders)
    assert found.option == "model.optimizer.lr"
    assert found.curves == {
        "lr 0.1": [(0.1, "ce0.1"), (0.2, "ce0.2")],
        "lr 0.1, report plain": [(0.1, "ce0.1/plain"), (0.2, "ce0.2/plain")],
    }


@pytest.mark.parametrize(
    "rows",
    [
        {"a": {"q": 0, "r": 0}, "b": {"q": 1, "r": 1}},
        {"a": {"flag": True}, "b": {"flag": False}},
        {"a": {"q": 1}, "b": {"q": 1}},
        {"a": {"q": 1}, "b": {"q": None}},
        {"a": {"q": 1}, "b": {"q": "two"}},
        {"a": {"q": 1}, "b": {}},
        {"a": {"q": 1}},
    ],
    ids=["two options", "a switch", "one value", "nothing", "text", "absent", "one row"],
)
def test_what_is_no_sweep(tmp_path, rows):
    assert sweeps_of(tmp_path, **rows) == []


def test_seeds_are_no_sweep(tmp_path):
    for row in ("a", "b"):
        write_run(tmp_path / row, predictions=False)
    write_stage(tmp_path / "a" / "stage1", seed=0)
    write_stage(tmp_path / "b" / "stage1", seed=1)
    assert sweeps(read_runs([tmp_path / "a", tmp_path / "b"])) == []


def test_further_tests_of_one_checkpoint_are_a_sweep(tmp_path):
    run = tmp_path / "ce"
    write_run(run, predictions=False)
    write_stage(run / "stage1", perturb={"init_args": {"epsilon": 0.001, "temperature": 1000}})
    write_run(run / "plain", predictions=False)
    for name, epsilon in {"test_small": "0.0001", "test_large": "0.01"}.items():
        write_record(run / name, model__perturb__epsilon=epsilon)
    (found,) = swept([run, run / "plain", run / "test_small", run / "test_large"])
    assert found.option == "model.perturb.epsilon"
    ((name, points),) = found.curves.items()
    assert name == ""
    assert [value for value, _ in points] == [0.0001, 0.001, 0.01]
    assert [row.rpartition("/")[2] for _, row in points] == ["test_small", "ce", "test_large"]
