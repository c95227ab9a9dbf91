"""Decisions of finished runs: fitted on validation images or other folds, never on what is tested."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_runs import write_run, write_split, write_validation

from lightning_imbal.decisions import Abstain, Argmax, ExpectedCost, Offsets, PriorAdjusted, Sensitivity, Specificity
from lightning_imbal.errors import UserError
from lightning_imbal.launch.plan import Plan
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.decided import about, decided, decided_runs, decisions_of, fit, fitted_on, labelled
from lightning_imbal.stats.derived import DerivedRun
from lightning_imbal.stats.results import collect
from lightning_imbal.stats.rounds import Round
from lightning_imbal.stats.rule_results import ARGMAX, rule_results
from lightning_imbal.tables.spec import Column, Metric, Row, Spec

RULES = [
    Argmax(),
    PriorAdjusted("balanced_accuracy"),
    Offsets(),
    Offsets("balanced_accuracy"),
    Offsets("recall/df"),
    Sensitivity({"mel": 0.5}),
    Specificity({"mel": 0.6}),
    Abstain(coverage=0.8),
]


def run_in(folder, seed=0, images=240, **options):
    write_run(folder, images=images, noise=seed, seed=seed, **options)
    write_validation(folder, noise=seed)
    return Run(folder, f"seed {seed}")


def folds_in(folder, number=3, of=None):
    for fold in range(of or number):
        split = {"kind": "KFold", "folds": number, "fold": fold, "seed": 0, "group_by": None}
        write_run(folder / f"fold{fold}", images=100, first=100 * fold, noise=fold, split=split)
    return [Run(folder / f"fold{fold}", f"fold {fold}") for fold in range(of or number)]


def same(first, second):
    parts = ("gain", "ratio", "confidence")
    return first.thresholds == second.thresholds and all(
        np.array_equal(getattr(first, part), getattr(second, part)) for part in parts
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{type(rule).__name__} {list(vars(rule).values())}")
def test_the_labels_of_the_test_images_change_no_decision(rule, tmp_path):
    run = run_in(tmp_path / "run")
    [before] = decisions_of([run], rule)
    label = np.random.default_rng(1).permutation(run.predictions.label)
    turned = DerivedRun(run, lambda found: replace(found, label=label))
    assert (turned.predictions.label != run.predictions.label).any()
    [after] = decisions_of([turned], rule)
    assert same(before, after)
    [other] = decisions_of([run_in(tmp_path / "other", seed=5)], rule)
    assert isinstance(rule, Argmax) or not same(before, other), "those of the validation images do"


def test_a_fold_is_decided_by_the_test_images_of_the_others_alone(tmp_path):
    runs = folds_in(tmp_path)
    found = decisions_of(runs, Offsets())
    for place, decision in enumerate(found):
        others = Round(tuple(run.predictions for run in runs if run is not runs[place])).joined
        assert same(decision, Offsets().fit(labelled(others)))
    assert not same(*found[:2])
    assert {each.of for each in fitted_on(runs)} == {"the test images of the other folds"}


def test_a_validation_part_is_preferred_to_other_folds(tmp_path):
    runs = folds_in(tmp_path)
    for fold in range(3):
        write_validation(tmp_path / f"fold{fold}", noise=fold)
    runs = [Run(run.folder, run.repeat) for run in runs]
    assert [len(each.images.label) for each in fitted_on(runs)] == [120] * 3


def test_without_validation_images_there_is_no_decision(tmp_path):
    write_run(tmp_path / "run", images=100)
    with pytest.raises(UserError, match=r"run has no validation part, which a decision is fitted on: train with one"):
        decisions_of([Run(tmp_path / "run")], Offsets())
    write_split(tmp_path / "run")
    table = pd.read_csv(tmp_path / "run" / "stage1" / "split.csv")
    table.loc[1500:, "part"] = "val"
    table.to_csv(tmp_path / "run" / "stage1" / "split.csv", index=False)
    with pytest.raises(UserError, match=r"no predictions of its validation part .*best\.ckpt` writes them"):
        decisions_of([Run(tmp_path / "run")], Offsets())


def test_a_fold_whose_others_have_no_predictions_has_no_decision(tmp_path):
    runs = folds_in(tmp_path)
    (runs[1].folder / "predictions.parquet").unlink()
    with pytest.raises(UserError, match="fold0 has no validation part"):
        decisions_of([Run(run.folder, run.repeat) for run in runs], Offsets())


def test_what_is_decided_is_what_is_scored(tmp_path):
    run = run_in(tmp_path / "run")
    [derived] = decided_runs([run], Offsets("recall/df"))
    [decision] = decisions_of([run], Offsets("recall/df"))
    answers = (run.predictions.probability @ decision.gain).argmax(axis=1)
    assert (answers != run.predictions.answers).any()
    label = run.predictions.label
    for c, name in enumerate(run.class_names):
        assert derived.score(f"recall/{name}") == pytest.approx((answers == c)[label == c].mean())
    assert derived.score("auc") == pytest.approx(run.score("auc"), abs=1e-6), "which is of the probabilities"
    assert derived.repeat == "seed 0" and decided_runs([], Offsets()) == []


def test_a_rule_that_leaves_images_without_an_answer_is_not_scored(tmp_path):
    with pytest.raises(UserError, match="Abstain leaves images without an answer, so that a table cannot score it"):
        decided_runs([run_in(tmp_path / "run")], Abstain(coverage=0.5))


def test_for_another_prevalence_the_rule_is_fitted_to_what_will_be_seen(tmp_path):
    [fitted] = fitted_on([run_in(tmp_path / "run")])
    share, images = np.array([0.1, 0.2, 0.3, 0.4]), labelled(fitted.images)
    decision = fit(Argmax(), fitted, share)
    before = np.bincount(images.label) / len(images.label)
    assert decision.ratio == pytest.approx(share / before)
    expected = (images.probability * share / before).argmax(axis=1)
    assert decision.answer(images.probability).tolist() == expected.tolist()
    assert (expected != images.probability.argmax(axis=1)).any()
    # Every image of a class counts as much more as the class is to be seen more often.
    adjusted = images.probability * (share / before)
    again = replace(
        images, probability=adjusted / adjusted.sum(axis=1, keepdims=True), weight=(share / before)[images.label]
    )
    assert fit(Offsets(), fitted, share).gain == pytest.approx(Offsets().fit(again).gain)


def test_a_decision_says_what_it_was_fitted_on(tmp_path):
    run = run_in(tmp_path / "run")
    results = json.loads((run.folder / "metrics.json").read_text())
    found = results | {"files": {"stage1/checkpoints/best.ckpt": "abc"}}
    (run.folder / "metrics.json").write_text(json.dumps(found))
    told = about(fitted_on([run])[0])
    assert told["run"] == "run" and told["images"] == "the validation part" and told["units"] == 120
    assert sum(told["of_class"].values()) == 120 and list(told["of_class"]) == run.class_names
    assert told["checkpoint"] == "abc"


def test_rules_are_compared_with_the_same_networks(tmp_path):
    methods = {"ce": [run_in(tmp_path / f"ce_seed{seed}", seed) for seed in range(2)]}
    found = rule_results(methods, {"Offsets": Offsets("balanced_accuracy"), "Argmax": Argmax()})
    scores = found.scores.set_index(["rule", "score"])
    for key in ("f1", "balanced_accuracy", "accuracy"):
        mean = np.mean([run.score(key) for run in methods["ce"]])
        assert scores.loc[(ARGMAX, key), "value"] == pytest.approx(mean, abs=1e-6)
        ours = np.mean([run.score(key) for run in decided_runs(methods["ce"], Offsets("balanced_accuracy"))])
        row = scores.loc[("Offsets", key)]
        assert row["value"] == pytest.approx(ours) and row["difference"] == pytest.approx(ours - mean, abs=1e-6)
        assert row["from"] < row["difference"] < row["to"]
        assert scores.loc[("Argmax", key), "difference"] == 0
    classes = found.classes[found.classes["rule"] == "Offsets"]
    assert list(dict.fromkeys(classes["class"])) == ["nv", "mel", "bkl/lk", "df"]
    recall = classes[(classes["class"] == "df") & (classes["score"] == "recall")].iloc[0]
    assert recall["argmax"] == pytest.approx(np.mean([run.score("recall/df") for run in methods["ce"]]))
    assert recall["difference"] == pytest.approx(recall["value"] - recall["argmax"])
    assert len(found.decisions["ce", "Offsets"]) == 2


def test_networks_that_differ_do_not_hide_what_a_rule_changes_in_each(tmp_path):
    """A rule that changes every network alike is told from none, however much the networks differ."""
    runs = [
        run_in(tmp_path / f"seed{seed}", seed, images=600, skill=skill) for seed, skill in enumerate((0.8, 1.5, 2.5))
    ]
    found = rule_results({"ce": runs}, {"Offsets": Offsets("balanced_accuracy")})
    row = found.scores.set_index(["rule", "score"]).loc[("Offsets", "accuracy")]
    changes = [
        each.score("accuracy") - run.score("accuracy")
        for each, run in zip(decided_runs(runs, Offsets("balanced_accuracy")), runs, strict=True)
    ]
    alone = np.std([run.score("accuracy") for run in runs], ddof=1) / np.sqrt(3)
    assert np.std(changes, ddof=1) / np.sqrt(3) < (row["to"] - row["from"]) / 2 < 2 * alone
    same = rule_results({"ce": runs}, {"Argmax": Argmax(), "Offsets": Offsets("balanced_accuracy")}).scores
    same = same.set_index(["rule", "score"]).loc[("Argmax", "accuracy")]
    assert same["difference"] == 0 and same["p_value"] == 1 and np.isnan(same["from"]), "nothing changed, for certain"


def test_a_rule_that_cannot_be_fitted_is_said_and_the_others_stay(tmp_path):
    rules = {"Sensitivity": Sensitivity({"df": 0.99}), "PriorAdjusted": PriorAdjusted()}
    found = rule_results({"ce": [run_in(tmp_path / "run")]}, rules)
    assert list(dict.fromkeys(found.scores["rule"])) == [ARGMAX, "PriorAdjusted"]
    assert "too few" in found.refused["ce", "Sensitivity"]


def test_costs_move_answers(tmp_path):
    run = run_in(tmp_path / "run")
    names = run.class_names
    costs = pd.DataFrame(1.0 - np.eye(4), index=names, columns=names)
    costs.loc["df", :] = 50.0
    costs.loc["df", "df"] = 0.0
    costs.to_csv(tmp_path / "costs.csv")
    [decision] = decisions_of([run], ExpectedCost(str(tmp_path / "costs.csv")))
    answered = decided(run.predictions, decision)
    assert (answered.answers == 3).sum() > (run.predictions.answers == 3).sum()


def table_of(tmp_path, **rows):
    column = Column(dataset="Skin7", seeds=[0, 1])
    spec = Spec(title="T", columns=[column], rows=rows, metrics={"f1": Metric(score="f1")})
    plan = Plan(spec, tmp_path)
    return {cell.folder: cell for cell in plan.cells}, lambda: collect(spec, plan.cells, [], tmp_path, next(iter(rows)))


def test_a_row_with_a_decision_shares_the_runs_and_differs_by_its_answers(tmp_path):
    folders, results = table_of(tmp_path, CE=Row(), decided=Row(decision=Offsets("recall/df")))
    assert len(folders) == 2, "nothing is run for a decision"
    runs = [run_in(folder, seed, skill=2.0) for seed, folder in enumerate(folders)]
    cells = results().cells.set_index("row")
    assert cells.loc["CE", "value"] == pytest.approx(np.mean([run.score("f1") for run in runs]), abs=1e-6)
    ours = [run.score("f1") for run in decided_runs(runs, Offsets("recall/df"))]
    assert cells.loc["decided", "value"] == pytest.approx(np.mean(ours))
    assert cells.loc["decided", ["low", "high", "p_value"]].notna().all() and cells.loc["decided", "runs"] == 2
    assert np.isnan(cells.loc["decided", "mcnemar"]), "of decisions of several networks there is no mean"


def test_a_row_that_cannot_be_decided_is_left_out_and_the_others_stay(tmp_path):
    folders, results = table_of(tmp_path, CE=Row(), decided=Row(decision=Offsets()))
    for seed, folder in enumerate(folders):
        run_in(folder, seed)
    (folder / "predictions_val.parquet").unlink()
    found = results()
    cells = found.cells.set_index("row")
    assert cells.loc["CE", "runs"] == 2 and cells.loc["decided", "runs"] == 0
    [note] = [note for note in found.notes if "left out" in note]
    assert "decided is left out." in note and "has no validation part" in note
