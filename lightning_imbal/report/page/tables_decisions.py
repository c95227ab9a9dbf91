"""Tables of operating points and of prediction sets."""

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np

from lightning_imbal.report.page.tables import SortableCell, SortableTable
from lightning_imbal.score_names import SCORES, lower_is_better
from lightning_imbal.stats.bootstrap import SIGNIFICANT
from lightning_imbal.stats.drawn_methods import Method
from lightning_imbal.stats.proportions import Intervals
from lightning_imbal.stats.rounds import joined_score, rounds_of
from lightning_imbal.stats.rule_results import ARGMAX, RuleResults
from lightning_imbal.stats.rule_results import SCORES as TOLD
from lightning_imbal.stats.set_coverage import ALPHA, SetsOfRow
from lightning_imbal.wording import interval_text, score_text, signed_text

OF_CLASSES = {
    "auc": "AUC",
    "ap": "average precision",
    "sensitivity_at_90": "sensitivity at specificity 0.90",
    "sensitivity_at_95": "sensitivity at specificity 0.95",
    "specificity_at_90": "specificity at sensitivity 0.90",
    "pauc": "partial AUC (0 to 0.2)",
    "cce": "class-wise calibration error",
}
OPERATING = OF_CLASSES | {"brier": "Brier score (0 to 2)", "log_loss": "log loss"}
KINDS = {False: "one threshold for all", True: "a threshold for each class"}


def rules_table(rules: RuleResults) -> SortableTable:
    """A row for each method and rule: what it scores, and how far that is from the same networks without a rule."""
    rows = []
    for (method, rule), scores in rules.scores.groupby(["row", "rule"], sort=False):
        cells = [SortableCell(str(method)), SortableCell(str(rule))]
        for found in scores.to_dict("records"):
            value = found["value"]
            cells.append(SortableCell(score_text(value), value, interval_text(found["low"], found["high"], 3)))
            star = "*" if found["p_value"] < SIGNIFICANT else ""
            text = "" if rule == ARGMAX else f"{signed_text(found['difference'], 3)}{star}"
            cells.append(SortableCell(text, found["difference"], interval_text(found["from"], found["to"], 3)))
        rows.append(cells)
    headings = [heading for key in TOLD for heading in (SCORES[key].in_words, f"against {ARGMAX}")]
    return SortableTable("Methods with decision rules, without training again", ["method", "rule", *headings], rows)


def operating_table(methods: Sequence[Method], learned: Sequence[str]) -> SortableTable:
    """A row for each method: scores of its probabilities, of all classes together."""
    values = [_means(method, list(OPERATING)) for method in methods]
    columns = []
    for place, key in enumerate(OPERATING):
        of_key = [round(row[place][0], 3) for row in values]
        known = {
            value for value, method in zip(of_key, methods, strict=True) if method.name in learned and isfinite(value)
        }
        best = (min if lower_is_better(key) else max)(known) if len(known) > 1 else None
        columns.append(
            [
                _cell(row[place], method.name in learned and value == best)
                for row, value, method in zip(values, of_key, methods, strict=True)
            ]
        )
    rows = [[SortableCell(method.name), *row] for method, *row in zip(methods, *columns, strict=True)]
    caption = (
        "What the probabilities of each method are worth: mean over the classes, and of several runs their deviation; "
        "best in bold"
    )
    return SortableTable(caption, ["method", *OPERATING.values()], rows)


def class_operating_table(methods: Sequence[Method], test: dict[str, int], order: Sequence[str]) -> SortableTable:
    """A row for each class and method: the same scores of the class against all others."""
    found = {
        method.name: iter(_means(method, [f"{key}/{name}" for name in order for key in OF_CLASSES]))
        for method in methods
    }
    rows = []
    for name in order:
        for method in methods:
            scores = [next(found[method.name]) for _ in OF_CLASSES]
            cells = [_cell(score if test[name] else (np.nan, np.nan)) for score in scores]
            rows.append([SortableCell(name), SortableCell(method.name), _images(test[name]), *cells])
    headings = ["class", "method", "test images", *OF_CLASSES.values()]
    return SortableTable("The same of every class against all others", headings, rows)


def sets_table(found: Mapping[str, Mapping[bool, SetsOfRow]], names: Sequence[str]) -> SortableTable:
    """A row for each method: prediction sets for all images, with one threshold and with one for each class.

    Args:
        found: By the name of the method and by whether each class has a threshold.
        names: Of the classes, in label order.
    """
    rows = []
    for name, of_method in found.items():
        rows.append([SortableCell(name)])
        for kind in KINDS:
            sets = of_method[kind]
            rows[-1] += [_coverage(sets.coverage, -1), _worst(sets, names), *_size(sets, -1)]
    caption = (
        f"Prediction sets that are to hold the true class of {1 - ALPHA:.0%} of the images, calibrated on the "
        "validation part of each run. Coverage: how many hold it, with its 95 % interval. Referred: images whose set "
        "is empty or holds several classes, so that a person must look"
    )
    of_kind = ["coverage", "least coverage of a class", "classes per set", "referred"]
    headings = [f"{what}, {kind}" for kind in KINDS.values() for what in of_kind]
    return SortableTable(caption, ["method", *headings], rows)


def class_sets_table(
    found: Mapping[str, Mapping[bool, SetsOfRow]], names: Sequence[str], test: dict[str, int], order: Sequence[str]
) -> SortableTable:
    """A row for each class and method: the same of the images of the class."""
    rows = []
    for name in order:
        c = names.index(name)
        for method, of_method in found.items():
            rows.append([SortableCell(name), SortableCell(method), _images(test[name])])
            for kind in KINDS:
                rows[-1] += [_coverage(of_method[kind].coverage, c), *_size(of_method[kind], c)]
    of_kind = ["coverage", "classes per set", "referred"]
    headings = [f"{what}, {kind}" for kind in KINDS.values() for what in of_kind]
    caption = "Prediction sets for the images of every class"
    return SortableTable(caption, ["class", "method", "test images", *headings], rows)


def _means(method: Method, keys: Sequence[str]) -> list[tuple[float, float]]:
    """Mean and deviation of scores over the rounds of a method; NaN where a run is older than the score."""
    rounds = rounds_of(method.runs)
    values = [[joined_score(folds, key) for folds in rounds] for key in keys]
    return [(float(np.mean(each)), float(np.std(each)) if len(each) > 1 else np.nan) for each in values]


def _cell(score: tuple[float, float], best: bool = False) -> SortableCell:
    value, std = score
    spread = f"± {std:.3f}" if isfinite(std) else ""
    return SortableCell(score_text(value), value if isfinite(value) else None, spread, best)


def _images(number: int) -> SortableCell:
    return SortableCell(f"{number:,}", number)


def _coverage(coverage: Intervals, place: int) -> SortableCell:
    value = float(coverage.value[place])
    interval = interval_text(coverage.low[place], coverage.high[place], 2)
    return SortableCell(score_text(value), value if isfinite(value) else None, interval)


def _worst(sets: SetsOfRow, names: Sequence[str]) -> SortableCell:
    of_classes = sets.coverage.value[:-1]
    c = int(np.nanargmin(of_classes))
    return SortableCell(score_text(of_classes[c]), float(of_classes[c]), names[c])


def _size(sets: SetsOfRow, place: int) -> list[SortableCell]:
    size, referred = float(sets.mean_size[place]), float(sets.referred[place])
    return [
        SortableCell(score_text(size, 2), size if isfinite(size) else None),
        SortableCell(score_text(referred), referred if isfinite(referred) else None),
    ]
