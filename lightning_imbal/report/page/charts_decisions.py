"""Charts of what comes of acting on probabilities: risk by coverage, and net benefit by threshold."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lightning_imbal.report.page.charts_base import Chart, drawn_first, figure, label, line
from lightning_imbal.stats.acted_on import COVERAGES, THRESHOLDS, mean_benefit, mean_risk
from lightning_imbal.stats.drawn_methods import Method
from lightning_imbal.stats.net_benefit import net_benefit, treat_all
from lightning_imbal.stats.rounds import Round

GREY = "#808080"
LEAST_RISK = 0.05  # of the axis: less looks small
RISK = (
    "Risk and coverage: if only the images that a method is most confident of were answered, so many on the horizontal "
    "axis, so many of the answers would be wrong; the lower, the better, and the right end is without refusal. AURC is "
    "the mean over all coverages. Means over the runs of a method. All images count alike, and so mostly those of "
    "frequent classes."
)
BENEFIT = (
    "Decision curves: what it is worth to treat every image with at least a probability of the class, as images of it "
    "found per image, less the needless treatments. Whoever treats from a threshold t on holds a missed image as bad "
    "as (1 - t) / t needless treatments, 9 at 0.1: choose the class and your threshold; a method is of use where its "
    "line is above both grey ones, to treat all and to treat none, and the highest is best. Probabilities count as "
    "they are, so that what is badly calibrated loses. Means over the runs of a method."
)


def risk_chart(methods: Sequence[Method], rounds: dict[str, list[Round]]) -> Chart:
    """The share of wrong answers among the most confident, a line for each method.

    Args:
        methods: Some or all with predictions.
        rounds: Of those with predictions, by the name of the method.
    """
    traces = []
    for method in methods:
        if method.name in rounds:
            risk = mean_risk(rounds[method.name])
            name = f"{label(method.name)}: AURC {risk.area:.3f}"
            traces.append(_line(method, risk.at, COVERAGES, name, "%{x:.0%} answered: %{y:.1%} wrong"))
    axes: dict[str, Any] = {
        "xaxis": {"range": [0, 1.01], "tickformat": ".0%"},
        "yaxis": {"range": [0, max([LEAST_RISK, *(1.05 * max(trace.y) for trace in traces)])], "tickformat": ".0%"},
    }
    drawn = figure(traces, "coverage: images that are answered", "risk: wrong answers", showlegend=True, **axes)
    return Chart("risk", RISK + drawn_first(methods), {"": drawn})


def decision_curves(
    methods: Sequence[Method], rounds: dict[str, list[Round]], shares: dict[str, float], names: Sequence[str]
) -> Chart:
    """For each class the net benefit over the threshold probability, a line for each method.

    Args:
        methods: Some or all with predictions.
        rounds: Of those with predictions, by the name of the method.
        shares: Share of each class among the test images, of classes in the order of the choice.
        names: Of the classes, in label order.
    """
    figures = {name: _benefits(methods, rounds, name, names.index(name)) for name in shares}
    return Chart("benefit", BENEFIT + drawn_first(methods), figures, choice="Class")


def _benefits(methods: Sequence[Method], rounds: dict[str, list[Round]], name: str, c: int) -> go.Figure:
    everyone = mean_benefit(treat_all, next(iter(rounds.values())), c)
    traces = [
        go.Scatter(
            x0=0,
            dx=THRESHOLDS[1],
            y=values.astype(np.float32),
            mode="lines",
            name=title,
            line={"color": GREY, "dash": dash, "width": 1.5},
            hoverinfo="skip",
        )
        for title, values, dash in (
            ("treat all", everyone, "dash"),
            ("treat none", np.zeros(len(THRESHOLDS)), "solid"),
        )
    ]
    top = everyone[0]
    for method in methods:
        if method.name in rounds:
            benefit = mean_benefit(net_benefit, rounds[method.name], c)
            hover = "treated from %{x:.2f} on: %{y:.4f}"
            traces.append(_line(method, benefit, THRESHOLDS, label(method.name), hover))
    # Treating all is soon worse than any room there is.
    axes: dict[str, Any] = {"xaxis": {"range": [0, 1]}, "yaxis": {"range": [-0.25 * top, 1.05 * top]}}
    return figure(traces, f"threshold probability of {label(name, 60)}", "net benefit", showlegend=True, **axes)


def _line(method: Method, values: np.ndarray, grid: np.ndarray, name: str, hover: str) -> go.Scatter:
    """A line over an even grid."""
    return go.Scatter(
        x0=grid[0],
        dx=grid[1] - grid[0],
        y=values.astype(np.float32),
        mode="lines",
        name=name,
        visible=method.visible,
        line=line(method.number),
        hovertemplate=hover,
    )
