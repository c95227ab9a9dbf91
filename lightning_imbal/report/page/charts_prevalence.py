"""The chart of which method is best where a class is more or less frequent."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lightning_imbal.report.page.charts_base import (
    DARK,
    PAPER,
    Chart,
    axis,
    colour,
    drawn_first,
    figure,
    label,
    line,
)
from lightning_imbal.stats.at_prevalence import PREVALENCES, best_ranges, scores_of_class
from lightning_imbal.stats.drawn_methods import Method

ABOUT = (
    "Scores at your prevalence: choose a class, and find how frequent it is where you are on the horizontal axis; in "
    "the test images it is so at the dotted line. The other classes keep their proportions to each other, and every "
    "class its recall: the answers of the methods stay as they are. Images of all runs of a method are counted."
)
BEST = (
    " The two bars name the best method at each prevalence, by macro F1 and by F1 of the class; where lines are close, "
    "which one is above may be chance."
)
TICKS = {0.001: "0.1 %", 0.01: "1 %", 0.1: "10 %", 0.3: "30 %", 0.9: "90 %"}
HEIGHT, NARROW_HEIGHT = 720, 1320
TOP = 0.82  # of the panels, where there are bars above them
# The number of the axes of each score, their title, and where they are.
PANELS = {
    "macro_f1": ("", "macro F1", (0, 0.45), (0.57, 1)),
    "f1": ("2", "F1 of the class", (0.56, 1), (0.57, 1)),
    "precision": ("3", "precision of the class", (0, 0.45), (0, 0.43)),
    "recall": ("4", "recall of the class", (0.56, 1), (0, 0.43)),
}
BARS = {"f1": "best F1", "macro_f1": "best macro F1"}


def prevalence_chart(
    methods: Sequence[Method], learned: Sequence[str], shares: dict[str, float], names: Sequence[str]
) -> Chart:
    """For each class the scores of every method over its prevalence, and which method is best.

    Args:
        methods: A line each.
        learned: Names of those that have learned anything: no other is the best.
        shares: Share of each class among the test images, of classes in the order of the choice.
        names: Of the classes, in label order.
    """
    figures = {name: _figure(methods, learned, name, share, names.index(name)) for name, share in shares.items()}
    about = ABOUT + BEST * (len(learned) > 1) + drawn_first(methods)
    return Chart("prevalence", about, figures, choice="Class")


def _figure(methods: Sequence[Method], learned: Sequence[str], name: str, share: float, c: int) -> go.Figure:
    curves = {method.name: scores_of_class(method.runs, c) for method in methods}
    traces = [_line(method, key, curves[method.name][key]) for method in methods for key in PANELS]
    compared = [method for method in methods if method.name in learned]
    bars = len(compared) > 1
    if bars:
        for place, key in enumerate(BARS):
            traces.append(_bar(compared, {method.name: curves[method.name][key] for method in compared}, place))
    axes, title = _axes(bars), f"prevalence of {label(name, 60)}"
    for number, score, *_ in list(PANELS.values())[1:]:
        axes[f"xaxis{number}"] = axis(title, **axes[f"xaxis{number}"])
        axes[f"yaxis{number}"] = axis(score, **axes[f"yaxis{number}"])
    mark = {"type": "line", "x0": share, "x1": share, "y0": 0, "y1": 1, "line": {"color": DARK, "dash": "dot"}}
    numbers = [number for number, *_ in PANELS.values()] + ["5"] * bars
    shapes = [mark | {"xref": f"x{number}", "yref": f"y{number} domain"} for number in numbers]
    if not PREVALENCES[0] <= share <= PREVALENCES[-1]:
        shapes = []
    look: dict[str, Any] = {"barmode": "overlay", "bargap": 0.15, "uniformtext": {"mode": "hide", "minsize": 12}}
    look["meta"] = {"narrow": _narrow(bars)}
    return figure(traces, title, PANELS["macro_f1"][1], HEIGHT, showlegend=True, shapes=shapes, **look, **axes)


def _axes(bars: bool) -> dict[str, Any]:
    """Where the panels of the scores are, and above them the bars, if there are any."""
    prevalence: dict[str, Any] = {"type": "log", "range": np.log10(PREVALENCES[[0, -1]]), "tickvals": list(TICKS)}
    prevalence |= {"ticktext": list(TICKS.values()), "tickangle": 0}
    axes: dict[str, Any] = {}
    for number, _, x, (low, high) in PANELS.values():
        axes[f"xaxis{number}"] = prevalence | {"domain": x, "anchor": f"y{number}"}
        domain = (low * TOP, high * TOP) if bars else (low, high)
        axes[f"yaxis{number}"] = {"domain": domain, "anchor": f"x{number}", "range": [0, 1.02]}
    if bars:
        axes["xaxis5"] = axis("", **prevalence, anchor="y5")
        names = {"tickvals": list(range(len(BARS))), "ticktext": list(BARS.values()), "showgrid": False, "ticks": ""}
        axes["yaxis5"] = axis("", **names, domain=(0.91, 1), anchor="x5", range=[-0.5, 1.5])
    return axes


def _narrow(bars: bool) -> dict[str, Any]:
    """The same panels below each other, for a screen on which they have no room beside each other."""
    look: dict[str, Any] = {"height": NARROW_HEIGHT}
    share = (0.9 if bars else 1) / len(PANELS)
    for place, (number, *_) in enumerate(reversed(PANELS.values())):
        look[f"xaxis{number}"] = {"domain": [0, 1]}
        look[f"yaxis{number}"] = {"domain": [place * share, place * share + share - 0.06]}
    if bars:
        look["yaxis5"] = {"domain": [0.94, 1]}
    return look


def _line(method: Method, key: str, values: np.ndarray) -> go.Scatter:
    number = PANELS[key][0]
    # Recall is the same everywhere.
    ends = slice(None, None, len(PREVALENCES) - 1) if key == "recall" else slice(None)
    return go.Scatter(
        x=PREVALENCES[ends].astype(np.float32),
        y=values[ends].astype(np.float32),
        xaxis=f"x{number}",
        yaxis=f"y{number}",
        mode="lines",
        name=label(method.name),
        legendgroup=str(method.number),
        showlegend=key == "macro_f1",
        visible=method.visible,
        line=line(method.number),
        hovertemplate="%{x:.2~%}: %{y:.3f}",
    )


def _bar(methods: Sequence[Method], curves: dict[str, np.ndarray], place: int) -> go.Bar:
    """Which method is best at which prevalence."""
    numbers = {method.name: method.number for method in methods}
    ranges = best_ranges(curves)
    return go.Bar(
        orientation="h",
        xaxis="x5",
        yaxis="y5",
        y=[place] * len(ranges),
        base=[each.low for each in ranges],
        x=[each.high - each.low for each in ranges],
        text=[label(each.name, 60) for each in ranges],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        customdata=[f"{100 * each.low:.2g} % to {100 * each.high:.2g} %" for each in ranges],
        marker={"color": [colour(numbers[each.name]) for each in ranges], "line": {"color": PAPER, "width": 1}},
        hovertemplate="%{text}: best from %{customdata}<extra></extra>",
        showlegend=False,
    )
