"""The figures of a paper: metrics over a hyper-parameter, or a score of every class."""

from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lightning_imbal.tables.layout import cells_of, class_counts, classes_of, full_title, rows_of
from lightning_imbal.tables.results import Results

DPI = 150
TITLE_LENGTH = 105
WIDTH = 8.0
PANEL_HEIGHT = 3.2
PANELS_PER_ROW = 2
INCHES_PER_BAR = 0.07
MANY_BARS = 60
# Okabe and Ito's colours, which colour-blind people tell apart, without the yellow that is lost on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = "os^Dv<>"
HATCHES = ("", "///", "...", "xxx")
STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e5e5e5",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
}


def draw(results: Results, file: Path) -> None:
    """Draws the figure that the specification asks for, as a PNG file."""
    with rc_context(STYLE):
        figure = _lines(results) if results.spec.figure.kind == "lines" else _bars(results)
        figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)
        figure.suptitle(fill(_plain(full_title(results)), TITLE_LENGTH), fontsize=10)
        handles = {}
        for axes in figure.axes:
            handles |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        if handles:
            figure.legend(handles.values(), handles, loc="outside lower center", ncols=min(len(handles), 4))
        figure.savefig(file, dpi=DPI, format="png")


def _lines(results: Results) -> Figure:
    """A panel for every column and metric, a line for every curve."""
    spec = results.spec
    panels = [(column, name) for column in spec.columns for name in spec.metrics]
    across = min(len(panels), PANELS_PER_ROW)
    down = -(-len(panels) // across)
    figure = Figure(figsize=(WIDTH, PANEL_HEIGHT * down + 0.8), layout="constrained")
    grid = list(figure.subplots(down, across, squeeze=False).flat)
    for axes, (column, name) in zip(grid, panels, strict=False):
        cells = cells_of(results, column)
        _line_panel(axes, cells[(cells["metric"] == name) & cells["value"].notna()], results)
        axes.set_title(_plain(column.title), fontsize=9)
        axes.set_ylabel(_with_unit(spec.metrics[name].title or name, results))
    for axes in grid[len(panels) :]:
        axes.remove()
    return figure


def _line_panel(axes: Axes, cells: pd.DataFrame, results: Results) -> None:
    spec = results.spec
    curves = list(dict.fromkeys(row.curve for row in spec.rows.values() if row.curve and row.x is not None))
    points = cells.assign(
        x=[spec.rows[row].x for row in cells["row"]], curve=[spec.rows[row].curve for row in cells["row"]]
    )
    points = points.dropna(subset=["x", "curve"]).sort_values("x")
    if points.empty:
        _say_nothing_run(axes)
        return
    for number, curve in enumerate(curves):
        of_curve = points[points["curve"] == curve]
        if len(of_curve):
            scores = (of_curve[name] for name in ("value", "low", "high", "std"))
            _curve(axes, of_curve["x"], *scores, number=number, label=_plain(curve))
    axes.set_xlabel(_plain(spec.figure.x))
    if spec.figure.log:
        # A logarithmic axis has no place for 0: there it is linear up to the first point beside it.
        positive = points["x"][points["x"] > 0]
        axes.set_xscale("symlog", linthresh=positive.min()) if (points["x"] <= 0).any() else axes.set_xscale("log")


def _curve(axes: Axes, x: pd.Series, *scores: pd.Series, number: int, label: str) -> None:
    _, caps, bars = axes.errorbar(
        x,
        scores[0],
        yerr=_whiskers(*scores),
        label=label,
        color=COLOURS[number % len(COLOURS)],
        marker=MARKERS[number % len(MARKERS)],
        linestyle=("-", "--", ":")[number // len(COLOURS) % 3],
        linewidth=1.5,
        markersize=5,
        elinewidth=0.9,
        capsize=2.5,
    )
    for whisker in (*caps, *bars):
        whisker.set_alpha(0.5)


def _bars(results: Results) -> Figure:
    """A panel for every column, in it for every class a bar of each row."""
    columns = results.spec.columns
    classes = [classes_of(results, column) for column in columns]
    width = max(WIDTH, INCHES_PER_BAR * max(map(len, classes)))
    figure = Figure(figsize=(width, (PANEL_HEIGHT + 0.6) * len(columns) + 0.6), layout="constrained")
    for axes, column, table in zip(figure.subplots(len(columns), squeeze=False).flat, columns, classes, strict=True):
        _bar_panel(axes, table, results)
        axes.set_title(_plain(column.title), fontsize=9)
        axes.set_ylabel(_with_unit({"f1": "F1", "recall": "Recall"}[results.spec.figure.score], results))
    return figure


def _bar_panel(axes: Axes, classes: pd.DataFrame, results: Results) -> None:
    spec, score, rows = results.spec, results.spec.figure.score, rows_of(classes, results)
    if not rows:
        _say_nothing_run(axes)
        return
    counts = class_counts(classes)
    width = 0.8 / len(rows)
    colours = [name for name, row in spec.rows.items() if not row.quoted]
    for place, row in enumerate(rows):
        table = classes[classes["row"] == row].set_index("class").reindex(list(counts))
        scores = [table[name] for name in (score, f"{score}_low", f"{score}_high", f"{score}_std")]
        number = colours.index(row)
        axes.bar(
            np.arange(len(counts)) + (place - (len(rows) - 1) / 2) * width,
            scores[0],
            width * 0.92,
            yerr=_whiskers(*scores),
            label=_plain(row),
            color=COLOURS[number % len(COLOURS)],
            hatch=HATCHES[number // len(COLOURS) % len(HATCHES)],
            edgecolor="white",
            linewidth=0,
            error_kw={"elinewidth": 0.9, "capsize": 2 if len(classes) <= MANY_BARS else 0, "ecolor": "#404040"},
        )
    labels = [_plain(f"{name} ({count:,})") for name, count in counts.items()]
    axes.set_xticks(range(len(counts)), labels, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_xlim(-0.6, len(counts) - 0.4)
    axes.set_ylim(0, 1.02 * spec.scale)
    axes.grid(False, axis="x")
    axes.set_xlabel("class (training images)")


def _whiskers(value: pd.Series, low: pd.Series, high: pd.Series, std: pd.Series) -> np.ndarray:
    """How far the interval, else the standard deviation, reaches below and above each value."""
    reach = [(value - low).fillna(std), (high - value).fillna(std)]
    return np.clip(np.array(reach, dtype=float), 0, None)


def _say_nothing_run(axes: Axes) -> None:
    axes.text(0.5, 0.5, "nothing run yet", transform=axes.transAxes, ha="center", va="center", color="#707070")
    axes.set(xticks=[], yticks=[])


def _with_unit(title: str, results: Results) -> str:
    return _plain(title) + (" (%)" if results.spec.scale == 100 else "")


def _plain(text: str) -> str:
    """Dollar signs are printed, and do not begin a formula."""
    return text.replace("$", r"\$")
