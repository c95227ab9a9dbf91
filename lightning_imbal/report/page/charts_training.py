"""Charts of the training, and of what the trained networks make of the test images: learning curves, feature maps."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lightning_imbal.report.page.charts_base import PAPER, SYMBOLS, Chart, colour, figure, honest_range, label, line
from lightning_imbal.score_names import SCORES
from lightning_imbal.stats.analysis import VALIDATED, learning_curves
from lightning_imbal.stats.drawn_methods import Method

FEW_EPOCHS = 15
PER_CLASS = "val/f1/"
TITLES = {f"val/{key}": f"{SCORES[key].in_words} (validation)" for key in VALIDATED}
TITLES |= {"val/loss": "Loss (validation)", "train/loss": "Loss (training)"}


def curves_of(methods: Sequence[Method]) -> pd.DataFrame:
    """The learning curves of all runs: what `learning_curves` returns, with the place of the method in front."""
    found = {place: learning_curves(method.runs) for place, method in enumerate(methods)}
    return pd.concat(found, names=["method", None]).reset_index("method")


def learning_charts(curves: pd.DataFrame, methods: Sequence[Method], order: Sequence[str]) -> list[Chart]:
    """For every stage each score over the epochs, a line for each run.

    Args:
        curves: What `curves_of` returns.
        methods: In the order of the curves.
        order: Of the classes.
    """
    titles = TITLES | {f"{PER_CLASS}{name}": f"F1 of {name} (validation)" for name in order}
    charts = []
    for stage, of_stage in curves.groupby("stage"):
        by_score = dict(iter(of_stage.groupby("score")))
        figures = {
            title: _curves(by_score[score], methods, title, score.endswith("/loss"))
            for score, title in titles.items()
            if score in by_score
        }
        about = f"Learning curves of {stage}: a line for each run."
        if any(not method.shown for method in methods):
            about += " Click on the other methods in the legend to see them."
        charts.append(Chart(f"curves-{stage}", about, figures, choice="Score"))
    return charts


def feature_maps(methods: Sequence[Method], order: Sequence[str], called: Callable[[str], str] = str) -> Chart | None:
    """For each method the map of the features of its first run; None if no run has one.

    Args:
        methods: A figure each.
        order: Of the classes.
        called: What an image is called.
    """
    found = {method.name: method.runs[0].feature_map() for method in methods}
    figures = {name: _feature_map(table, order, called) for name, table in found.items() if table is not None}
    about = (
        "t-SNE of the features of the test images; distances between clusters mean nothing. First run of the method. "
        "Who cannot see it misses no number: how well the classes are told apart is in the confusion matrices."
    )
    return Chart("map", about, figures, numbers=False) if figures else None


def _curves(curves: pd.DataFrame, methods: Sequence[Method], title: str, is_loss: bool) -> go.Figure:
    traces, named = [], set()
    for (place, run), table in curves.groupby(["method", "run"], sort=False):
        method = methods[place]
        traces.append(
            go.Scatter(
                x=table["epoch"].to_numpy(np.int32),
                y=table["value"].to_numpy(np.float32),
                mode="lines" if len(table) > 1 else "markers",
                name=label(method.name),
                legendgroup=str(place),
                showlegend=place not in named,
                visible=method.visible,
                line=line(method.number),
                marker={"symbol": SYMBOLS[method.number % len(SYMBOLS)], "size": 9},
                hovertemplate=f"{label(run)}, epoch %{{x}}: %{{y:.3f}}",
            )
        )
        named.add(place)
    # With few epochs plotly would also mark halves.
    ticks = {"dtick": 1} if curves["epoch"].max() <= FEW_EPOCHS else {}
    # A score has the same axis in every page, so that a flat curve looks flat; one of chance may lie below 0.
    lowest = min(0.0, curves["value"].min())
    limits = honest_range(curves["value"]) if is_loss else [1.02 * lowest, 1.02]
    axes = {"yaxis": {"range": limits}, "xaxis": ticks}
    return figure(traces, "epoch", label(title, 50), 360, showlegend=True, **axes)


def _feature_map(table: pd.DataFrame, order: Sequence[str], called: Callable[[str], str]) -> go.Figure:
    traces = []
    for number, name in enumerate(order):
        points = table[table["label"] == name]
        if len(points):
            traces.append(
                go.Scatter(
                    x=points["x"].to_numpy(np.float32),
                    y=points["y"].to_numpy(np.float32),
                    customdata=[label(called(image), 60) for image in points["image"]],
                    mode="markers",
                    name=label(name),
                    marker={"color": colour(number), "symbol": SYMBOLS[number % len(SYMBOLS)], "size": 7}
                    | {"opacity": 0.75, "line": {"width": 0.4, "color": PAPER}},
                    hovertemplate="%{customdata}<br>%{fullData.name}<extra></extra>",
                )
            )
    axis = {"showticklabels": False, "ticks": ""}
    titles = ("t-SNE, first dimension", "t-SNE, second dimension")
    return figure(traces, *titles, 520, xaxis=axis, yaxis=axis, dragmode="zoom", showlegend=True)
