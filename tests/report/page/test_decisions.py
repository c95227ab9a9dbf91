"""The chapters of decisions and of operating points: their numbers, and what they say where something is missing."""

import json
import re

import numpy as np
import pytest
import torch
from made_runs import COUNTS, NAMES, write_run, write_test, write_validation

from lightning_imbal.report.page.charts_base import label
from lightning_imbal.report.page.charts_decisions import decision_curves, risk_chart
from lightning_imbal.report.page.charts_prevalence import prevalence_chart
from lightning_imbal.report.page.decisions import NO_CURVES, NO_SETS, chapter_of_decisions, chapter_of_operating_points
from lightning_imbal.report.page.tables_decisions import OF_CLASSES, OPERATING
from lightning_imbal.stats.acted_on import mean_risk
from lightning_imbal.stats.analysis import confusion
from lightning_imbal.stats.analysis import test_counts as images_tested
from lightning_imbal.stats.at_prevalence import PREVALENCES, best_ranges, scores_of_class
from lightning_imbal.stats.drawn_methods import methods_of
from lightning_imbal.stats.net_benefit import net_benefit, treat_all
from lightning_imbal.stats.read_runs import read_runs
from lightning_imbal.stats.results import class_counts, classes_of
from lightning_imbal.stats.rounds import predicted_rounds
from lightning_imbal.stats.set_coverage import sets_of
from lightning_imbal.stats.tried_rules import tried_rules

SHARES = {"df": 0.125, "mel": 0.25}


def write_methods(folder, number=3, seeds=(0, 1), validation=True, **settings):
    """Leaves runs of so many methods, the later ones with more skill, and reads them."""
    for method in range(number):
        for seed in seeds:
            run = folder / f"<b>m{method}<b>+seed{seed}"
            skill, noise = 1 + 0.5 * method, 10 * method + seed
            write_run(run, skill=skill, noise=noise, seed=seed, **settings)
            if validation:
                write_validation(run, skill=skill, noise=noise)
    return read_runs(sorted(folder.iterdir()))


def chapter(results, make=chapter_of_decisions):
    methods = methods_of(results)
    [column] = results.spec.columns
    test = images_tested([method.runs for method in methods])
    return make(results, methods, test, list(class_counts(classes_of(results, column))))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_methods(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def decisions(results):
    return chapter(results)


@pytest.fixture(scope="module")
def points(results):
    return chapter(results, chapter_of_operating_points)


@pytest.fixture(scope="module")
def rounds(results):
    return {method.name: predicted_rounds(method.runs) for method in methods_of(results)}


class TestPrevalence:
    def test_lines_are_the_scores_of_each_method(self, results):
        methods = methods_of(results)
        chart = prevalence_chart(methods, [method.name for method in methods], SHARES, NAMES)
        assert list(chart.figures) == ["df", "mel"]
        drawn = chart.figures["mel"]
        lines = {(line.legendgroup, line.yaxis): line for line in drawn.data if line.type == "scatter"}
        assert len(lines) == 12 and sum(line.showlegend for line in lines.values()) == 3
        for method in methods:
            scores = scores_of_class(method.runs, 1)
            for axis, key in {"y": "macro_f1", "y2": "f1", "y3": "precision"}.items():
                line = lines[str(method.number), axis]
                np.testing.assert_allclose(line.x, PREVALENCES, rtol=1e-6)
                np.testing.assert_allclose(line.y, scores[key], rtol=1e-6)
            recall = confusion(method.runs)[1]
            assert lines[str(method.number), "y4"].y == pytest.approx(2 * [recall[1] / recall.sum()])

    def test_the_own_prevalence_of_the_test_is_marked_in_every_panel(self, results):
        drawn = prevalence_chart(methods_of(results), ["<b>m0<b>", "<b>m1<b>"], SHARES, NAMES).figures["df"]
        assert [(mark.x0, mark.x1) for mark in drawn.layout.shapes] == [(0.125, 0.125)] * 5
        assert {mark.xref for mark in drawn.layout.shapes} == {"x", "x2", "x3", "x4", "x5"}
        frequent = prevalence_chart(methods_of(results), [], {"nv": 0.95}, NAMES).figures["nv"]
        assert not frequent.layout.shapes, "it is beyond the axis"

    def test_bars_name_the_best_of_those_that_have_learned(self, results):
        methods = methods_of(results)
        learned = [method.name for method in methods[:2]]
        drawn = prevalence_chart(methods, learned, SHARES, NAMES).figures["df"]
        bars = [trace for trace in drawn.data if trace.type == "bar"]
        for bar, key in zip(bars, ("f1", "macro_f1"), strict=True):
            ranges = best_ranges({method.name: scores_of_class(method.runs, 3)[key] for method in methods[:2]})
            assert list(bar.text) == [label(each.name) for each in ranges]
            assert bar.base[0] == PREVALENCES[0] and bar.base[-1] + bar.x[-1] == pytest.approx(0.9)
            assert list(bar.base[1:]) == pytest.approx([b + x for b, x in zip(bar.base, bar.x, strict=True)][:-1])

    def test_one_method_is_not_called_the_best(self, results):
        methods = methods_of(results)[:1]
        chart = prevalence_chart(methods, [methods[0].name], SHARES, NAMES)
        assert "best" not in chart.about
        assert all(trace.type == "scatter" for trace in chart.figures["df"].data)
        assert chart.figures["df"].layout.yaxis2.domain[1] == 1

    def test_many_methods_and_classes_stay_small(self, results):
        method = methods_of(results)[0]
        figures = prevalence_chart([method] * 20, [method.name], SHARES, NAMES).figures
        assert 14 * len(figures["df"].to_json()) < 1_500_000


class TestCurves:
    def test_risk(self, results, rounds):
        [drawn] = risk_chart(methods_of(results), rounds).figures.values()
        for line, (name, of_method) in zip(drawn.data, rounds.items(), strict=True):
            risk = mean_risk(of_method)
            assert line.name == f"{label(name)}: AURC {risk.area:.3f}"
            np.testing.assert_allclose(line.y, risk.at, rtol=1e-6)
            assert (line.x0, line.dx) == pytest.approx((0.01, 0.01))

    def test_benefit(self, results, rounds):
        drawn = decision_curves(methods_of(results), rounds, SHARES, NAMES).figures["mel"]
        everyone, nobody, *lines = drawn.data
        runs = [run.predictions for run in methods_of(results)[0].runs]
        thresholds = np.arange(100) / 100
        np.testing.assert_allclose(everyone.y, treat_all(runs[0], 1, thresholds), rtol=1e-5)
        assert not np.any(nobody.y)
        expected = (net_benefit(runs[0], 1, thresholds) + net_benefit(runs[1], 1, thresholds)) / 2
        np.testing.assert_allclose(lines[0].y, expected, atol=1e-7)
        assert [line.name for line in lines] == [label(name) for name in rounds]
        assert drawn.layout.yaxis.range[0] < 0 < everyone.y[0] < drawn.layout.yaxis.range[1]

    def test_methods_without_predictions_have_no_line(self, results, rounds):
        some = {"<b>m1<b>": rounds["<b>m1<b>"]}
        [drawn] = risk_chart(methods_of(results), some).figures.values()
        assert [line.name.partition(":")[0] for line in drawn.data] == [label("<b>m1<b>")]
        benefits = decision_curves(methods_of(results), some, SHARES, NAMES).figures["df"]
        assert [line.name for line in benefits.data[2:]] == [label("<b>m1<b>")]


class TestChapterOfDecisions:
    def test_has_all_parts_and_the_rarest_class_comes_first(self, decisions):
        assert [chart.key for chart in decisions.charts] == ["prevalence", "risk", "benefit"]
        for chart in (decisions.charts[0], decisions.charts[2]):
            assert list(chart.figures) == NAMES[::-1] and chart.choice == "Class"
        assert len(decisions.tables) == 2

    def test_sets_of_methods(self, results, decisions):
        [table, _] = decisions.tables
        for row, method in zip(table.rows, methods_of(results), strict=True):
            cells = iter(row[1:])
            for per_class in (False, True):
                sets = sets_of(method.runs, per_class)
                coverage, least, size, referred = (next(cells) for _ in range(4))
                assert coverage.value == sets.coverage.value[-1]
                assert coverage.below == f"[{sets.coverage.low[-1]:.2f}, {sets.coverage.high[-1]:.2f}]"
                worst = int(np.argmin(sets.coverage.value[:-1]))
                assert (least.value, least.below) == (sets.coverage.value[worst], NAMES[worst])
                assert (size.value, referred.value) == (sets.mean_size[-1], sets.referred[-1])

    def test_sets_of_classes(self, results, decisions):
        [_, table] = decisions.tables
        assert [row[0].text for row in table.rows] == [name for name in NAMES for _ in range(3)]
        sets = {per_class: sets_of(methods_of(results)[1].runs, per_class) for per_class in (False, True)}
        row = table.rows[3 * NAMES.index("df") + 1]
        assert row[1].text == "<b>m1<b>" and row[2].value == images_tested([methods_of(results)[1].runs])["df"]
        expected = [
            value[3]
            for each in (sets[False], sets[True])
            for value in (each.coverage.value, each.mean_size, each.referred)
        ]
        assert [cell.value for cell in row[3:]] == pytest.approx(expected)
        assert len(table.headings) == len(row)

    def test_without_validation_part_and_without_predictions(self, tmp_path):
        found = chapter(write_methods(tmp_path, number=1, validation=False, predictions=False))
        assert found.remarks == [NO_SETS, NO_CURVES] and not found.tables
        assert [chart.key for chart in found.charts] == ["prevalence"]

    def test_methods_without_validation_part_are_named(self, tmp_path):
        write_methods(tmp_path, number=1)
        write_run(tmp_path / "bare+seed0")
        found = chapter(read_runs(sorted(tmp_path.iterdir())))
        assert "Without predictions of a validation part, and so without sets: bare." in found.remarks
        assert [row[0].text for row in found.tables[0].rows] == ["<b>m0<b>"]

    def test_classes_that_cannot_be_calibrated_are_named(self, tmp_path):
        write_run(tmp_path / "run")
        write_validation(tmp_path / "run", images=40)
        [remark] = [text for text in chapter(read_runs([tmp_path / "run"])).remarks if "too few" in text]
        assert remark.endswith(": bkl/lk, df.")

    def test_classes_without_test_images(self, tmp_path):
        found = chapter(write_methods(tmp_path, number=2, seeds=[0], classes=[0, 1]))
        assert "Without test images, and so without curves of their own: bkl/lk, df." in found.remarks
        assert list(found.charts[0].figures) == list(found.charts[2].figures) == ["mel", "nv"]
        assert [cell.text for cell in found.tables[1].rows[-1][3:]] == ["n/a"] * 6

    def test_images_of_one_class_only(self, tmp_path):
        found = chapter(write_methods(tmp_path, number=1, seeds=[0], classes=[0]))
        assert [chart.key for chart in found.charts] == ["risk"]

    def test_two_classes(self, tmp_path):
        label, names = np.arange(60) % 3 % 2, ["no", "yes"]
        probability = torch.eye(2)[np.roll(label, 7)] * 0.5 + 0.25
        write_test(tmp_path / "run", probability, label, np.arange(60), names, [70, 30], {"all": names})
        write_validation(tmp_path / "run", names=names)
        found = chapter(read_runs([tmp_path / "run"]))
        assert list(found.charts[0].figures) == ["yes", "no"] and len(found.tables[1].rows) == 2

    def test_every_axis_has_a_title_and_names_are_escaped(self, decisions):
        for figure in (figure for chart in decisions.charts for figure in chart.figures.values()):
            assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
            tags = set(re.findall(r"<[^>]*>", json.dumps(figure.to_plotly_json(), default=str)))
            assert tags <= {"<br>", "<extra>", "</extra>"}


class TestOperatingPoints:
    def test_means_and_the_best(self, results, points):
        [table, _] = points.tables
        assert len(table.headings) == len(table.rows[0]) == 1 + len(OPERATING)
        for place, key in enumerate(OPERATING, 1):
            values = [[run.results["summary"][key] for run in method.runs] for method in methods_of(results)]
            assert [row[place].value for row in table.rows] == pytest.approx(np.mean(values, axis=1))
            assert [row[place].below for row in table.rows] == [f"± {std:.3f}" for std in np.std(values, axis=1)]
            means = np.mean(values, axis=1).round(3)
            best = means.min() if key in ("cce", "brier", "log_loss") else means.max()
            assert [row[place].best for row in table.rows] == (means == best).tolist()

    def test_of_classes(self, results, points):
        [_, table] = points.tables
        row = table.rows[3 * NAMES.index("mel") + 2]
        assert [cell.text for cell in row[:2]] == ["mel", "<b>m2<b>"]
        for place, key in enumerate(OF_CLASSES, 3):
            values = [run.results["classes"][1][key] for run in methods_of(results)[2].runs]
            assert row[place].value == pytest.approx(np.mean(values))

    def test_older_runs_and_classes_without_images_are_not_measured(self, tmp_path):
        write_run(tmp_path / "run", classes=[0, 1, 2])
        file = tmp_path / "run" / "metrics.json"
        found = json.loads(file.read_text())
        del found["summary"]["pauc"]
        for row in found["classes"]:
            del row["pauc"]
        file.write_text(json.dumps(found))
        [table, of_classes] = chapter(read_runs([tmp_path / "run"]), chapter_of_operating_points).tables
        texts = dict(zip(table.headings, [cell.text for cell in table.rows[0]], strict=True))
        assert texts[OPERATING["pauc"]] == "n/a" and texts[OPERATING["auc"]] != "n/a"
        assert not any(cell.best for cell in table.rows[0]), "there is nothing to compare it with"
        by_class = {row[0].text: dict(zip(of_classes.headings, row, strict=True)) for row in of_classes.rows}
        assert len(by_class) == len(COUNTS)
        assert by_class["mel"][OPERATING["pauc"]].text == by_class["df"][OPERATING["auc"]].text == "n/a"
        assert by_class["mel"][OPERATING["auc"]].value is not None


def test_rules_come_first_with_what_they_change(results, decisions):
    rules = tried_rules(results)
    found = chapter(results, lambda *given: chapter_of_decisions(*given, rules))
    table = found.tables[0]
    assert table.headings[:4] == ["method", "rule", "Macro F1", "against argmax"]
    assert len(table.rows) == rules.scores.groupby(["row", "rule"]).ngroups
    of_first = rules.scores[rules.scores["row"] == table.rows[1][0].text].set_index(["rule", "score"])
    assert table.rows[1][1].text == "PriorAdjusted" and table.rows[0][3].text == ""
    assert table.rows[1][2].value == of_first.loc[("PriorAdjusted", "f1"), "value"]
    assert table.rows[1][3].value == of_first.loc[("PriorAdjusted", "f1"), "difference"]
    assert any("never on the test part" in remark for remark in found.remarks)
    assert len(found.tables) == len(decisions.tables) + 1, "the others stay"
