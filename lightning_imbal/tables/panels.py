"""One panel of a figure: bars of every class, or curves, told apart in colour and in grey."""

import re
from collections.abc import Sequence
from textwrap import TextWrapper
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

MANY_BARS = 60
# Okabe and Ito's colours, which colour-blind people tell apart, without the yellow that is lost on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = "os^Dv<>"
HATCHES = ("", "///", "...", "xxx")
DASHES = ("-", "--", ":")
# Numbers of series in such steps have other hatches and dashes as well as colours.
IN_GREY = len(COLOURS) + 1
CROWDED = 0.22  # inches for each class and line of its name
LEGEND_LENGTH = 40
LETTERS_PER_INCH = 14
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
        look = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
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


def filling(number: int) -> dict[str, Any]:
    """Colour and hatch of a bar: after the last colour they begin again, with the next hatch."""
    hatch = HATCHES[number // len(COLOURS) % len(HATCHES)]
    return {"color": COLOURS[number % len(COLOURS)], "hatch": hatch, "edgecolor": "white", "linewidth": 0}


def line(number: int) -> dict[str, Any]:
    """Colour, marker and dash of a line: after the last colour they begin again, with the next dash."""
    dash = DASHES[number // len(COLOURS) % len(DASHES)]
    return {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)], "linestyle": dash}


def label_classes(axes: Axes, counts: dict[str, int]) -> None:
    """Names the classes below the horizontal axis, each with its number of training images."""
    labels = [wrapped(f"{name} ({count:,})") for name, count in counts.items()]
    inches = axes.bbox.width / axes.figure.dpi / len(counts) / (1 + max(label.count("\n") for label in labels))
    look = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
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


def whiskers(value: pd.Series, low: pd.Series, high: pd.Series, std: pd.Series) -> np.ndarray:
    """How far the interval, else the standard deviation, reaches below and above each value, (2, N)."""
    reach = [(value - low).fillna(std), (high - value).fillna(std)]
    return np.clip(np.array(reach, dtype=float), 0, None)


def log_axis(axes: Axes, x: pd.Series) -> None:
    """Makes the horizontal axis logarithmic; one with 0 on it is linear up to the first point beside it."""
    positive = x[x > 0]
    axes.set_xscale("symlog", linthresh=positive.min()) if (x <= 0).any() else axes.set_xscale("log")


def legend_below(figure: Figure) -> None:
    """Puts one legend for all panels below them, each label once, in as many columns as have room, at most 4."""
    handles = {}
    for axes in figure.axes:
        handles |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if handles:
        longest = max(len(part) for label in handles for part in label.split("\n"))
        columns = max(1, min(len(handles), 4, int(LETTERS_PER_INCH * figure.get_figwidth() / (longest + 7))))
        figure.legend(handles.values(), handles, loc="outside lower center", ncols=columns)


def plain(text: str) -> str:
    """Dollar signs begin no formula, and a leading underscore does not hide a name from the legend."""
    return (" " if text.startswith("_") else "") + text.replace("$", r"\$")


def wrapped(name: str, letters: int = 28) -> str:
    """A name in lines of so many letters, without the middle of one that is too long for three, and `plain`."""
    most = 3 * letters
    if len(name) > most:
        name = f"{name[: most // 2]}…{name[-most // 2 + 1 :]}"
    return plain(_Wrapper(letters).fill(name))


class _Wrapper(TextWrapper):
    """Breaks lines also within the names of folders and options."""

    wordsep_re = re.compile(r"(\s+|(?<=[-+_./])(?=[^\W\d]))")
