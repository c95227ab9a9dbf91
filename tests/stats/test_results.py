"""What a table makes of its run folders: every number against the files it is from, and the files it is written to."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from made_runs import COUNTS, GROUPS, NAMES, write_run, write_split, write_test
from PIL import Image
from rich.console import Console
from sklearn.metrics import balanced_accuracy_score
from statsmodels.stats.proportion import proportion_confint

from lightning_imbal.errors import UserError
from lightning_imbal.launch.plan import Plan
from lightning_imbal.metrics import classification_scores
from lightning_imbal.report.tables.latex import to_latex
from lightning_imbal.report.tables.markdown import to_markdown
from lightning_imbal.report.tables.terminal import render_terminal
from lightning_imbal.report.tables.write import write_and_print
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.mcnemar import mcnemar_p_value
from lightning_imbal.stats.results import cells_of, classes_of, collect, ranked
from lightning_imbal.stats.rounds import Round
from lightning_imbal.tables.read import KEYS, read_spec
from lightning_imbal.tables.spec import Column, Figure, FurtherTest, Metric, Row, Spec

METRICS = {"acc": Metric(score="accuracy", title="Accuracy"), "f1_macro": Metric(score="f1")}
ROWS = {
    "CE": Row(configs=["ce.yaml"]),
    "CL": Row(configs=["cl.yaml"]),
    "RS": Row(configs=["rs.yaml"]),
    "LDAM": Row(configs=["ldam.yaml"]),
    "DANIL": Row(quoted=True),
}
THREE = {name: ROWS[name] for name in ("CE", "CL", "RS")}
SKILL = {"CE": 0.6, "CL": 1.6, "RS": 0.75, "LDAM": 0.7}
SKIN7 = Column(dataset="Skin7", backbone="resnet50", configs=["skin7.yaml"], seeds=[0, 1, 2])
XRAY6 = Column(dataset="X-ray6", configs=["xray6.yaml"], seeds=[0, 1])
NUMBERS = ["value", "std", "low", "high"]
TESTS = ["p_value", "p_holm", "mcnemar", "mcnemar_holm"]


def spec_of(rows=ROWS, columns=(SKIN7,), metrics=METRICS, **more):
    return Spec(title="Table 1", columns=list(columns), rows=rows, metrics=metrics, **more)


def write_all(spec, runs, **settings):
    """Writes every run of a table, each row with a skill of its own and each seed with a noise of its own."""
    for number, cell in enumerate(Plan(spec, runs).cells):
        write_run(cell.folder, skill=SKILL[cell.row], noise=number, **settings)


def collected(spec, runs, overlays=(), baseline="CE"):
    return collect(spec, Plan(spec, runs).cells, overlays, runs, baseline)


def cell_of(results, row, metric="f1_macro", dataset="Skin7"):
    cells = results.cells
    [cell] = cells[(cells["row"] == row) & (cells["metric"] == metric) & (cells["dataset"] == dataset)].itertuples()
    return cell


def numbers_of(results, row, metric="f1_macro", dataset="Skin7"):
    return {name: getattr(cell_of(results, row, metric, dataset), name) for name in NUMBERS}


def score(folder, key):
    """A score as `metrics.json` has it."""
    found = json.loads((folder / "metrics.json").read_text())
    kind, _, name = key.partition("/")
    if not name:
        return found["summary"][key]
    if kind.startswith("group_"):
        return found["groups"][name][kind.removeprefix("group_")]
    return next(row for row in found["classes"] if row["name"] == name)[kind]


def predictions_of(runs, row, repeats=(0, 1, 2), kind="seed", below=""):
    return [Run(runs / f"{row}+{kind}{number}" / below).predictions for number in repeats]


def compared_of(runs, rows, keys, average="mean"):
    """The rows of a column as the table should compare them, each seed a test of its own."""
    tests = {row: [Round((of_seed,)) for of_seed in predictions_of(runs, f"skin7+{row.lower()}")] for row in rows}
    return Compared(tests, keys, average)


def nearly(value):
    return pytest.approx(value, rel=1e-12, abs=0, nan_ok=True)


def nan_of(results, row, names):
    return [bool(np.isnan(getattr(cell, name))) for cell in rows_of(results, row) for name in names]


def rows_of(results, row):
    return results.cells[results.cells["row"] == row].itertuples()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A table of two columns, one of them with lesions, whose row "LDAM" has no finished run; only to be read."""
    folder = tmp_path_factory.mktemp("finished")
    published = [
        ("CE", "Skin7", "resnet50", "f1_macro", 50.5, 0.5),
        ("DANIL", "Skin7", "resnet50", "f1_macro", 60.0, None),
        ("CL", "X-ray6", "", "acc", 70.0, None),
        ("LDAM", "Skin7", "resnet50", "acc", 65.0, 1.0),
    ]
    pd.DataFrame(published, columns=[*KEYS, "value", "std"]).to_csv(folder / "published.csv", index=False)
    spec = spec_of(columns=[SKIN7, XRAY6], scale=100, published=str(folder / "published.csv"))
    runs = folder / "runs"
    write_all(spec, runs)
    for cell in Plan(spec, runs).cells:
        if cell.row == "LDAM":
            (cell.folder / "metrics.json").unlink()
            (cell.folder / "predictions.parquet").unlink()
        if cell.column is SKIN7:
            write_split(cell.folder, of_group=2)
    return spec, runs, collected(spec, runs)


@pytest.fixture(scope="module")
def compared(finished):
    """The rows of its first column."""
    keys = [f"{score}/{name}" for score in ("f1", "recall") for name in NAMES]
    return compared_of(finished[1], THREE, ["f1", "accuracy", *keys])


class TestValues:
    @pytest.mark.parametrize(
        ("average", "of", "scale", "predictions"),
        [("mean", np.mean, 1.0, True), ("median", np.median, 100.0, True), ("mean", np.mean, 100.0, False)],
    )
    def test_average_and_deviation_of_the_runs(self, average, of, scale, predictions, tmp_path):
        keys = ["accuracy", "f1", "kappa", "f1/bkl/lk", "recall/df", "group_recall/minor", "group_f1/minor"]
        metrics = {f"m {key}": Metric(score=key) for key in keys}
        spec = spec_of({"CE": ROWS["CE"]}, metrics=metrics, average=average, scale=scale)
        write_all(spec, tmp_path, predictions=predictions)
        results = collected(spec, tmp_path)
        if predictions:
            row = compared_of(tmp_path, ["CE"], keys, average).rows["CE"]
        for key in keys:
            values = [score(tmp_path / f"skin7+ce+seed{seed}", key) for seed in (0, 1, 2)]
            assert np.std(values) > 0 and np.mean(values) != np.median(values)
            cell = cell_of(results, "CE", f"m {key}")
            assert (cell.value, cell.std) == (nearly(scale * of(values)), nearly(scale * np.std(values, ddof=0)))
            bounds = row.interval(key) if predictions else (np.nan, np.nan)
            assert (cell.low / scale, cell.high / scale) == nearly(bounds)

    def test_one_run_has_no_deviation(self, tmp_path):
        write_run(tmp_path / "skin7+ce+seed1", predictions=False)
        cell = cell_of(collected(spec_of(), tmp_path), "CE")
        assert cell.value == score(tmp_path / "skin7+ce+seed1", "f1") and np.isnan(cell.std)
        assert (cell.runs, cell.planned, cell.seeds) == (1, 3, "seed 1")

    def test_every_column_has_its_own_runs(self, finished):
        spec, runs, results = finished
        for name, seeds in {"skin7": (0, 1, 2), "xray6": (0, 1)}.items():
            values = [score(runs / f"{name}+cl+seed{seed}", "f1") for seed in seeds]
            cell = cell_of(results, "CL", dataset={"skin7": "Skin7", "xray6": "X-ray6"}[name])
            assert cell.value == nearly(100 * np.mean(values)) and cell.runs == cell.planned == len(seeds)

    def test_cells_are_those_of_the_table_in_its_order(self, finished):
        spec, _, results = finished
        expected = [
            (row, column.dataset, column.backbone, metric)
            for column in spec.columns
            for row in spec.rows
            for metric in spec.metrics
        ]
        assert list(results.cells[KEYS].itertuples(index=False, name=None)) == expected
        assert set(results.cells["baseline"]) == {"CE"}

    def test_difference_to_what_is_published(self, finished):
        _, _, results = finished
        cell = cell_of(results, "CE")
        assert (cell.published, cell.published_std) == (50.5, 0.5)
        assert cell.difference == nearly(cell.value - 50.5)
        other = cell_of(results, "CL", "acc", "X-ray6")
        assert other.published == 70 and np.isnan(other.published_std)
        assert other.difference == nearly(other.value - 70)
        for row, metric, dataset in (("CE", "acc", "Skin7"), ("CE", "f1_macro", "X-ray6"), ("CL", "acc", "Skin7")):
            cell = cell_of(results, row, metric, dataset)
            assert np.isnan([cell.published, cell.difference]).all() and cell.value > 0

    def test_nothing_run(self, finished):
        _, _, results = finished
        assert all(nan_of(results, "LDAM", [*NUMBERS, *TESTS, "difference"]))
        for cell in rows_of(results, "LDAM"):
            assert (cell.runs, cell.planned) == (0, {"Skin7": 3, "X-ray6": 2}[cell.dataset])
            assert (cell.seeds, cell.folders, cell.commits, cell.versions) == ("", "", "", "")
        assert cell_of(results, "LDAM", "acc").published == 65

    def test_quoted_row(self, finished):
        _, _, results = finished
        assert all(nan_of(results, "DANIL", [*NUMBERS, *TESTS, "difference"]))
        assert {(cell.quoted, cell.runs, cell.planned) for cell in rows_of(results, "DANIL")} == {(True, 0, 0)}
        assert not any(cell.quoted for row in ("CE", "LDAM") for cell in rows_of(results, row))
        assert cell_of(results, "DANIL").published == 60

    @pytest.mark.parametrize("key", ["f1_score", "group_recall/tail", "f1/melanoma", "group_recall", "brier/nv"])
    def test_score_that_a_run_lacks_is_named(self, key, tmp_path):
        spec = spec_of(metrics={"acc": METRICS["acc"], "other": Metric(score=key)})
        write_run(tmp_path / "skin7+cl+seed1", predictions=False)
        with pytest.raises(UserError, match=rf"skin7\+cl\+seed1 has no score '{key}', which the table asks for"):
            collected(spec, tmp_path)

    @pytest.mark.parametrize("key", ["f1_score", "group_recall/tail"])
    def test_score_that_a_run_with_predictions_lacks_is_named(self, key, tmp_path):
        write_run(tmp_path / "skin7+cl+seed1")
        with pytest.raises(UserError, match=rf"skin7\+cl\+seed1 has no score '{key}'"):
            collected(spec_of(metrics={"other": Metric(score=key)}), tmp_path)

    def test_precision_of_a_class_is_a_score(self, tmp_path):
        write_run(tmp_path / "skin7+ce+seed0")
        results = collected(spec_of(metrics={"precision": Metric(score="precision/bkl/lk")}), tmp_path)
        expected = score(tmp_path / "skin7+ce+seed0", "precision/bkl/lk")
        assert cell_of(results, "CE", "precision").value == expected


class TestIntervals:
    def test_are_those_of_the_resampled_predictions(self, finished, compared):
        _, _, results = finished
        for row, scores in compared.rows.items():
            for metric, key in {"f1_macro": "f1", "acc": "accuracy"}.items():
                cell = cell_of(results, row, metric)
                assert (cell.low / 100, cell.high / 100) == nearly(scores.interval(key))

    def test_contain_the_value(self, finished):
        _, _, results = finished
        done = results.cells[results.cells["runs"] > 0]
        assert len(done) == 2 * 3 * 2
        assert (done["low"] < done["value"]).all() and (done["value"] < done["high"]).all()

    def test_are_narrower_with_more_images(self, tmp_path):
        column = Column(dataset="Skin7", configs=["skin7.yaml"], seeds=[0, 1])
        spec, width = spec_of({"CE": ROWS["CE"]}, [column]), []
        for number in (100, 900):
            write_all(spec, tmp_path / str(number), images=number)
            cell = cell_of(collected(spec, tmp_path / str(number)), "CE", "acc")
            width.append(cell.high - cell.low)
            assert cell.low < cell.value < cell.high
        # The square root of nine times as many images.
        assert 2.4 < width[0] / width[1] < 3.6

    def test_units(self, finished):
        _, _, results = finished
        assert set(results.cells.groupby("dataset")["units"].unique().map(tuple).items()) == {
            ("Skin7", ("groups of images and runs", "images")),  # "images" of the rows without runs
            ("X-ray6", ("images and runs", "images")),
        }
        assert {cell.units for cell in rows_of(results, "CL")} == {"groups of images and runs", "images and runs"}
        assert cell_of(results, "CL").units == "groups of images and runs"
        assert (
            "choice of the groups of images and images of the test set and the chance of training." in results.notes[0]
        )
        assert "and the chance of training explain" in results.notes[1]

    def test_units_of_single_runs(self, tmp_path):
        write_run(tmp_path / "skin7+ce+seed0")
        write_run(tmp_path / "skin7+cl+seed0", noise=1)
        results = collected(spec_of(), tmp_path)
        assert cell_of(results, "CL").units == "images"
        assert "of the images of the test set, not for the chance of training." in results.notes[0]
        assert results.notes[1].startswith("* says that the networks of this row and those of CE differ by more than")
        write_run(tmp_path / "skin7+rs+seed0", noise=2)
        write_run(tmp_path / "skin7+rs+seed1", noise=3)
        assert "and the chance of training where there are several seeds." in collected(spec_of(), tmp_path).notes[0]

    def test_groups_are_drawn_as_a_whole(self, tmp_path):
        spec = spec_of({"CE": ROWS["CE"]})
        run = tmp_path / "skin7+ce+seed0"
        write_run(run, 120)
        single = cell_of(collected(spec, tmp_path), "CE", "acc")
        write_split(run)
        no_groups = cell_of(collected(spec, tmp_path), "CE", "acc")
        write_split(run, of_group=40)
        patients = cell_of(collected(spec, tmp_path), "CE", "acc")
        assert (single.units, no_groups.units, patients.units) == ("images", "images", "groups of images")
        assert (no_groups.low, no_groups.high) == (single.low, single.high) != (patients.low, patients.high)
        expected = Compared({"CE": [Round((Run(run).predictions,))]}, ["accuracy"]).rows["CE"].interval("accuracy")
        assert (patients.low, patients.high) == nearly(expected)
        split = pd.read_csv(run / "stage1" / "split.csv")
        split.loc[:60, "group"] = None
        split.to_csv(run / "stage1" / "split.csv", index=False)
        assert cell_of(collected(spec, tmp_path), "CE", "acc").units == "groups of images"

    def test_without_predictions_there_is_none(self, tmp_path):
        write_all(spec_of(THREE), tmp_path, images=100)
        (tmp_path / "skin7+cl+seed2" / "predictions.parquet").unlink()
        results = collected(spec_of(THREE), tmp_path)
        assert all(nan_of(results, "CL", ["low", "high", *TESTS]))
        assert not any(nan_of(results, "CL", ["value", "std"]))
        assert not any(nan_of(results, "RS", [*NUMBERS, *TESTS]))
        values = [score(tmp_path / f"skin7+cl+seed{seed}", "f1") for seed in (0, 1, 2)]
        assert cell_of(results, "CL").value == nearly(np.mean(values)) and cell_of(results, "CL").runs == 3
        of_class = results.classes[results.classes["row"] == "CL"]
        assert of_class[["f1", "f1_std"]].notna().all(axis=None)
        assert of_class[["f1_low", "f1_high", "recall_low", "recall_high"]].isna().all(axis=None)


class TestComparisons:
    def test_the_best_of_an_error_is_the_smallest_whatever_seeds_others_have(self, tmp_path):
        """Rows are tested against the best where they have its seeds; the worst one here has another."""
        spec = spec_of(THREE, metrics={"ece": Metric(score="ece")})
        for number, (row, seed) in enumerate([("ce", 0), ("cl", 0), ("rs", 1)]):
            write_run(tmp_path / f"skin7+{row}+seed{seed}", skill=(1.0, 1.1, 0.0)[number], noise=number)
        results = collected(spec, tmp_path)
        error = {row: cell_of(results, row, "ece").value for row in ("CE", "CL", "RS")}
        assert error["RS"] > max(error["CE"], error["CL"])
        best, other = sorted(("CE", "CL"), key=error.get)
        assert {cell.best for cell in results.cells.itertuples()} == {best}
        assert 0 < cell_of(results, other, "ece").p_best <= 1 and np.isnan(cell_of(results, "RS", "ece").p_best)

    def test_are_those_of_the_predictions(self, finished, compared):
        _, runs, results = finished
        known = {row: predictions_of(runs, f"skin7+{row.lower()}") for row in ("CE", "CL", "RS")}
        for row in ("CL", "RS"):
            for metric, key in {"f1_macro": "f1", "acc": "accuracy"}.items():
                cell = cell_of(results, row, metric)
                assert cell.p_value == compared.p_value(row, "CE", key)
                assert cell.mcnemar == mcnemar_p_value(known[row], known["CE"])
        # One row is far better, the other hardly.
        assert cell_of(results, "CL").p_holm < 0.01 < 0.05 < cell_of(results, "RS").p_holm
        assert cell_of(results, "CL").mcnemar_holm < 0.05

    def test_with_the_best_row(self, finished, compared, tmp_path):
        _, _, results = finished
        best, against = compared.beside_best([*THREE], "f1")
        assert best == "CL" and sorted(against) == ["CE", "RS"]
        printed(results, tmp_path / "table")
        written = pd.read_csv(tmp_path / "table.csv")
        written = written[(written["metric"] == "f1_macro") & (written["dataset"] == "Skin7")].set_index("row")
        for row, p_value in against.items():
            cell = cell_of(results, row)
            assert (cell.best, cell.p_best) == ("CL", p_value) and p_value < 0.05
            assert p_value > compared.p_value(row, "CL", "f1"), "it was chosen from three"
            assert written.loc[row, ["best", "p_best"]].tolist() == ["CL", pytest.approx(p_value, rel=1e-5)]
        assert all(nan_of(results, "CL", ["p_best"])) and np.isnan(written["p_best"]["CL"])
        assert not [note for note in results.notes if "told from" in note], "all others can"

    def test_rows_that_cannot_be_told_from_the_best_are_named(self, tmp_path):
        spec = spec_of(metrics={"f1_macro": Metric(score="f1", title="F1"), "ece": Metric(score="ece", mark=0)})
        for number, (row, skill) in enumerate({"ce": 0.2, "cl": 1.62, "rs": 1.6, "ldam": 1.55}.items()):
            write_run(tmp_path / f"skin7+{row}+seed0", skill=skill, noise=number)
        results = collected(spec, tmp_path)
        cells = results.cells[results.cells["metric"] == "f1_macro"].set_index("row")
        best = cells["value"].idxmax()
        others = cells["value"].drop([best, "CE", "DANIL"]).sort_values(ascending=False).index
        assert (cells["best"].drop("DANIL") == best).all()
        told = f"Skin7, resnet50: rows that cannot be told from {best}, the best in F1: {'; '.join(others)}."
        assert [note for note in results.notes if "cannot be told" in note] == [told]
        cells = results.cells[results.cells["metric"] == "ece"].set_index("row")
        assert cells["best"].iloc[0] == cells["value"].idxmin()  # of an error, the smallest

    def test_only_rows_with_the_same_seeds_are_compared(self, tmp_path):
        write_all(spec_of(THREE), tmp_path, images=100)
        (tmp_path / "skin7+cl+seed2" / "metrics.json").unlink()
        results = collected(spec_of(THREE), tmp_path)
        assert all(nan_of(results, "CL", TESTS)) and cell_of(results, "CL").runs == 2
        assert not any(nan_of(results, "RS", TESTS))

    def test_as_many_other_seeds_are_not_the_same(self, tmp_path):
        write_all(spec_of(THREE), tmp_path, images=200)
        for row, seed in {"ce": 2, "cl": 1, "rs": 2}.items():
            (tmp_path / f"skin7+{row}+seed{seed}" / "metrics.json").unlink()
        results = collected(spec_of(THREE), tmp_path)
        assert cell_of(results, "CE").runs == cell_of(results, "CL").runs == 2
        assert all(nan_of(results, "CL", TESTS)) and not any(nan_of(results, "RS", TESTS))

    def test_runs_that_lack_a_score_are_not_compared_by_it(self, tmp_path):
        spec = spec_of(THREE, metrics=METRICS | {"kappa": Metric(score="kappa")})
        write_all(spec, tmp_path, images=100)
        file = tmp_path / "skin7+cl+seed1" / "metrics.json"
        found = json.loads(file.read_text())
        del found["summary"]["kappa"]  # as of a run that is older than it
        file.write_text(json.dumps(found))
        results = collected(spec, tmp_path)
        for row, metric, compared in (("CL", "kappa", False), ("RS", "kappa", True), ("CL", "f1_macro", True)):
            assert np.isnan(cell_of(results, row, metric).p_value) != compared

    def test_baseline_is_not_compared(self, finished):
        _, _, results = finished
        assert all(nan_of(results, "CE", TESTS))
        assert not any(nan_of(results, "CL", TESTS)) and not any(nan_of(results, "RS", TESTS))

    def test_with_any_baseline(self, finished):
        _, runs, results = finished
        other = collected(spec_of(columns=[XRAY6], scale=100), runs, baseline="CL")
        assert set(other.cells["baseline"]) == {"CL"} and all(nan_of(other, "CL", TESTS))
        place = {"metric": "acc", "dataset": "X-ray6"}
        turned, before = cell_of(other, "CE", **place), cell_of(results, "CL", **place)
        assert (turned.p_value, turned.mcnemar) == (before.p_value, before.mcnemar) and before.p_value < 0.05
        for row in ("CE", "CL", "RS"):
            assert numbers_of(other, row, **place) == numbers_of(results, row, **place)

    def test_are_corrected_for_the_rows_of_the_metric_and_column(self, finished):
        _, _, results = finished
        for raw, corrected in {"p_value": "p_holm", "mcnemar": "mcnemar_holm"}.items():
            for _, cells in results.cells.groupby(["dataset", "metric"]):
                known = cells.dropna(subset=[raw])
                assert list(known["row"]) == ["CL", "RS"]
                smaller, larger = sorted(known[raw])
                assert sorted(known[corrected]) == nearly([min(1, 2 * smaller), min(1, max(2 * smaller, larger))])
                assert known[raw].argmin() == known[corrected].argmin() and cells[corrected].notna().sum() == 2

    @pytest.mark.parametrize("row", ["CE", "CL"])
    def test_row_without_predictions_is_not_compared(self, row, tmp_path):
        spec = spec_of(THREE)
        write_all(spec, tmp_path)
        for file in tmp_path.glob(f"skin7+{row.lower()}+*/predictions.parquet"):
            file.unlink()
        results = collected(spec, tmp_path)
        assert all(nan_of(results, row, TESTS))
        assert nan_of(results, "RS", TESTS) == 8 * [row == "CE"]
        if row == "CL":
            # Of a single row the correction leaves the p-value as it is.
            assert [cell.p_holm for cell in rows_of(results, "RS")] == [cell.p_value for cell in rows_of(results, "RS")]

    def test_row_on_other_images_has_no_test(self, tmp_path):
        write_run(tmp_path / "skin7+ce+seed0")
        write_run(tmp_path / "skin7+cl+seed0", first=1000, skill=2.0)
        cell = cell_of(collected(spec_of(), tmp_path), "CL")
        assert np.isnan([cell.mcnemar, cell.mcnemar_holm, cell.p_value, cell.p_holm]).all()

    def test_folds_with_different_test_images(self, tmp_path):
        column = Column(dataset="Skin7", configs=["skin7.yaml"], folds=[0, 1, 2])
        rows = {name: ROWS[name] for name in ("CE", "CL")}
        for number, (name, skill) in enumerate({"ce": 0.6, "cl": 1.6}.items()):
            for fold in range(3):
                folder = tmp_path / f"skin7+{name}+fold{fold}"
                split = {"kind": "KFold", "fold": fold}
                write_run(folder, 80 + 20 * fold, 200 * fold, skill, noise=3 * number + fold, split=split)
                write_split(folder, of_group=3)
        results = collected(spec_of(rows, [column]), tmp_path)
        known = {row: predictions_of(tmp_path, f"skin7+{row.lower()}", kind="fold") for row in rows}
        assert len(set().union(*(set(run.image) for run in known["CE"]))) == 80 + 100 + 120
        compared = Compared({row: [Round(tuple(folds))] for row, folds in known.items()}, ["f1"])
        ours, row = cell_of(results, "CL"), compared.rows["CL"]
        assert ours.value == nearly(row.value("f1")) and np.isnan(ours.std) and (ours.runs, ours.rounds) == (3, 1)
        assert (ours.low, ours.high) == nearly(row.interval("f1")) and ours.low < ours.value < ours.high
        assert ours.p_value == compared.p_value("CL", "CE", "f1") < 0.05
        assert ours.mcnemar == mcnemar_p_value(known["CL"], known["CE"]) < 0.05
        assert (ours.seeds, ours.units) == ("fold 0; fold 1; fold 2", "groups of images")


FIVE = Column(dataset="Skin7", configs=["skin7.yaml"], folds=[0, 1, 2, 3, 4])
WILSON = {"abs": 1e-8, "rel": 0}  # statsmodels takes a normal distribution, not one of 1e9 degrees of freedom
EACH_FOLD = [12, 6, 3]  # images of the classes that every fold tests


def write_folds(runs, answers):
    """Leaves five folds of which one does not test the rarest class.

    Args:
        runs: Folder of all runs.
        answers: Gives the probabilities of a fold by its labels and number.
    """
    for fold in range(5):
        label = np.repeat([0, 1, 2, 3], [*EACH_FOLD, fold < 4])
        number, split = 100 * fold + np.arange(len(label)), {"kind": "KFold", "folds": 5, "fold": fold}
        write_test(runs / f"skin7+ce+fold{fold}", answers(label, fold), label, number, split=split)


class TestFolds:
    """Folds of one cross-validation are joined before they are scored."""

    JOINED = ["accuracy", "balanced_accuracy", "f1", "precision", "recall", "scr", "mcc", "kappa", "kendall_tau"]
    JOINED += ["f1/df", "recall/df", "precision/nv", "group_recall/minor", "group_f1/minor"]
    OF_EACH = ["auc", "ece"]

    def test_a_perfect_network_is_perfect_though_a_fold_lacks_a_class(self, tmp_path):
        write_folds(tmp_path, lambda label, fold: torch.eye(4)[label])
        keys = ["accuracy", "f1", "recall", "balanced_accuracy", "f1/df", "mcc"]
        results = collected(spec_of({"CE": ROWS["CE"]}, [FIVE], {key: Metric(score=key) for key in keys}), tmp_path)
        assert [score(tmp_path / f"skin7+ce+fold{fold}", "f1") for fold in (3, 4)] == [1, 0.75]
        rare = results.classes.iloc[3]
        assert rare[["class", "images", "runs", "f1", "recall"]].tolist() == ["df", 4, 5, 1, 1]
        low = {number: proportion_confint(number, number, method="wilson")[0] for number in (4, 15, 30, 60, 109)}
        assert rare[["recall_low", "recall_high"]].tolist() == pytest.approx([low[4], 1], **WILSON)
        assert rare[["f1_low", "f1_high"]].tolist() == pytest.approx([2 * low[4] / (1 + low[4]), 1], **WILSON)
        of_class = {"value": 1, "std": np.nan, "low": rare["f1_low"], "high": 1}
        assert numbers_of(results, "CE", "f1/df") == nearly(of_class)
        assert cell_of(results, "CE", "accuracy").low == pytest.approx(low[109], **WILSON)
        down = {"recall": [1 - low[n] for n in (4, 15, 30, 60)]}
        down["balanced_accuracy"] = down["recall"]
        down["f1"] = [1 - 2 * low[n] / (1 + low[n]) for n in (4, 15, 30, 60)]
        for key, of_classes in down.items():
            cell = cell_of(results, "CE", key)
            assert (cell.value, cell.high) == (1, 1) and cell.low == pytest.approx(
                1 - np.linalg.norm(of_classes) / 4, **WILSON
            )
        # All its resamples are the same: an interval without width would be a lie.
        assert numbers_of(results, "CE", "mcc") == nearly({"value": 1, "std": np.nan, "low": np.nan, "high": np.nan})
        assert {(cell.runs, cell.rounds, cell.planned) for cell in rows_of(results, "CE")} == {(5, 1, 5)}
        few = [note for note in results.notes if note.startswith("Tested with fewer than 10 images: df (4). ")]
        assert len(few) == 1 and any(note.startswith("The folds of a cross-validation") for note in results.notes)

    @pytest.mark.parametrize("predictions", [True, False])
    def test_scores_are_those_of_all_predictions(self, predictions, tmp_path):
        rng = np.random.default_rng(0)
        write_folds(tmp_path, lambda label, fold: torch.tensor(rng.normal(size=(len(label), 4))).softmax(dim=1))
        known = predictions_of(tmp_path, "skin7+ce", range(5), kind="fold")
        if not predictions:
            for file in tmp_path.glob("*/predictions.parquet"):
                file.unlink()
        metrics = {key: Metric(score=key) for key in (*self.JOINED, *self.OF_EACH)}
        results = collected(spec_of({"CE": ROWS["CE"]}, [FIVE], metrics), tmp_path)
        probability, label = (
            np.concatenate([getattr(run, name) for run in known]) for name in ("probability", "label")
        )
        expected = classification_scores(torch.tensor(probability), torch.tensor(label), COUNTS, NAMES, GROUPS)
        folders = [tmp_path / f"skin7+ce+fold{fold}" for fold in range(5)]
        for key in metrics:
            of_folds = [score(folder, key) for folder in folders]
            value = np.mean(of_folds) if key in self.OF_EACH else expected[key]
            cell = cell_of(results, "CE", key)
            assert cell.value == pytest.approx(value, abs=1e-6) and np.isnan(cell.std), key
            assert np.isfinite([cell.low, cell.high]).all() == (predictions and key != "ece"), key
            assert np.isfinite(cell.calibrated) == (predictions and key == "ece")
        assert expected["f1"] != pytest.approx(np.mean([score(folder, "f1") for folder in folders]), abs=1e-3)

    def test_every_seed_is_a_round(self, finished):
        done = finished[2].cells[finished[2].cells["runs"] > 0]
        assert (done["rounds"] == done["runs"]).all() and set(done["rounds"]) == {2, 3}
        assert not any("folds" in note for note in finished[2].notes)


class TestFolders:
    def test_side_reports_and_tests_are_read_where_they_lie(self, tmp_path):
        more = FurtherTest(name="test_more", options={"model.more_epsilons": [0.1]})
        rows = {
            "plain": Row(configs=["ce.yaml"], report="plain"),
            "ours": Row(configs=["ce.yaml"]),
            "test": Row(configs=["ce.yaml"], test=more),
            "0.1": Row(configs=["ce.yaml"], test=more, report="epsilon_0_1"),
        }
        column = Column(dataset="Skin7", configs=["skin7.yaml"], seeds=[0, 1])
        spec = spec_of(rows, [column])
        for seed in (0, 1):
            write_split(tmp_path / f"skin7+ce+seed{seed}", of_group=3)
            for skill, place in enumerate(("plain", "", "test_more", "test_more/epsilon_0_1")):
                write_run(tmp_path / f"skin7+ce+seed{seed}" / place, 100, skill=skill, noise=10 * skill + seed)
        results = collected(spec, tmp_path, baseline="plain")
        values, folders = {}, {}
        for name, place in zip(rows, ("plain", "", "test_more", "test_more/epsilon_0_1"), strict=True):
            at = [tmp_path / f"skin7+ce+seed{seed}" / place for seed in (0, 1)]
            values[name], cell = np.mean([score(folder, "f1") for folder in at]), cell_of(results, name)
            folders[name] = "; ".join(str(folder.relative_to(tmp_path)) for folder in at)
            assert cell.value == nearly(values[name])
            assert (cell.folders, cell.units, cell.runs) == (folders[name], "groups of images and runs", 2)
            tests = [Round((of_seed,)) for of_seed in predictions_of(tmp_path, "skin7+ce", (0, 1), below=place)]
            # Drawn among the same lesions, so as if it stood alone.
            assert (cell.low, cell.high) == nearly(Compared({name: tests}, ["f1"]).rows[name].interval("f1"))
        assert sorted(values.values()) == list(values.values()) and len(set(folders.values())) == 4

    def test_test_on_another_data_set(self, tmp_path):
        test = FurtherTest(name="test_messidor2", configs=["messidor2.yaml"])
        columns = [
            Column(dataset="EyePACS", configs=["eyepacs.yaml"]),
            Column(dataset="Messidor-2", configs=["eyepacs.yaml"], test=test),
        ]
        run = tmp_path / "eyepacs+ce+seed0"
        write_run(run, 100)
        write_run(run / "test_messidor2", 150, 500, noise=1)
        results = collected(spec_of({"CE": ROWS["CE"]}, columns), tmp_path)
        for dataset, folder in {"EyePACS": run, "Messidor-2": run / "test_messidor2"}.items():
            cell = cell_of(results, "CE", dataset=dataset)
            assert cell.value == score(folder, "f1") and cell.folders == folder.relative_to(tmp_path).as_posix()
            of_dataset = results.classes[results.classes["dataset"] == dataset]
            assert of_dataset["images"].sum() == {"EyePACS": 100, "Messidor-2": 150}[dataset]

    def test_run_that_has_begun_is_no_result(self, tmp_path):
        write_split(tmp_path / "skin7+ce+seed0")
        write_run(tmp_path / "skin7+ce+seed1")
        write_run(tmp_path / "skin7+ce+seed2")
        (tmp_path / "skin7+ce+seed2" / "metrics.json").unlink()
        cell = cell_of(collected(spec_of(), tmp_path), "CE")
        assert (cell.seeds, cell.runs, cell.planned) == ("seed 1", 1, 3)


class TestOrigin:
    NEW = {"torch": "2.12", "timm": "1"}

    def write(self, runs):
        for seed, identity in enumerate([{}, {"commit": "def-dirty", "versions": self.NEW}, {}]):
            write_run(runs / f"skin7+ce+seed{seed}", predictions=False, noise=seed, **identity)
        write_run(runs / "skin7+cl+seed1", predictions=False, commit="def-dirty")

    def test_is_that_of_the_files(self, tmp_path):
        self.write(tmp_path)
        results = collected(spec_of(), tmp_path)
        cell = cell_of(results, "CE")
        assert cell.seeds == "seed 0; seed 1; seed 2"
        assert cell.folders == "skin7+ce+seed0; skin7+ce+seed1; skin7+ce+seed2"
        assert cell.commits == "abc; def-dirty"
        assert cell.versions == "torch 2.11, timm 1; torch 2.12, timm 1"
        other = cell_of(results, "CL", "acc")
        assert (other.seeds, other.folders) == ("seed 1", "skin7+cl+seed1")
        assert (other.commits, other.versions) == ("def-dirty", "torch 2.11, timm 1")

    def test_seconds_are_the_mean_of_the_runs_that_say_so(self, tmp_path):
        for seed, seconds in enumerate([10.0, 30.0, None]):
            write_run(tmp_path / f"skin7+ce+seed{seed}", noise=seed)
            if seconds is not None:
                record = {"identity": {"configs": [], "options": {}}, "seconds": seconds}
                (tmp_path / f"skin7+ce+seed{seed}" / "command.json").write_text(json.dumps(record))
        results = collected(spec_of(), tmp_path)
        assert cell_of(results, "CE").seconds == 20
        assert np.isnan(cell_of(results, "CL").seconds)

    def test_several_commits_and_versions_are_told(self, tmp_path):
        self.write(tmp_path)
        notes = collected(spec_of(), tmp_path).notes
        assert notes[-2:] == [
            "The runs were made with several commits: abc; def-dirty.",
            "The runs were made with several versions: torch 2.11, timm 1; torch 2.12, timm 1.",
        ]

    def test_one_commit_is_not_told(self, finished):
        _, _, results = finished
        assert not any("several" in note for note in results.notes)

    def test_run_outside_a_checkout(self, tmp_path):
        write_run(tmp_path / "skin7+ce+seed0", predictions=False, commit=None)
        assert cell_of(collected(spec_of(), tmp_path), "CE").commits == "unknown"

    def test_overlays_are_told(self, tmp_path):
        write_run(tmp_path / "skin7+ce+seed0", predictions=False)
        results, over = collected(spec_of(), tmp_path), collected(spec_of(), tmp_path, ["laptop", "quick"])
        told = "All runs have laptop, quick over the protocol: its own settings are others. Network: resnet18."
        assert told in over.notes and over.overlays == ["laptop", "quick"]
        assert [note for note in over.notes if note != told] == results.notes and results.overlays == []

    @pytest.mark.parametrize("average", ["mean", "median"])
    def test_notes_say_what_was_measured(self, average, tmp_path):
        write_run(tmp_path / "skin7+cl+seed0", predictions=False)
        [measured] = collected(spec_of(average=average), tmp_path).notes
        assert measured.startswith("Measured: in brackets the 95 % interval") and "groups" not in measured
        write_run(tmp_path / "skin7+cl+seed1", predictions=False)
        [measured] = collected(spec_of(average=average), tmp_path).notes
        assert measured.startswith(f"Measured: {average} ± standard deviation (ddof 0) over the runs; ")

    def test_notes_say_what_was_compared(self, finished):
        _, _, results = finished
        _, star, *winners, floors = results.notes
        assert star.startswith("* differs from CE by more than") and "With one seed" not in star
        assert [note.partition(": the best row less CE")[0] for note in winners] == ["Skin7, resnet50", "X-ray6"]
        assert floors.startswith("majority class (the class with most training images, for every image) and draw from")


class TestClasses:
    def test_rows_that_were_run_with_all_classes(self, finished):
        _, _, results = finished
        expected = [(row, data, name) for data in ("Skin7", "X-ray6") for row in ("CE", "CL", "RS") for name in NAMES]
        keys = ["row", "dataset", "class"]
        assert list(results.classes[keys].itertuples(index=False, name=None)) == expected
        assert results.classes["train_images"].tolist() == 6 * COUNTS
        assert results.classes["runs"].tolist() == 12 * [3] + 12 * [2]
        assert (results.classes.groupby(["row", "dataset"])["images"].sum() == 240).all()
        assert set(results.classes["backbone"]) == {"resnet50", ""}

    def test_images_are_those_of_the_test_part(self, finished):
        _, runs, results = finished
        label = Run(runs / "skin7+ce+seed0").predictions.label
        assert results.classes["images"].tolist()[:4] == np.bincount(label).tolist()

    def test_of_several_test_parts_the_largest_counts(self, tmp_path):
        for seed, images in enumerate((160, 240, 80)):
            write_run(tmp_path / f"skin7+ce+seed{seed}", images, predictions=False)
        assert collected(spec_of(), tmp_path).classes["images"].sum() == 240

    @pytest.mark.parametrize("metric", ["f1", "recall"])
    def test_scores_are_those_of_the_files_and_of_the_predictions(self, metric, finished, compared):
        _, runs, results = finished
        keys = [f"{metric}/{name}" for name in NAMES]
        classes = results.classes[results.classes["dataset"] == "Skin7"].set_index(["row", "class"])
        for row in compared.rows:
            for name, key in zip(NAMES, keys, strict=True):
                of_runs = [score(runs / f"skin7+{row.lower()}+seed{seed}", key) for seed in (0, 1, 2)]
                ours = classes.loc[(row, name), [metric, f"{metric}_std", f"{metric}_low", f"{metric}_high"]]
                expected = [np.mean(of_runs), np.std(of_runs), *compared.rows[row].interval(key)]
                assert ours.tolist() == nearly([100 * value for value in expected])

    def test_are_those_of_the_metrics_of_the_same_score(self, tmp_path):
        rows, metrics = {"CE": ROWS["CE"]}, {name: Metric(score=f"f1/{name}") for name in NAMES}
        spec = spec_of(rows, metrics=metrics, average="median", scale=100)
        write_all(spec, tmp_path, images=100)
        results = collected(spec, tmp_path)
        for of_class in results.classes.to_dict("records"):
            names = ("f1", "f1_std", "f1_low", "f1_high")
            cell = numbers_of(results, of_class["row"], of_class["class"])
            assert [of_class[name] for name in names] == list(cell.values())

    def test_class_without_test_images(self, tmp_path):
        write_run(tmp_path / "skin7+ce+seed0", classes=[0, 1, 2])
        rarest = collected(spec_of(), tmp_path).classes.iloc[3]
        assert (rarest["class"], rarest["train_images"], rarest["images"]) == ("df", 7, 0)
        assert rarest["f1"] == 0 and rarest[["f1_low", "f1_high"]].isna().all(), "of no image nothing is known"

    def test_a_mean_over_classes_without_test_images(self, tmp_path):
        label = np.repeat([0, 1, 2], [20, 10, 5])
        write_test(tmp_path / "skin7+ce+seed0", torch.eye(4)[label], label, np.arange(35))
        metrics = {key: Metric(score=key) for key in ("recall", "balanced_accuracy")}
        results = collected(spec_of({"CE": ROWS["CE"]}, metrics=metrics), tmp_path)
        down = np.linalg.norm([1 - proportion_confint(number, number, method="wilson")[0] for number in (20, 10, 5)])
        for key, classes in {"recall": 4, "balanced_accuracy": 3}.items():
            cell = cell_of(results, "CE", key)
            assert (cell.value, cell.high, cell.low) == pytest.approx(
                (3 / classes, 3 / classes, (3 - down) / classes), **WILSON
            )

    def test_are_numbers_also_if_another_column_has_no_runs(self, tmp_path):
        write_run(tmp_path / "xray6+ce+seed0")
        classes = collected(spec_of(columns=[SKIN7, XRAY6]), tmp_path).classes
        assert classes["f1"].dtype == np.float64 and classes["train_images"].dtype == np.int64


def printed(results, place, width=200):
    console = Console(file=io.StringIO(), width=width)
    write_and_print(results, place, console)
    return console.file.getvalue()


def files_of(place):
    return {file.name: file.read_bytes() for file in sorted(place.parent.iterdir())}


@pytest.fixture(scope="module")
def two_columns(finished):
    """How far one column is above the other."""
    spec = spec_of(columns=[SKIN7, XRAY6], scale=100, gap=list(TestGap.GAP), decimals=1)
    return collected(spec, finished[1])


class TestGap:
    """How far the scores of one column are above those of another."""

    GAP = ("Skin7, resnet50", "X-ray6")

    def test_difference_of_two_columns(self, two_columns):
        results = two_columns
        found = results.gaps.set_index(["row", "metric"])
        assert list(dict.fromkeys(row for row, _ in found.index)) == ["CE", "CL", "RS"]  # LDAM has no run in one
        for row, metric in found.index:
            first, second = (cell_of(results, row, metric, dataset) for dataset in ("Skin7", "X-ray6"))
            cell = found.loc[(row, metric)]
            assert cell["value"] == nearly(first.value - second.value)
            assert cell["low"] < cell["value"] < cell["high"]
            # Of two independent numbers, the difference varies as much as both together.
            together = np.hypot(first.high - first.low, second.high - second.low)
            assert cell["high"] - cell["low"] == pytest.approx(together, rel=0.1)

    def test_equal_predictions_of_two_columns_vary_by_themselves(self, tmp_path):
        """Their images are other ones, though as many: drawn alike, their difference would always be 0."""
        columns = [replace(SKIN7, seeds=[0]), replace(XRAY6, seeds=[0])]
        spec = spec_of({"CE": ROWS["CE"]}, columns, gap=list(self.GAP))
        for cell in Plan(spec, tmp_path).cells:
            write_run(cell.folder)
        results = collected(spec, tmp_path)
        for cell in results.gaps.itertuples():
            one = cell_of(results, "CE", cell.metric)
            assert cell.value == 0
            assert cell.high - cell.low == pytest.approx(np.sqrt(2) * (one.high - one.low), rel=0.1)

    def test_columns_of_one_data_set_are_told_apart_by_their_networks(self, tmp_path):
        other = replace(SKIN7, backbone="densenet121", configs=["skin7.yaml", "dense.yaml"])
        columns = [replace(column, seeds=[0]) for column in (SKIN7, other)]
        spec = spec_of({"CE": ROWS["CE"], "CL": ROWS["CL"]}, columns, gap=[column.title for column in columns])
        folders = {}
        for number, cell in enumerate(Plan(spec, tmp_path).cells):
            folders.setdefault(cell.row, []).append(cell.folder)
            write_run(cell.folder, noise=number, predictions=number != 3)
        results = collected(spec, tmp_path)
        for column in columns:
            classes = classes_of(results, column)
            assert set(cells_of(results, column)["backbone"]) == set(classes["backbone"]) == {column.backbone}
            assert list(classes["class"]) == [name for name in NAMES for _ in range(2)], "the largest class first"
        gaps = results.gaps
        assert list(gaps["row"]) == ["CE", "CE", "CL", "CL"]
        for cell in gaps.itertuples():
            first, second = (score(folder, METRICS[cell.metric].score) for folder in folders[cell.row])
            assert cell.value == nearly(first - second) and cell.value != 0
        # One of the runs has no predictions.
        assert gaps["low"].isna().tolist() == gaps["high"].isna().tolist() == [False, False, True, True]

    def test_images_that_both_columns_test_are_told(self, tmp_path):
        write_run(tmp_path / "skin7+ce+seed0")
        write_run(tmp_path / "xray6+ce+seed0", first=100)
        notes = collected(spec_of(columns=[SKIN7, XRAY6], gap=list(self.GAP)), tmp_path).notes
        told = "140 of the 240 test images of X-ray6 are test images of Skin7, resnet50 too: the intervals of the "
        assert len([note for note in notes if note.startswith(told)]) == 1

    def test_is_a_table_and_a_file_of_its_own(self, two_columns, tmp_path):
        results = two_columns
        text = printed(results, tmp_path / "table")
        value = results.gaps.set_index(["row", "metric"])["value"]["CL", "acc"]
        assert "Skin7, resnet50 less X-ray6" in text and f"{value:+.1f}" in text.split("less X-ray6")[1]
        assert "### Skin7, resnet50 less X-ray6" in (tmp_path / "table.md").read_text()
        assert len(pd.read_csv(tmp_path / "table_gap.csv")) == 6

    def test_recall_by_size_of_the_groups(self, tmp_path):
        """An image counts as one of several where its lesion has another one in any part of the data set."""
        columns = [replace(SKIN7, seeds=[0, 1]), XRAY6]
        spec = spec_of({"CE": ROWS["CE"]}, columns, scale=100, gap=list(self.GAP))
        write_all(spec, tmp_path)
        expected = {"recall_several": [], "recall_one": []}
        for cell in Plan(spec, tmp_path).cells:
            write_split(cell.folder, of_group=1)
            file = cell.folder / "stage1" / "split.csv"
            split = pd.read_csv(file)
            split.loc[3::6, "group"] = split["group"][2::6].to_numpy()  # two in the test part
            trained = split[5::6].assign(part="train")  # one in it, the other in training
            several = pd.concat([split[2::6], split[3::6], split[5::6]])["image"]
            trained["image"] += " again"
            pd.concat([split, trained]).to_csv(file, index=False)
            table = pd.read_parquet(cell.folder / "predictions.parquet")
            guess = np.array(NAMES)[table.filter(like="probability/").to_numpy().argmax(axis=1)]
            in_one = ~table["image"].isin(several)
            for name, kept in zip(expected, (~in_one, in_one), strict=True):
                expected[name].append(100 * balanced_accuracy_score(table["label"][kept], guess[kept]))
        results = collected(spec, tmp_path)
        found = results.gaps.set_index(["row", "metric"]).loc["CE"]
        assert list(found.index) == [*METRICS, *expected]
        for name, (first, second, *others) in expected.items():
            cell = found.loc[name]
            assert cell["value"] == nearly((first + second) / 2 - np.mean(others))
            assert cell["low"] < cell["value"] < cell["high"]
        assert "groups of several images<br>difference" in to_markdown(results)

    def test_nothing_run(self, tmp_path):
        results = collected(spec_of(columns=[SKIN7, XRAY6], gap=list(self.GAP)), tmp_path / "runs")
        assert results.gaps.empty and "less" not in printed(results, tmp_path / "table")

    @pytest.mark.parametrize("gap", [["Skin7"], ["Skin7", "Skin 7"]])
    def test_unknown_column_is_refused(self, gap, tmp_path):
        content = {"title": "T", "columns": [{"dataset": "Skin7"}], "rows": {"CE": {}}, "metrics": {}, "gap": gap}
        (tmp_path / "table.yaml").write_text(yaml.safe_dump(content))
        with pytest.raises(UserError, match="give the titles of two of its columns, Skin7"):
            read_spec(tmp_path / "table.yaml")


class TestOutput:
    SUFFIXES = [".csv", ".md", ".tex", "_classes.csv"]
    OF_GROUPS = [*SUFFIXES, "_groups.csv"]

    def test_empty_table(self, tmp_path):
        spec = spec_of(columns=[SKIN7, XRAY6], figure=Figure(kind="bars"))
        results = collected(spec, tmp_path / "runs", ["laptop"])
        assert results.cells[[*NUMBERS, *TESTS]].isna().all(axis=None) and results.classes.empty
        assert results.notes == []
        console = Console(file=io.StringIO(), width=200)
        render_terminal(results, console)
        for text in (console.file.getvalue(), to_markdown(results), to_latex(results)):
            # Of two columns, two metrics and the four rows that are not quoted.
            assert len(re.findall("n/a", text)) == 2 * 2 * 4 and len(re.findall("quoted", text)) == 2 * 2
            assert text.count("0/3") == text.count("0/2") == 4
            assert "nan" not in text.lower() and "F1 of" not in text
        assert "n/a" in printed(results, tmp_path / "out" / "table")
        cells = pd.read_csv(tmp_path / "out" / "table.csv")
        assert cells["value"].isna().all() and (cells["runs"] == 0).all()
        assert pd.read_csv(tmp_path / "out" / "table_classes.csv").empty
        Image.open(tmp_path / "out" / "table.png").load()

    def test_files_hold_the_whole_table(self, finished, tmp_path):
        _, _, results = finished
        text = printed(results, tmp_path / "out" / "table_1.5")
        assert sorted(files_of(tmp_path / "out" / "table")) == [f"table_1.5{end}" for end in self.OF_GROUPS]
        assert (tmp_path / "out" / "table_1.5.md").read_text() == to_markdown(results)
        assert (tmp_path / "out" / "table_1.5.tex").read_text() == to_latex(results)
        tables = {".csv": (results.cells, results.floors), "_classes.csv": (results.classes, results.floor_classes)}
        for suffix, (table, floors) in tables.items():
            written = pd.read_csv(tmp_path / "out" / f"table_1.5{suffix}")
            read, below = written[~written["floor"]], written[written["floor"]]
            assert below["row"].tolist() == floors["row"].tolist()
            assert below["low" if "low" in floors else "f1_low"].notna().any()
            assert list(read.columns) == list(table.columns) and len(read) == len(table)
            for name in table.columns:
                expected = table[name]
                if expected.dtype == np.float64:
                    assert read[name].tolist() == pytest.approx(expected.tolist(), rel=1e-5, nan_ok=True)
                else:
                    assert read[name].fillna("").tolist() == expected.tolist()
        console = Console(file=io.StringIO(), width=200)
        render_terminal(results, console)
        written = f"Written: {tmp_path}/out/table_1.5{{.md,.tex,.csv,_classes.csv,_groups.csv}}\n"
        assert text == console.file.getvalue() + written

    # Each kind is drawn in the next test and by itself.
    @pytest.mark.parametrize(
        "kind", ["bars", *(pytest.param(each, marks=pytest.mark.slow) for each in ("lines", "dots"))]
    )
    def test_figure_is_drawn_too(self, kind, finished, tmp_path):
        _, runs, _ = finished
        rows = {name: Row(configs=ROWS[name].configs, curve="a", x=x) for x, name in enumerate(["CE", "CL", "RS"])}
        results = collected(spec_of(rows, [XRAY6], figure=Figure(kind=kind)), runs)
        text = printed(results, tmp_path / "figure")
        assert sorted(files_of(tmp_path / "figure")) == sorted(f"figure{end}" for end in [".png", *self.SUFFIXES])
        assert text.endswith(f"Written: {tmp_path}/figure{{.md,.tex,.csv,_classes.csv,.png}}\n")
        with Image.open(tmp_path / "figure.png") as picture:
            assert np.asarray(picture.convert("L")).std() > 5

    @pytest.mark.parametrize("kind", ["bars", "lines", "dots"])
    def test_figure_of_one_run_without_interval(self, kind, tmp_path):
        write_run(tmp_path / "skin7+ce+seed0", predictions=False)
        rows = {"CE": Row(configs=ROWS["CE"].configs, curve="a", x=1)}
        results = collected(spec_of(rows, figure=Figure(kind=kind)), tmp_path)
        printed(results, tmp_path / "figure")
        with Image.open(tmp_path / "figure.png") as picture:
            assert np.asarray(picture.convert("L")).std() > 5

    def test_same_bytes_every_time(self, finished, tmp_path):
        _, runs, _ = finished
        spec = spec_of(columns=[XRAY6], figure=Figure(kind="bars"))
        texts = [printed(collected(spec, runs), tmp_path / name / "table") for name in ("first", "second")]
        first, second = (files_of(tmp_path / name / "table") for name in ("first", "second"))
        assert len(first) == 5 and first == second
        assert texts[0].replace("/first/", "/second/") == texts[1]

    def test_a_table_replaces_the_one_before_it(self, finished, tmp_path):
        _, runs, results = finished
        printed(collected(spec_of({"LDAM": ROWS["LDAM"]}), runs, baseline="LDAM"), tmp_path / "table")
        before = files_of(tmp_path / "table")
        printed(results, tmp_path / "table")
        after = files_of(tmp_path / "table")
        assert {*after} - {*before} == {"table_groups.csv"} and all(before[name] != after[name] for name in before)

    def test_ranked_is_best_first_and_what_was_not_run_last(self, finished):
        results = finished[2]
        order = ["CL", "RS", "CE", "LDAM", "DANIL"]
        values = [cell_of(results, row, "acc").value for row in order]
        assert values[0] > values[1] > values[2] and np.isnan(values[3:]).all()
        ordered = ranked(results)
        for rows in (ordered.spec.rows, ordered.cells["row"].unique(), *ordered.runs.values()):
            assert [*rows] == order
        assert [*ordered.classes["row"].unique()] == order[:3]

    def test_place_is_printed_as_it_is(self, finished, tmp_path):
        _, _, results = finished
        assert f"Written: {tmp_path}/runs[new]/table{{" in printed(results, tmp_path / "runs[new]" / "table")
