"""The report of finished runs as one HTML page that opens without a network."""

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.errors import UserError
from lightning_imbal.report.page.anonymous import Anonymous
from lightning_imbal.report.page.chapter import Chapter
from lightning_imbal.report.page.charts_base import Chart
from lightning_imbal.report.page.charts_scores import (
    class_histogram,
    confusions,
    f1_bars,
    reliability_diagrams,
    sweep_chart,
)
from lightning_imbal.report.page.charts_training import curves_of, feature_maps, learning_charts
from lightning_imbal.report.page.decisions import chapter_of_decisions, chapter_of_operating_points
from lightning_imbal.report.page.explained import Explanations
from lightning_imbal.report.page.groups import chapter_of_groups
from lightning_imbal.report.page.mistakes import NO_PREDICTIONS, mistakes_of, nameless_mistakes_of
from lightning_imbal.report.page.pictures import THUMBNAIL
from lightning_imbal.report.page.subgroups import chapters_of_subgroups
from lightning_imbal.report.page.tables import calibration_table, class_table, leaderboard
from lightning_imbal.report.page.templates import templates
from lightning_imbal.stats.analysis import reliability, test_counts
from lightning_imbal.stats.drawn_methods import Method, methods_of
from lightning_imbal.stats.notes import origins
from lightning_imbal.stats.results import Results, class_counts, classes_of
from lightning_imbal.stats.rule_results import RuleResults
from lightning_imbal.stats.settings import configurations
from lightning_imbal.stats.sweeps import sweeps
from lightning_imbal.wording import number_of

NAMELESS = (
    "Without names (--anonymous): those of images, folders and groups are numbers here, and pictures and paths are "
    "left out. Names of classes are shown."
)
NO_CURVES = "No run has kept its losses (metrics.csv), so there is nothing to show here."
NO_VALIDATION = "The runs have no validation part: there are only the losses of the training."
NO_FEATURES = (
    "No run has features of its test images: add --save_features true to the command line when training or testing."
)
WORD = re.compile(r"[^\s_+=/-]{1,20}[_+=/-]?|[\s_+=/-]")
# What takes < > & and two ends of lines of JavaScript out of a JSON text, which stays equal.
IN_SCRIPT = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def write_page(
    results: Results,
    file: Path,
    warnings: Sequence[str] = (),
    advice: Sequence[str] = (),
    reasons: Sequence[str] = (),
    rules: RuleResults | None = None,
    anonymous: bool = False,
    why: Explanations | None = None,
    root: str | None = None,
) -> None:
    """Writes the report of the runs of one column as a single HTML file that opens without a network.

    Args:
        results: Of a table with one column.
        file: Where to write.
        warnings: What limits the numbers.
        advice: What follows from them.
        reasons: Why these methods were run.
        rules: What decision rules make of them.
        anonymous: Whether names of files, folders and groups become numbers, and pictures are left out.
        why: What is known of the mistakes.
        root: Where the pictures are now, if not where the runs say.

    Raises:
        UserError: No run is finished.
    """
    methods = methods_of(results)
    if not methods:
        raise UserError(f"{results.spec.title}: no run is finished, so there is nothing to show on {file}.")
    environment = templates()
    hidden = Anonymous(results, methods) if anonymous else None
    environment.filters |= {"figures": partial(_figures, hidden), "breakable": partial(_breakable, hidden)}
    if hidden:
        environment.finalize = partial(_nameless, hidden)
    chapters = _chapters(results, methods, rules, hidden)
    why = why or Explanations()
    mistakes = nameless_mistakes_of(methods, hidden.image, why) if hidden else mistakes_of(methods, why, root)
    text = environment.get_template("page.html").render(
        title=results.spec.title,
        facts=[hidden.text(fact) if hidden else fact for fact in _facts(results, methods)],
        held=NAMELESS if hidden else mistakes.held(),
        warnings=_said(warnings, hidden),
        advice=_said(advice, hidden),
        reasons=_said(reasons, hidden),
        chapters=[replace(each, remarks=_said(each.remarks, hidden)) for each in chapters],
        mistakes=mistakes,
        side=THUMBNAIL,
        configurations=_configurations(methods, hidden),
        nonce=secrets.token_hex(8),
        plotly=Markup(get_plotlyjs()),
    )
    write_whole(file, lambda path: path.write_text(text, encoding="utf-8"))


def for_script(text: str) -> Markup:
    """A JSON text in which no HTML can begin or end."""
    return Markup(text.translate(IN_SCRIPT))


def breakable(name: str) -> Markup:
    """A name that may be broken where words of it end, and within long words."""
    return Markup("<wbr>").join(WORD.findall(name))


def _figures(hidden: Anonymous | None, chart: Chart) -> Markup:
    texts = [figure.to_json() for figure in chart.figures.values()]
    if hidden:
        texts = [json.dumps(hidden.figure(json.loads(text))) for text in texts]
    return for_script("[" + ",".join(texts) + "]")


def _said(sentences: Sequence[str], hidden: Anonymous | None) -> Sequence[str]:
    return [hidden.sentence(each) for each in sentences] if hidden else sentences


def _breakable(hidden: Anonymous | None, name: str) -> Markup:
    return breakable(hidden.text(name) if hidden else name)


def _nameless(hidden: Anonymous, value: Any) -> Any:
    """What the template prints; what is no plain text has been dealt with."""
    return hidden.text(value) if type(value) is str else value


def _facts(results: Results, methods: Sequence[Method]) -> list[str]:
    [column] = results.spec.columns
    runs = [run for method in methods for run in method.runs]
    cells = results.cells[results.cells["runs"] > 0]
    return [
        column.title,
        number_of(len(methods), "method"),
        number_of(len(runs), "run"),
        *(f"commit {commit[:12]}" for commit in origins(cells, "commits")),
        *origins(cells, "versions"),
        f"page of {date.today():%d %B %Y}",
    ]


def _chapters(
    results: Results, methods: Sequence[Method], rules: RuleResults | None, hidden: Anonymous | None
) -> list[Chapter]:
    [column] = results.spec.columns
    train = class_counts(classes_of(results, column))
    test = test_counts([method.runs for method in methods])
    order, names = list(train), list(test)
    of_classes = [class_table(results, methods, train, test, score) for score in ("f1", "recall")]
    found = [
        Chapter("per-class", "F1 per class", charts=[f1_bars(results, methods, train, test)]),
        Chapter("leaderboard", "Leaderboard", results.notes, [leaderboard(results)]),
        Chapter("classes", "Images per class", charts=[class_histogram(train, test)]),
        Chapter("class-table", "Table of classes", tables=of_classes),
        *([chapter_of_groups(results)] if len(results.groups_once) else []),
        *chapters_of_subgroups(results, order),
        Chapter("confusion-matrices", "Confusion matrices", charts=[confusions(methods, names, order)]),
        _learning(methods, order),
    ]
    if swept := sweeps(results):
        charts = [sweep_chart(results, sweep, number) for number, sweep in enumerate(swept)]
        found.append(Chapter("sweeps", "Hyper-parameter sweeps", charts=charts))
    return [
        *found,
        _calibration(methods),
        chapter_of_operating_points(results, methods, test, order),
        chapter_of_decisions(results, methods, test, order, rules),
        _map(methods, order, hidden),
    ]


def _learning(methods: Sequence[Method], order: Sequence[str]) -> Chapter:
    curves = curves_of(methods)
    if curves.empty:
        return Chapter("curves", "Learning curves", [NO_CURVES])
    remarks = [] if curves["score"].str.startswith("val/").any() else [NO_VALIDATION]
    return Chapter("curves", "Learning curves", remarks, charts=learning_charts(curves, methods, order))


def _calibration(methods: Sequence[Method]) -> Chapter:
    found = {method.name: groups for method in methods if (groups := reliability(method.runs))}
    if not found:
        return Chapter("calibration", "Calibration", [NO_PREDICTIONS])
    return Chapter("calibration", "Calibration", [], [calibration_table(found)], [reliability_diagrams(found)])


def _map(methods: Sequence[Method], order: Sequence[str], hidden: Anonymous | None) -> Chapter:
    chart = feature_maps(methods, order, hidden.image if hidden else str)
    return Chapter("feature-map", "Map of features", [] if chart else [NO_FEATURES], charts=[chart] if chart else [])


def _configurations(methods: Sequence[Method], hidden: Anonymous | None) -> list[dict[str, Any]]:
    """What a reader needs to repeat each run."""
    return [
        {
            "name": f"{method.name}, {run.repeat_title}",
            "identity": json.dumps(hidden.identity(run) if hidden else run.identity, indent=2, ensure_ascii=False),
            "stages": hidden.configurations(run) if hidden else configurations(run),
        }
        for method in methods
        for run in method.runs
    ]
