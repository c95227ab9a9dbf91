"""One panel of a figure of a table: bars or dots of every class, or curves."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lightning_imbal.report.figures.look import COLOURS, LEGEND_LENGTH, MARKERS, filling, line, whiskers, wrapped

MANY_BARS = 60
CROWDED = 0.22  # inches for each class and line of its name


class Series(NamedTuple):
    """The bars of a row.

    Args:
        label: Its name in the legend.
        number: Of its colour and hatch.
        values: One per class; NaN for no bar.
        whiskers: How far they reach below and above, (2, C).
    """

    label: str
    number: int
    values: pd.Series
    whiskers: np.ndarray


def bars(axes: Axes, counts: dict[str, int], series: Sequence[Series]) -> None:
    """Draws a bar of every series for each class.

    Args:
        axes: Panel to draw in.
        counts: Training images of every class, in the order of the bars.
        series: In the order of the bars of a class.
    """
    width = 0.8 / len(series)
    for place, row in enumerate(series):
        axes.bar(
            np.arange(len(counts)) + (place - (len(series) - 1) / 2) * width,
            row.values,
            width * 0.92,
            yerr=row.whiskers,
            label=wrapped(row.label, LEGEND_LENGTH),
            **filling(row.number),
            error_kw={
                "elinewidth": 0.9,
                "capsize": 2 if len(counts) * len(series) <= MANY_BARS else 0,
                "ecolor": "#404040",
            },
        )
    label_classes(axes, counts)
    axes.grid(False, axis="x")


def dots(axes: Axes, rows: Sequence[str], series: dict[str, pd.DataFrame], score: str, baseline: str) -> None:
    """Draws a dot with its whiskers for every row, from top to bottom, one series below the other.

    Args:
        axes: Panel to draw in.
        rows: Names beside the vertical axis.
        series: For each label in the legend the score of every row, with `_low`, `_high` and `_std`.
        score: Such as `f1`.
        baseline: Row whose score is a line through all others.
    """
    for number, (label, table) in enumerate(series.items()):
        scores = [table[name] for name in (score, f"{score}_low", f"{score}_high", f"{score}_std")]
        place = np.arange(len(rows)) + (number - (len(series) - 1) / 2) * 0.36
        look: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
        axes.errorbar(
            scores[0], place, xerr=whiskers(*scores), **look, label=wrapped(label), linestyle="", ms=3, elinewidth=0.7
        )
        if baseline in table.index:
            axes.axvline(table[score][baseline], color=look["color"], linewidth=0.7, linestyle="--")
    axes.set_yticks(range(len(rows)), [wrapped(row, LEGEND_LENGTH) for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)


def class_series(classes: pd.DataFrame, row: str, score: str, names: Sequence[str], number: int) -> Series:
    """The bars of a row from a table of classes, such as `Results.classes`.

    Args:
        classes: Has the columns row, class, and the score with its `_low`, `_high` and `_std`.
        row: Name of the row.
        score: Such as `f1`.
        names: Of the classes, in the order of the bars.
        number: Of its colour and hatch.
    """
    table = classes[classes["row"] == row].set_index("class").reindex(list(names))
    scores = [table[name] for name in (score, f"{score}_low", f"{score}_high", f"{score}_std")]
    return Series(row, number, scores[0], whiskers(*scores))


def label_classes(axes: Axes, counts: dict[str, int]) -> None:
    """Names the classes below the horizontal axis, each with its number of training images."""
    labels = [wrapped(f"{name} ({count:,})") for name, count in counts.items()]
    inches = axes.bbox.width / axes.figure.dpi / len(counts) / (1 + max(label.count("\n") for label in labels))
    look: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    if inches < CROWDED:
        look = {"rotation": 90, "fontsize": min(7, 65 * inches)}
    axes.set_xticks(range(len(counts)), labels, **look)
    axes.set_xlim(-0.6, len(counts) - 0.4)
    axes.set_xlabel("class (training images)")


def curve(
    axes: Axes,
    x: pd.Series,
    value: pd.Series,
    low: pd.Series,
    high: pd.Series,
    std: pd.Series,
    number: int,
    label: str,
) -> None:
    """Draws points with their whiskers, joined by a line; its look goes with the number."""
    _, caps, lines = axes.errorbar(
        x,
        value,
        yerr=whiskers(value, low, high, std),
        label=wrapped(label, LEGEND_LENGTH),
        **line(number),
        linewidth=1.5,
        markersize=5,
        elinewidth=0.9,
        capsize=2.5,
    )
    for whisker in (*caps, *lines):
        whisker.set_alpha(0.5)
