"""Charts of what the methods score on the test images: per class, by confusion, by confidence, over an option."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lightning_imbal.report.page.charts_base import (
    DARK,
    GRID,
    SHADES,
    SYMBOLS,
    Chart,
    colour,
    drawn_first,
    figure,
    honest_range,
    label,
    line,
    pattern,
    whiskers,
)
from lightning_imbal.score_names import SCORES
from lightning_imbal.stats.analysis import Reliability, confusion
from lightning_imbal.stats.drawn_methods import Method
from lightning_imbal.stats.results import Results, cells_of
from lightning_imbal.stats.sweeps import SWEPT, WIDE, Sweep

MANY_CLASSES = 12  # above it names are small and in one line, and cells of a matrix have no text
OUTLINE = {"line": {"color": DARK, "width": 0.5}}
MOST_LETTERS = 60
CELL, LINE = 42, 16  # pixels of a class: with two lines of text, with one
LEAST_SPAN = 0.1  # of a score over an option, whose scale is 1


def f1_bars(results: Results, methods: Sequence[Method], train: dict[str, int], test: dict[str, int]) -> Chart:
    """For every class, from most to fewest training images, the F1 of each method with its 95 % interval."""
    traces = []
    for method in methods:
        scores = results.classes[results.classes["row"] == method.name].set_index("class").reindex(list(train))
        value, low, high = (scores[name].to_numpy() for name in ("f1", "f1_low", "f1_high"))
        interval = ", 95 % interval %{customdata[0]:.2f} to %{customdata[1]:.2f}" if np.isfinite(low).any() else ""
        traces.append(
            go.Bar(
                x=np.arange(len(train)),
                y=value,
                name=label(method.name),
                visible=method.visible,
                marker={"color": colour(method.number), "pattern": pattern(method.number)} | OUTLINE,
                error_y=whiskers(value, low, high),
                customdata=np.stack([low, high], axis=1),
                hovertemplate="%{x}: F1 %{y:.3f}" + interval,
            )
        )
    between = ": " if len(train) > MANY_CLASSES else "<br>"
    images = [f"{between}{number:,} train, {test[name]:,} test" for name, number in train.items()]
    axes = {"xaxis": class_axis(list(train), 20, images), "yaxis": {"range": [0, 1.02 * results.spec.scale]}}
    drawn = figure(traces, "class (training and test images)", "F1" + results.spec.unit, 420, bargap=0.18, **axes)
    about = "F1 of every class, from most to fewest training images, a bar for each method with its 95 % interval."
    shown = sum(method.shown for method in methods)
    return Chart("f1", about + drawn_first(methods), {"": drawn}, min_width=max(300, len(train) * max(7 * shown, LINE)))


def class_histogram(train: dict[str, int], test: dict[str, int]) -> Chart:
    """Training and test images of every class, on a logarithmic axis."""
    traces = [
        go.Bar(
            x=np.arange(len(train)),
            y=list(images),
            name=part,
            marker={"color": colour(number), "pattern": pattern(number)} | OUTLINE,
            hovertemplate="%{x}: %{y:,} images",
        )
        for number, (part, images) in enumerate(
            {"training images": train.values(), "test images": [test[name] for name in train]}.items()
        )
    ]
    axes = {
        "xaxis": class_axis(list(train), 20),
        "yaxis": {
            "type": "log",
            "dtick": 1,
            "tickformat": ",d",
            "range": [np.log10(0.7), np.log10(1.5 * max(*train.values(), *test.values()))],
        },
    }
    about = "Training and test images of every class, from most to fewest training images, on a logarithmic axis."
    drawn = figure(traces, "class", "images (log scale)", 320, bargap=0.25, **axes)
    return Chart("histogram", about, {"": drawn}, min_width=max(300, LINE * len(train)))


def confusions(methods: Sequence[Method], names: Sequence[str], order: Sequence[str]) -> Chart:
    """A matrix for each method: how many images of each class were taken for which.

    Args:
        methods: A figure each.
        names: Of the classes, in label order.
        order: Of the classes, in which they are drawn.
    """
    place = [names.index(name) for name in order]
    figures = {method.name: _confusion(confusion(method.runs)[np.ix_(place, place)], order) for method in methods}
    about = (
        "Confusion matrix: a row holds the test images of a true class, its cells the classes they were taken for; the "
        "darker, the larger the share of the row. Images of all runs of the method are counted."
    )
    cell = CELL if len(order) <= MANY_CLASSES else LINE
    return Chart("confusion", about, figures, min_width=max(300, 120 + cell * len(order)))


def reliability_diagrams(found: dict[str, dict[str, Reliability]]) -> Chart:
    """For each method the accuracy of its predictions by their confidence, a line for every group of classes."""
    about = (
        "Reliability: how often predictions of a confidence are right, for all images and for those whose true class "
        "is in a group. On the dotted diagonal confidence can be trusted; below it the model is too sure of itself. "
        "ECE is the expected calibration error over 15 bins, of several runs the mean; bins of few images scatter."
    )
    return Chart("reliability", about, {name: _reliability(groups) for name, groups in found.items()})


def sweep_chart(results: Results, sweep: Sweep, number: int) -> Chart:
    """The summary scores over an option, a line for every curve."""
    [column] = results.spec.columns
    cells = cells_of(results, column)
    names = {metric.score: name for name, metric in results.spec.metrics.items()}
    figures = {
        (title := SCORES[score].in_words): _sweep(
            cells[cells["metric"] == names[score]].set_index("row"),
            sweep,
            title + results.spec.unit,
            results.spec.scale,
        )
        for score in SWEPT
        if score in names
    }
    about = f"Scores over the option {sweep.option}, each with its 95 % interval; all else is equal along a line."
    return Chart(f"sweep{number}", about, figures, choice="Score")


def _confusion(images: np.ndarray, order: Sequence[str]) -> go.Figure:
    share = images / np.maximum(images.sum(axis=1, keepdims=True), 1)
    texts = [
        [f"{n:,}<br>{s:.0%}" if n else "0" for n, s in zip(*row, strict=True)]
        for row in zip(images, share, strict=True)
    ]
    few = len(order) <= MANY_CLASSES
    trace = go.Heatmap(
        z=share,
        zmin=0,
        zmax=1,
        colorscale=SHADES,
        xgap=1,
        ygap=1,
        customdata=images,
        text=texts if few else None,
        texttemplate="%{text}" if few else None,
        textfont={"size": 12},
        hovertemplate="true: %{y}<br>predicted: %{x}<br>%{customdata:,} images, %{z:.1%} of the class<extra></extra>",
        showscale=not few,
        colorbar={"title": {"text": "share", "side": "top"}, "tickformat": ".0%", "thickness": 12, "len": 0.9},
    )
    axis = class_axis(order, 16) | {"ticks": ""}
    height = 150 + (CELL if few else LINE) * len(order)
    axes = {"xaxis": axis, "yaxis": axis | {"autorange": "reversed", "tickangle": 0}}
    return figure([trace], "predicted class", "true class", max(300, height), plot_bgcolor=GRID, **axes)


def _reliability(groups: dict[str, Reliability]) -> go.Figure:
    diagonal = go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": "#808080", "dash": "dot"}, hoverinfo="skip", showlegend=False
    )
    traces = [
        go.Scatter(
            x=found.bins["confidence"].to_numpy(),
            y=found.bins["accuracy"].to_numpy(),
            customdata=found.bins["images"].to_numpy(),
            mode="lines+markers",
            name=f"{label(group)}: ECE {found.ece:.3f} ({found.images:,} images)",
            line=line(number) | ({"width": 3} if group == "all" else {}),
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 8},
            hovertemplate="confidence %{x:.2f}, right %{y:.2f}, %{customdata:,} images",
        )
        for number, (group, found) in enumerate(groups.items())
    ]
    axes = {"xaxis": {"range": [0, 1.02]}, "yaxis": {"range": [0, 1.02]}}
    return figure([diagonal, *traces], "mean confidence", "accuracy (share that is right)", 400, **axes)


def _sweep(cells: pd.DataFrame, sweep: Sweep, title: str, scale: float) -> go.Figure:
    traces, drawn = [], []
    for number, (name, points) in enumerate(sweep.curves.items()):
        x, rows = zip(*points, strict=True)
        value, low, high = (cells.loc[list(rows), what].to_numpy() for what in ("value", "low", "high"))
        drawn += [*value, *low, *high]
        traces.append(
            go.Scatter(
                x=x,
                y=value,
                mode="lines+markers",
                name=label(name),
                showlegend=bool(name),
                line=line(number),
                marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 9},
                error_y=whiskers(value, low, high) | {"color": colour(number)},
                customdata=[label(row) for row in rows],
                hovertemplate="%{x}: %{y:.3f}<br>%{customdata}<extra></extra>",
            )
        )
    values = sorted({value for points in sweep.curves.values() for value, _ in points})
    logarithmic = values[0] > 0 and values[-1] > WIDE * values[0]
    axis = {
        "type": "log" if logarithmic else "linear",
        "tickvals": values,
        "ticktext": [f"{each:g}" for each in values],
    }
    limits = {"range": honest_range(drawn, LEAST_SPAN * scale)}
    return figure(traces, label(sweep.option), title, 340, xaxis=axis, yaxis=limits)


def class_axis(order: Sequence[str], length: int, images: Sequence[str] | None = None) -> dict[str, Any]:
    """The classes at 0, 1, ...: as categories, names such as 1 and 02 would become numbers.

    Args:
        order: Of the classes.
        length: At which a name goes on in a new line, if there are few.
        images: What follows each name.
    """
    many = len(order) > MANY_CLASSES
    names = [label(name, MOST_LETTERS if many else length) for name in order]
    texts = [name + more for name, more in zip(names, images or [""] * len(names), strict=True)]
    # Names of two lines lie upon each other when they are slanted.
    look: dict[str, Any] = {"tickangle": 90} if many else {"autotickangles": [0, 90]}
    return {"tickvals": np.arange(len(names)), "ticktext": texts, "showgrid": False} | look
