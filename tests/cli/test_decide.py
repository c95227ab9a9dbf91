"""`decide` on the command line: what it prints and writes, and what it refuses."""

import json

import numpy as np
import pandas as pd
import pytest
from made_runs import NAMES, write_run, write_validation

from lightning_imbal.cli import main
from lightning_imbal.decisions.file import read_decision
from lightning_imbal.runs.run import Run


@pytest.fixture
def runs(tmp_path):
    """Two seeds of one method."""
    for seed in range(2):
        write_run(tmp_path / f"ce_seed{seed}", images=240, noise=seed, seed=seed)
        write_validation(tmp_path / f"ce_seed{seed}", noise=seed)
    return [str(tmp_path / f"ce_seed{seed}") for seed in range(2)]


def decide(capsys, *args):
    status = main(["decide", *map(str, args)])
    told = capsys.readouterr()
    return status, " ".join(told.out.split()), told.err


def test_without_a_rule_several_are_tried_and_nothing_is_written(runs, capsys):
    status, told, _ = decide(capsys, *runs)
    assert status == 0
    for rule in ("argmax", "PriorAdjusted", "Offsets"):
        assert rule in told
    assert "No decision.json is written: ask for one rule" in told
    assert "Rules are fitted on the validation part, never on the test part" in told


def test_one_rule_is_written_for_each_run_and_its_classes_are_printed(runs, capsys):
    status, told, _ = decide(capsys, *runs, "--rule", "Offsets", "--score", "balanced_accuracy")
    assert status == 0 and "without -> with the rule" in told and "bkl/lk" in told
    for folder in runs:
        stored = read_decision(Run(folder).folder / "decision.json", NAMES)
        assert stored.rule == "Offsets" and stored.settings == {"score": "balanced_accuracy"}
        assert stored.fitted_on["images"] == "the validation part"
    first, second = (read_decision(Run(folder).folder / "decision.json") for folder in runs)
    assert not np.array_equal(first.decision.gain, second.decision.gain), "each run has its own"


def test_two_rules_write_nothing(runs, capsys):
    status, told, _ = decide(capsys, runs[0], "--rule", "Offsets", "PriorAdjusted")
    assert status == 0 and "No decision.json" in told and not (Run(runs[0]).folder / "decision.json").exists()


def test_a_promise_and_what_is_left_unanswered(runs, tmp_path, capsys):
    output = tmp_path / "mel.json"
    status, told, _ = decide(capsys, runs[0], "--sensitivity", "mel=0.5", "--output", output)
    assert status == 0 and list(json.loads(output.read_text())["thresholds"]) == ["mel"]
    status, told, _ = decide(capsys, runs[0], "--abstain", "0.8")
    assert status == 0 and "of the test images are answered" in told and "Of what is answered" in told
    assert read_decision(Run(runs[0]).folder / "decision.json").decision.confidence > 0


def test_prevalence_of_a_file_and_of_the_images_themselves(runs, tmp_path, capsys):
    file = tmp_path / "clinic.csv"
    pd.DataFrame({"class": NAMES, "prevalence": [0.7, 0.1, 0.1, 0.1]}).to_csv(file, index=False)
    status, told, _ = decide(capsys, runs[0], "--rule", "Argmax", "--prevalence", file)
    assert status == 0 and "nv 0.700 (" in told and "at the prevalence of the test images" in told
    ratio = read_decision(Run(runs[0]).folder / "decision.json").decision.ratio
    label = Run(runs[0]).validation.label
    assert ratio == pytest.approx(np.array([0.7, 0.1, 0.1, 0.1]) / (np.bincount(label) / len(label)))
    status, told, _ = decide(capsys, runs[0], "--rule", "Argmax", "--prevalence", "estimate")
    assert status == 0 and "prevalence of the test images by expectation maximisation" in told
    assert "by black-box shift of the answers" in told or "the answers give no second estimate" in told


def test_sets_of_classes(runs, capsys):
    status, told, _ = decide(capsys, *runs, "--sets", "0.9")
    assert status == 0 and "hold the true class of 90% of the images" in told and "left to a person" in told
    assert "argmax" not in told and "decision.json" not in told


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--rule", "Offset"], "There is no rule 'Offset': did you mean Offsets?"),
        (["--rule", "ExpectedCost"], "--rule ExpectedCost is asked for by --costs"),
        (["--rule", "Offsets", "--score", "auc"], "auc"),
        (["--score", "f1"], "--score f1 says what a rule is best in: add --rule Offsets"),
        (["--sensitivity", "mel=1.2"], "1.2"),
        (["--sensitivity", "mel"], "--sensitivity mel is no share of a class: write --sensitivity melanoma=0.9."),
        (["--sensitivity", "melanoma=0.9"], "names the class 'melanoma', but the classes are nv, mel, bkl/lk, df"),
        (["--sensitivity", "df=0.99"], "too few validation images of df to promise"),
        (["--confidence", "0.9"], "--confidence is that of a promise"),
        (["--sensitivity", "mel=0.5", "--confidence", "0"], "confidence must be above 0 and below 1, but is 0"),
        (["--sets", "0.9", "--csv", "s.csv"], "--csv is for the scores of rules that answer every image"),
        (["--abstain", "0.9", "--csv", "s.csv"], "--csv is for the scores of rules that answer every image"),
        (["--costs", "absent.csv"], "absent.csv"),
        (["--prevalence", "absent.csv"], "absent.csv"),
        (["--sets", "90"], "--sets is 90: give a share above 0 and below 1"),
        (["--output", "d.json"], "--output is for the decision of one run by one rule"),
        (["--rule", "Offsets", "--output", "d.txt"], "d.txt is no JSON file"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_nothing_is_written(
    options, sentence, runs, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    status, _, told = decide(capsys, runs[0], *options)
    assert status == 2 and told.count("\n") == 1 and sentence in told
    assert sorted(tmp_path.rglob("*")) == before


def test_costs_with_an_unknown_class_and_a_prevalence_that_is_none(runs, tmp_path, capsys):
    costs, shares = tmp_path / "costs.csv", tmp_path / "shares.csv"
    pd.DataFrame(np.ones((4, 4)), index=NAMES, columns=[*NAMES[:3], "scc"]).to_csv(costs)
    status, _, told = decide(capsys, runs[0], "--costs", costs)
    assert status == 2 and "'scc'" in told
    pd.DataFrame({"class": NAMES, "prevalence": [0.5, 0.1, 0.1, 0.1]}).to_csv(shares, index=False)
    status, _, told = decide(capsys, runs[0], "--rule", "Argmax", "--prevalence", shares)
    assert status == 2 and "sum to 0.8, but must sum to 1" in told


def test_sets_need_a_validation_part(tmp_path, capsys):
    for fold in range(2):
        split = {"kind": "KFold", "folds": 2, "fold": fold, "seed": 0, "group_by": None}
        write_run(tmp_path / f"ce_fold{fold}", images=100, first=100 * fold, noise=fold, split=split)
    folds = [tmp_path / f"ce_fold{fold}" for fold in range(2)]
    status, _, told = decide(capsys, *folds, "--sets", "0.9")
    assert status == 2 and "sets are calibrated on a validation part, and these folds have none" in told
    status, _, told = decide(capsys, folds[0], "--sets", "0.9")
    assert status == 2 and "has no validation part" in told


def test_a_promise_that_one_method_cannot_keep_is_written_for_the_other(tmp_path, capsys):
    for name, images in {"ce": 480, "rw": 40}.items():
        write_run(tmp_path / f"{name}_seed0", images=240, noise=images)
        write_validation(tmp_path / f"{name}_seed0", images=images)
    folders = [tmp_path / f"{name}_seed0" for name in ("ce", "rw")]
    status, told, _ = decide(capsys, *folders, "--sensitivity", "mel=0.8")
    assert status == 0 and "too few validation images of mel" in told
    assert [(folder / "decision.json").exists() for folder in folders] == [True, False]


def test_a_run_without_a_validation_part_or_predictions(tmp_path, capsys):
    write_run(tmp_path / "run", images=100)
    status, _, told = decide(capsys, tmp_path / "run")
    assert status == 2 and "has no validation part, which a decision is fitted on" in told
    write_run(tmp_path / "other", images=100, predictions=False)
    status, _, told = decide(capsys, tmp_path / "other")
    assert status == 2 and "has no predictions of single images" in told
