"""The look of all figures: colours, hatches, lines and legends, told apart in colour and in grey."""

import re
from textwrap import TextWrapper
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind people tell apart, without the yellow that is lost on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = "os^Dv<>"
HATCHES = ("", "///", "...", "xxx")
DASHES = ("-", "--", ":")
# Numbers of series in such steps have other hatches and dashes as well as colours.
IN_GREY = len(COLOURS) + 1
LEGEND_LENGTH = 40
LETTERS_PER_INCH = 14
# Keys are of any type: what Matplotlib calls its settings is one that older versions do not have.
STYLE: dict[Any, Any] = {
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


def filling(number: int) -> dict[str, Any]:
    """Colour and hatch of a bar: after the last colour they begin again, with the next hatch."""
    hatch = HATCHES[number // len(COLOURS) % len(HATCHES)]
    return {"color": COLOURS[number % len(COLOURS)], "hatch": hatch, "edgecolor": "white", "linewidth": 0}


def line(number: int) -> dict[str, Any]:
    """Colour, marker and dash of a line: after the last colour they begin again, with the next dash."""
    dash = DASHES[number // len(COLOURS) % len(DASHES)]
    return {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)], "linestyle": dash}


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
    handles: dict[str, Artist] = {}
    for axes in figure.axes:
        handles |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if handles:
        longest = max(len(part) for label in handles for part in label.split("\n"))
        columns = max(1, min(len(handles), 4, int(LETTERS_PER_INCH * figure.get_figwidth() / (longest + 7))))
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=columns)


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
