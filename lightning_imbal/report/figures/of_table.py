"""The figures of a paper: metrics over a hyper-parameter, or a score of every class."""

from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lightning_imbal.report.figures.look import STYLE, legend_below, log_axis, plain, wrapped
from lightning_imbal.report.figures.series import bars, class_series, curve, dots
from lightning_imbal.score_names import OF_CLASS
from lightning_imbal.stats.results import Results, cells_of, class_counts, classes_of, full_title, rows_of
from lightning_imbal.tables.spec import Figure as Asked

DPI = 150
TITLE_LENGTH = 105
WIDTH = 8.0
PANEL_HEIGHT = 3.2
PANELS_PER_ROW = 2
INCHES_PER_BAR = 0.07
INCHES_PER_CLASS = 1.6
INCHES_PER_DOT = 0.11


def draw(results: Results, file: Path) -> None:
    """Draws the figure that the specification asks for, as a PNG file.

    Raises:
        ValueError: It asks for none.
    """
    asked = results.spec.figure
    if asked is None:
        raise ValueError(f"{results.spec.title} asks for no figure: give its specification one.")
    with rc_context(STYLE):
        figure = {"lines": _lines, "bars": _bars, "dots": _dots}[asked.kind](results, asked)
        figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.06)
        figure.suptitle(fill(plain(full_title(results)), TITLE_LENGTH), fontsize=10)
        legend_below(figure)
        figure.savefig(file, dpi=DPI, format="png")


def _lines(results: Results, asked: Asked) -> Figure:
    """A panel for every column and metric, a line for every curve."""
    spec = results.spec
    panels = [(column, name) for column in spec.columns for name in spec.metrics]
    across = min(len(panels), PANELS_PER_ROW)
    down = -(-len(panels) // across)
    figure = Figure(figsize=(WIDTH, PANEL_HEIGHT * down + 0.8), layout="constrained")
    grid = list(figure.subplots(down, across, squeeze=False).flat)
    for axes, (column, name) in zip(grid, panels, strict=False):
        cells = cells_of(results, column)
        _line_panel(axes, cells[(cells["metric"] == name) & cells["value"].notna()], results, asked)
        axes.set_title(plain(column.title), fontsize=9)
        axes.set_ylabel(plain(spec.metrics[name].title or name) + spec.unit)
    for axes in grid[len(panels) :]:
        axes.remove()
    return figure


def _line_panel(axes: Axes, cells: pd.DataFrame, results: Results, asked: Asked) -> None:
    spec = results.spec
    curves = list(dict.fromkeys(row.curve for row in spec.rows.values() if row.curve and row.x is not None))
    points = cells.assign(
        x=[spec.rows[row].x for row in cells["row"]], curve=[spec.rows[row].curve for row in cells["row"]]
    )
    points = points.dropna(subset=["x", "curve"]).sort_values("x")
    if points.empty:
        _say_nothing_run(axes)
        return
    for number, name in enumerate(curves):
        of_curve = points[points["curve"] == name]
        if len(of_curve):
            reach = of_curve["low"], of_curve["high"], of_curve["std"]
            curve(axes, of_curve["x"], of_curve["value"], *reach, number, name)
    axes.set_xlabel(plain(asked.x))
    if asked.log:
        log_axis(axes, points["x"])


def _bars(results: Results, asked: Asked) -> Figure:
    """A panel for every column, in it for every class a bar of each row."""
    columns = results.spec.columns
    classes = [classes_of(results, column) for column in columns]
    width = max(WIDTH, INCHES_PER_BAR * max(map(len, classes)))
    figure = Figure(figsize=(width, (PANEL_HEIGHT + 0.6) * len(columns) + 0.6), layout="constrained")
    for axes, column, table in zip(figure.subplots(len(columns), squeeze=False).flat, columns, classes, strict=True):
        _bar_panel(axes, table, results, asked.score)
        axes.set_title(plain(column.title), fontsize=9)
        axes.set_ylabel(OF_CLASS[asked.score] + results.spec.unit)
    return figure


def _bar_panel(axes: Axes, classes: pd.DataFrame, results: Results, score: str) -> None:
    spec, rows = results.spec, rows_of(classes, results)
    if not rows:
        _say_nothing_run(axes)
        return
    counts = class_counts(classes)
    numbers = {name: number for number, name in enumerate(name for name, row in spec.rows.items() if not row.quoted)}
    bars(axes, counts, [class_series(classes, row, score, list(counts), numbers[row]) for row in rows])
    axes.set_ylim(0, 1.02 * spec.scale)


def _dots(results: Results, asked: Asked) -> Figure:
    """A panel for every class, in it for every row a dot of each column, and a line at that of the baseline."""
    spec, classes, titles = results.spec, results.classes, [column.title for column in results.spec.columns]
    known = [classes_of(results, column) for column in spec.columns]
    counts = dict(count for table in reversed(known) for count in class_counts(table).items())
    rows = rows_of(classes, results)
    size = (3 + INCHES_PER_CLASS * max(1, len(counts)), 1.8 + INCHES_PER_DOT * len(rows) * len(titles))
    figure = Figure(figsize=size, layout="constrained")
    grid = list(figure.subplots(1, max(1, len(counts)), sharey=True, squeeze=False).flat)
    if not rows:
        _say_nothing_run(grid[0])
    baseline = results.cells["baseline"].iloc[0]
    for axes, (name, count) in zip(grid, sorted(counts.items(), key=lambda of: -of[1]), strict=False):
        of_class = [table[table["class"] == name].set_index("row").reindex(rows) for table in known]
        dots(axes, rows, dict(zip(titles, of_class, strict=True)), asked.score, baseline)
        axes.set_title(wrapped(f"{name} ({count:,})", 16), fontsize=9)
        axes.set_xlabel(OF_CLASS[asked.score] + spec.unit)
        axes.set_xlim(0, spec.scale)
    return figure


def _say_nothing_run(axes: Axes) -> None:
    axes.text(0.5, 0.5, "nothing run yet", transform=axes.transAxes, ha="center", va="center", color="#707070")
    axes.set(xticks=[], yticks=[])
