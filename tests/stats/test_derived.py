"""A derived run has the scores of its changed predictions, and all else of the run that it is made from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_runs import COUNTS, GROUPS, NAMES, write_features, write_run, write_split, write_test

from lightning_imbal.errors import UserError
from lightning_imbal.launch.plan import Plan
from lightning_imbal.metrics import classification_scores
from lightning_imbal.runs.pooling import pooled
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.derived import DerivedRun, scored
from lightning_imbal.stats.results import collect
from lightning_imbal.tables.spec import Column, Metric, Row, Spec


def unchanged(predictions):
    return predictions


def every_second(predictions):
    return predictions.only(np.arange(len(predictions.label)) % 2 == 0)


def flat(results):
    """Every number of results, by a key."""
    found = dict(results["summary"])
    for row in results["classes"]:
        found |= {f"{key}/{row['name']}": value for key, value in row.items() if key != "name"}
    for group, row in results["groups"].items():
        found |= {f"group_{key}/{group}": row[key] for key in ("recall", "f1")}
    return found


def test_what_is_not_changed_has_the_scores_of_the_run(tmp_path):
    write_run(tmp_path / "run", images=300)
    run, derived = Run(tmp_path / "run", "seed 0"), DerivedRun(Run(tmp_path / "run", "seed 0"), unchanged)
    assert flat(derived.results) == pytest.approx(flat(run.results), abs=1e-6)
    assert derived.results["confusion"] == run.results["confusion"]
    assert derived.results["classes"][3].keys() == run.results["classes"][3].keys()
    assert {group: row["classes"] for group, row in derived.results["groups"].items()} == GROUPS
    assert derived.identity == run.identity and derived.class_names == NAMES and derived.repeat == "seed 0"


def test_scores_are_those_of_the_changed_predictions(tmp_path):
    write_run(tmp_path / "run", images=301)
    derived, found = DerivedRun(Run(tmp_path / "run"), every_second), Run(tmp_path / "run").predictions
    probability, label = torch.tensor(found.probability[::2]), torch.tensor(found.label[::2])
    expected = classification_scores(probability, label, COUNTS, NAMES, GROUPS)
    assert len(derived.predictions.image) == 151
    for key, value in expected.items():
        assert derived.score(key) == pytest.approx(value, abs=1e-6), key
    assert derived.score("f1") != pytest.approx(Run(tmp_path / "run").score("f1"), abs=1e-4)
    assert np.sum(derived.results["confusion"]) == 151


def test_answers_of_a_rule_are_what_is_scored(tmp_path):
    write_run(tmp_path / "run", images=100)

    def all_df(predictions):
        return replace(predictions, decided=np.full(len(predictions.label), 3))

    derived = DerivedRun(Run(tmp_path / "run"), all_df)
    confusion = np.array(derived.results["confusion"])
    assert confusion[:, 3].sum() == 100 == confusion.sum()
    assert derived.score("recall/df") == 1.0 and derived.score("recall/nv") == 0.0
    assert derived.score("auc") == pytest.approx(Run(tmp_path / "run").score("auc"), abs=1e-6)


def test_a_class_without_images_is_scored_as_a_test_scores_it(tmp_path):
    write_run(tmp_path / "run", images=60, classes=[0, 1])
    run = Run(tmp_path / "run")
    assert flat(scored(run.predictions)) == pytest.approx(flat(run.results), abs=1e-6)
    assert run.score("f1/df") == 0.0


def test_the_map_of_features_is_of_the_same_images_or_there_is_none(tmp_path):
    write_run(tmp_path / "run", images=50)
    write_features(tmp_path / "run")
    same, other = DerivedRun(Run(tmp_path / "run"), unchanged), DerivedRun(Run(tmp_path / "run"), every_second)
    assert same.feature_map().equals(Run(tmp_path / "run").feature_map())
    assert other.feature_map() is None


def test_a_run_without_predictions_is_refused(tmp_path):
    write_run(tmp_path / "run", images=20, predictions=False)
    with pytest.raises(UserError, match=r"run has no predictions\.parquet, which its scores .* run `test` again"):
        DerivedRun(Run(tmp_path / "run"), unchanged).score("f1")


def lesion_run(folder, seed=0, images=80):
    """A run on images of which two each are of one lesion, and of one class."""
    number = np.arange(images)
    label = np.resize([0, 0, 0, 1, 1, 2, 2, 3], images // 2).repeat(2)
    logits = np.random.default_rng(seed).normal(size=(images, 4)) + 1.2 * np.eye(4)[label]
    write_test(folder, torch.tensor(logits).softmax(dim=1).float(), label, number, seed=seed)
    write_split(folder, of_group=2)


def table_of(tmp_path, **rows):
    column = Column(dataset="Skin7", seeds=[0, 1])
    spec = Spec(title="T", columns=[column], rows=rows, metrics={"f1": Metric(score="f1")})
    plan = Plan(spec, tmp_path)
    for seed, folder in enumerate(dict.fromkeys(cell.folder for cell in plan.cells)):
        lesion_run(folder, seed)
    return plan, lambda: collect(spec, plan.cells, [], tmp_path, next(iter(rows)))


def test_a_pooled_row_shares_the_runs_of_the_row_with_the_same_settings(tmp_path):
    rows = {"CE": Row(), "per lesion": Row(pool="mean"), "LDAM": Row(configs=["ldam.yaml"])}
    plan, _ = table_of(tmp_path, **rows, **{"LDAM per lesion": Row(configs=["ldam.yaml"], pool="max")})
    folders = {name: [cell.folder.name for cell in plan.cells if cell.row == name] for name in plan.spec.rows}
    assert folders["per lesion"] == folders["CE"] == ["CE+seed0", "CE+seed1"]
    assert folders["LDAM per lesion"] == folders["LDAM"] and len(plan.jobs) == 4


def test_a_pooled_row_of_a_table_is_of_lesions(tmp_path):
    _, collected = table_of(tmp_path, CE=Row(), **{"per lesion": Row(pool="mean")})
    results = collected()
    cells = results.cells.set_index("row")
    runs = [Run(tmp_path / f"CE+seed{seed}") for seed in range(2)]
    assert cells.loc["CE", "value"] == pytest.approx(np.mean([run.score("f1") for run in runs]))
    means = [scored(pooled(run.predictions, "mean"))["summary"]["f1"] for run in runs]
    assert cells.loc["per lesion", "value"] == pytest.approx(np.mean(means), abs=1e-12)
    assert cells.loc["per lesion", "value"] > cells.loc["CE", "value"] + 0.05
    assert cells.loc["per lesion", "low"] < cells.loc["per lesion", "value"] < cells.loc["per lesion", "high"]
    images = results.classes.groupby("row")["images"].sum()
    assert images["CE"] == 80 and images["per lesion"] == 40
    assert any(note.startswith("per lesion: the images of each group") for note in results.notes)
    [of_column] = results.runs.values()
    assert of_column["per lesion"][0].identity["pool"] == "mean" and "pool" not in of_column["CE"][0].identity


def test_floors_are_of_images_whichever_row_is_first(tmp_path):
    _, collected = table_of(tmp_path, **{"per lesion": Row(pool="mean")}, CE=Row())
    [compared] = collected().compared.values()
    assert {len(row.rounds[0].joined.label) for row in compared.floors.values()} == {80}
