"""The chapters of a report page on what comes of deciding by the probabilities of the methods."""

from collections.abc import Sequence

from lightning_imbal.report.decided import rule_notes
from lightning_imbal.report.page.chapter import Chapter
from lightning_imbal.report.page.charts_base import Chart
from lightning_imbal.report.page.charts_decisions import decision_curves, risk_chart
from lightning_imbal.report.page.charts_prevalence import prevalence_chart
from lightning_imbal.report.page.tables import SortableTable
from lightning_imbal.report.page.tables_decisions import (
    class_operating_table,
    class_sets_table,
    operating_table,
    rules_table,
    sets_table,
)
from lightning_imbal.stats.drawn_methods import Method
from lightning_imbal.stats.results import Results, learned_rows
from lightning_imbal.stats.rounds import predicted_rounds
from lightning_imbal.stats.rule_results import RuleResults
from lightning_imbal.stats.set_coverage import SetsOfRow, sets_of

NO_CURVES = (
    "No run has predictions of single images (predictions.parquet), so that there is neither a curve of risk and "
    "coverage nor a decision curve."
)
NO_SETS = (
    "No run has predictions of a validation part (predictions_val.parquet), on which prediction sets are calibrated: "
    "train with one (--data.split.val 0.1), or `test` the runs again."
)
READING = (
    "With one threshold for all classes the sets of rare classes may hold the true one far less often than promised; a "
    "threshold for each class keeps the promise in every class, by larger sets. The promise is for images like those "
    "of the validation part; where that part also chose the epoch, a little less must be expected."
)


def chapter_of_operating_points(
    results: Results, methods: Sequence[Method], test: dict[str, int], order: Sequence[str]
) -> Chapter:
    """How well the methods do at given points of their ROC curves, and how far their probabilities can be trusted.

    Args:
        results: Of a table with one column.
        methods: Its methods.
        test: Test images of every class.
        order: Of the classes.
    """
    [column] = results.spec.columns
    tables = [operating_table(methods, learned_rows(results, column)), class_operating_table(methods, test, order)]
    return Chapter("operating-points", "Operating points", tables=tables)


def chapter_of_decisions(
    results: Results,
    methods: Sequence[Method],
    test: dict[str, int],
    order: Sequence[str],
    rules: RuleResults | None = None,
) -> Chapter:
    """What comes of acting on the probabilities: at another prevalence, with refusals, by thresholds, as sets.

    Args:
        results: Of a table with one column.
        methods: Its methods.
        test: Test images of every class, in label order.
        order: Of the classes, from most to fewest training images.
        rules: What decision rules make of the methods; None if they could not be fitted.
    """
    [column] = results.spec.columns
    names, images = list(test), sum(test.values())
    # What is rare comes first; of a class without images, or without others, nothing can be said.
    shares = {name: test[name] / images for name in reversed(order) if 0 < test[name] < images}
    remarks, tables = _sets(methods, test, order)
    remarks += _untested(test)
    if rules is not None:
        tables = [rules_table(rules), *tables]
        remarks += rule_notes(rules)
    charts: list[Chart] = []
    if shares:
        charts.append(prevalence_chart(methods, learned_rows(results, column), shares, names))
    rounds = {method.name: found for method in methods if (found := predicted_rounds(method.runs))}
    if rounds:
        charts.append(risk_chart(methods, rounds))
        if shares:
            charts.append(decision_curves(methods, rounds, shares, names))
    else:
        remarks.append(NO_CURVES)
    return Chapter("decisions", "Decisions", remarks, tables, charts)


def _sets(
    methods: Sequence[Method], test: dict[str, int], order: Sequence[str]
) -> tuple[list[str], list[SortableTable]]:
    """Prediction sets: sentences and tables."""
    names = list(test)
    found: dict[str, dict[bool, SetsOfRow]] = {}
    for method in methods:
        one, each = (sets_of(method.runs, per_class) for per_class in (False, True))
        if one and each:
            found[method.name] = {False: one, True: each}
    if not found:
        return [NO_SETS], []
    remarks = [READING]
    if missing := [method.name for method in methods if method.name not in found]:
        remarks.append(f"Without predictions of a validation part, and so without sets: {', '.join(missing)}.")
    if in_every := sorted({c for kinds in found.values() for c in kinds[True].in_every}):
        remarks.append(
            "With a threshold for each class, too few validation images to calibrate one, so that every set holds the "
            f"class: {', '.join(names[c] for c in in_every)}."
        )
    return remarks, [sets_table(found, names), class_sets_table(found, names, test, order)]


def _untested(test: dict[str, int]) -> list[str]:
    """A sentence on classes without test images."""
    missing = [name for name, images in test.items() if not images]
    return [f"Without test images, and so without curves of their own: {', '.join(missing)}."] if missing else []
