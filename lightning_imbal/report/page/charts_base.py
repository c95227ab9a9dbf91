"""What the charts of a report page have in common: how methods are told apart, and the look of a figure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lightning_imbal.report.figures.look import COLOURS
from lightning_imbal.stats.drawn_methods import Method

MOST_LEGEND = 320  # pixels; a longer one scrolls
LABEL_LENGTH = 32
PATTERNS = ("", "/", "x", ".", "\\", "+", "-", "|")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "triangle-down", "cross", "pentagon", "hourglass")
PAPER = "#ffffff"
# White to dark in one hue, so that it prints in grey.
SHADES = ((0.0, PAPER), (0.5, "#6baed6"), (1.0, "#08306b"))
DARK = "#222222"
GREY = "#57606a"
GRID = "#e3e6e8"


@dataclass(frozen=True)
class Chart:
    """One or more figures in the same place of a page.

    Args:
        key: Its id in the page.
        about: What it shows, in one sentence.
        figures: By what a reader chooses.
        choice: What that is, such as "Method".
        min_width: Pixels below which the chart scrolls sideways in its own box.
        numbers: Whether a table of what is drawn says anything to who cannot see it.
    """

    key: str
    about: str
    figures: dict[str, go.Figure]
    choice: str = "Method"
    min_width: int = 0
    numbers: bool = True


def label(name: str, length: int = LABEL_LENGTH) -> str:
    """A name of the user's as plotly prints it as it is: plotly reads texts as a kind of HTML."""
    return "<br>".join(escape(line, quote=False) for line in wrap(name, length)) or " "


def colour(number: int) -> str:
    """A colour; they repeat after the last one."""
    return COLOURS[number % len(COLOURS)]


def line(number: int) -> dict[str, Any]:
    """Colour and dash of a curve."""
    return {"color": colour(number), "dash": DASHES[number % len(DASHES)], "width": 2}


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis in the look of the page."""
    look = {"gridcolor": GRID, "linecolor": DARK, "automargin": True, "zeroline": False, "ticks": "outside"}
    return look | {"title": {"text": title, "standoff": 10}} | more


def honest_range(values: Iterable[float], least: float = 0.0) -> list[float] | None:
    """The range of an axis on which a small change looks small; None without finite values.

    Args:
        values: All that is drawn.
        least: Units that the axis spans at least; 0 makes it half of the largest value.
    """
    finite = np.array([value for value in values if np.isfinite(value)])
    if not len(finite):
        return None
    low, high = float(finite.min()), float(finite.max())
    least = least or max(abs(low), abs(high)) / 2 or 1.0
    missing = max(0.0, least - (high - low))
    bottom, top = low - missing / 2, high + missing / 2
    if low >= 0 > bottom:  # what is never negative
        bottom, top = 0.0, top - bottom
    room = 0.04 * (top - bottom)
    return [max(bottom - room, 0.0) if low >= 0 else bottom - room, top + room]


def figure(traces: Sequence[Any], x: str, y: str, height: int = 380, **layout: Any) -> go.Figure:
    """A figure in the look of the page; its legend is below it.

    Args:
        traces: What it shows.
        x: Title of the horizontal axis.
        y: Title of the vertical axis.
        height: Of the figure without its legend, in pixels.
        layout: More of plotly's layout, with `xaxis` and `yaxis` as what they have over the look of the page.
    """
    for name, title in (("xaxis", x), ("yaxis", y)):
        layout[name] = axis(title, **layout.get(name, {}))
    look = {
        "template": "none",
        "height": height,
        "margin": {"l": 8, "r": 24, "t": 32, "b": 8},
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": DARK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "legend": {
            "orientation": "h",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "x": 0,
            "maxheight": MOST_LEGEND,
        },
        "hoverlabel": {"namelength": -1, "align": "left"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": GREY, "activecolor": DARK},
        "dragmode": False,
    }
    return go.Figure(list(traces), look | layout)


def drawn_first(methods: Sequence[Method]) -> str:
    """A sentence on which methods are drawn, if not all are; it follows another one."""
    shown = sum(method.shown for method in methods)
    if shown == len(methods):
        return ""
    return (
        f" Drawn are the baseline and the best by macro F1, {shown} of {len(methods)} methods: click on others in the "
        "legend to see them."
    )


def pattern(number: int) -> dict[str, Any]:
    """White lines or dots on the colour of a bar, so that bars differ in grey, too."""
    return {"shape": PATTERNS[number % len(PATTERNS)], "fgcolor": PAPER, "fillmode": "overlay", "size": 7}


def whiskers(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, Any]:
    """Error bars from each value to the bounds of its interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": high - value,
        "arrayminus": value - low,
        "color": DARK,
        "thickness": 1.2,
        "width": 2,
    }
