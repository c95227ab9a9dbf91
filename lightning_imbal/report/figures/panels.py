"""One panel of a figure of finished runs: class sizes, a confusion matrix, calibration, training, a map of features."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from lightning_imbal.report.figures.look import (
    COLOURS,
    IN_GREY,
    LEGEND_LENGTH,
    MARKERS,
    filling,
    line,
    log_axis,
    wrapped,
)
from lightning_imbal.report.figures.series import curve, label_classes
from lightning_imbal.stats.analysis import Reliability
from lightning_imbal.stats.sweeps import WIDE

MOST_CELL_TEXTS = 15
MOST_NAMED = 40
MOST_COLOURED = 21
POINTS = 72  # of an inch
MARKS = 8  # on a curve
MOST_TICKS = 6


def draw_histogram(axes: Axes, counts: dict[str, int], groups: dict[str, Sequence[str]]) -> None:
    """Draws how many training images each class has, a look for each group of classes.

    Args:
        axes: Panel to draw in.
        counts: Training images of every class, in the order of the bars.
        groups: Class names of each group; a class may be in none.
    """
    grouped = {name for names in groups.values() for name in names}
    members = groups | {"other classes" if groups else "": [name for name in counts if name not in grouped]}
    for number, (group, names) in enumerate(members.items()):
        places = [place for place, name in enumerate(counts) if name in names]
        if places:
            heights = np.array(list(counts.values()))[places]
            axes.bar(places, heights, 0.8, label=wrapped(group), **filling(number * IN_GREY))
    label_classes(axes, counts)
    axes.grid(False, axis="x")


def draw_matrix(axes: Axes, images: np.ndarray, names: Sequence[str]) -> AxesImage:
    """Draws a confusion matrix as the share of each true class, in per cent, dark for much.

    Args:
        axes: Panel to draw in.
        images: Number of images by true (rows) and predicted class; a class without images stays white.
        names: Of the classes; very many are numbered instead, from 1.
    """
    with np.errstate(invalid="ignore"):
        share = 100 * images / images.sum(axis=1, keepdims=True)
    drawn = axes.imshow(share, cmap="Blues", vmin=0, vmax=100)
    axes.grid(False)
    number, labels = len(names), [wrapped(name) for name in names]
    points = POINTS * axes.bbox.width / axes.figure.dpi / number
    if number <= MOST_NAMED:
        size = min(7, 0.8 * points / (1 + max(label.count("\n") for label in labels)))
        axes.set_xticks(range(number), labels, rotation=90, fontsize=size)
        axes.set_yticks(range(number), labels, fontsize=size)
    else:
        places = range(0, number, 20)
        ranks = [place + 1 for place in places]
        axes.set(xticks=places, yticks=places, xticklabels=ranks, yticklabels=ranks)
    if number <= MOST_CELL_TEXTS:
        for row, column in np.argwhere(~np.isnan(share)):
            colour = "white" if share[row, column] > 55 else "black"
            text = f"{share[row, column]:.0f}"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=min(6, 0.6 * points))
    return drawn


def draw_reliability(axes: Axes, groups: dict[str, Reliability]) -> None:
    """Draws accuracy over confidence, a line for each group of classes, with its calibration error in the legend."""
    axes.plot([0, 1], [0, 1], color="#a0a0a0", linewidth=0.8)
    for number, (group, found) in enumerate(groups.items()):
        bins = found.bins
        axes.plot(
            bins["confidence"],
            bins["accuracy"],
            **line(number * IN_GREY),
            linewidth=1,
            markersize=3,
            label=wrapped(f"{group}: ECE {found.ece:.3f}"),
        )
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), box_aspect=1)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=4.5, fontsize=7, handlelength=3)


def draw_sweep(axes: Axes, curves: dict[str, pd.DataFrame]) -> None:
    """Draws a score over an option.

    Args:
        axes: Panel to draw in; its horizontal axis becomes logarithmic where the values are far apart.
        curves: By their names: `x`, `value`, `low`, `high`, `std` of each point, by rising `x`.
    """
    for number, (label, points) in enumerate(curves.items()):
        reach = points["low"], points["high"], points["std"]
        curve(axes, points["x"], points["value"], *reach, number * IN_GREY, label)
    x = pd.concat([points["x"] for points in curves.values()]).drop_duplicates()
    if x.max() > WIDE * x[x > 0].min():
        log_axis(axes, x)
        if len(x) <= MOST_TICKS:
            axes.set_xticks(x, [f"{value:g}" for value in x])
            axes.minorticks_off()


def draw_training(axes: Axes, curves: pd.DataFrame, number: int, label: str) -> None:
    """Draws the mean of a score over the runs of a method, and thin lines for the runs.

    Args:
        axes: Panel to draw in.
        curves: One row per run and epoch: `run`, `epoch`, `value`.
        number: Of the look of the method.
        label: Its name.
    """
    look = line(number)
    if curves["run"].nunique() > 1:
        for _, of_run in curves.groupby("run"):
            axes.plot(of_run["epoch"], of_run["value"], color=look["color"], linewidth=0.5, alpha=0.4)
    mean = curves.groupby("epoch")["value"].mean()
    every = -(-len(mean) // MARKS)
    axes.plot(
        mean.index, mean, **look, linewidth=1.3, markersize=3.5, markevery=every, label=wrapped(label, LEGEND_LENGTH)
    )
    axes.locator_params(axis="x", integer=True)


def draw_map(axes: Axes, table: pd.DataFrame, names: Sequence[str]) -> None:
    """Draws where the images of each class are on a map of features, those of the last class on top.

    Args:
        axes: Panel to draw in.
        table: `label`, `x`, `y` of every image.
        names: Of the classes; of more than can be told apart the colour goes from the first to the last.
    """
    many = len(names) > MOST_COLOURED
    rainbow = colormaps["viridis"](np.linspace(0, 1, len(names)))
    for number, name in enumerate(names):
        points = table[table["label"] == name]
        axes.scatter(
            points["x"],
            points["y"],
            s=12,
            color=rainbow[number] if many else COLOURS[number % len(COLOURS)],
            marker=MARKERS[(number + number // len(COLOURS)) % len(MARKERS)],
            edgecolor="white",
            linewidth=0.2,
            label=None if many else wrapped(name),
        )
    axes.set(xticks=[], yticks=[], box_aspect=1)
