"""The figures of a paper as PNG and PDF: class sizes, scores, confusion, sweeps, calibration, training, features."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.report.figures.grid import grid, name_outer, squares
from lightning_imbal.report.figures.look import IN_GREY, STYLE, legend_below, plain, wrapped
from lightning_imbal.report.figures.panels import (
    MOST_COLOURED,
    MOST_NAMED,
    draw_histogram,
    draw_map,
    draw_matrix,
    draw_reliability,
    draw_sweep,
    draw_training,
)
from lightning_imbal.report.figures.series import bars, class_series
from lightning_imbal.runs.run import Run
from lightning_imbal.runs.title import data_title
from lightning_imbal.stats.analysis import confusion, learning_curves, reliability
from lightning_imbal.stats.drawn_methods import MOST_DRAWN, methods_of
from lightning_imbal.stats.results import Results, cells_of, class_counts, classes_of
from lightning_imbal.stats.sweeps import SWEPT, Sweep, sweeps

DPI = 300
PAPER = STYLE | {"font.size": 8, "axes.titlesize": "medium", "figure.titlesize": 9, "pdf.fonttype": 42}
CLASSES_ACROSS = 28
TITLE_LENGTH = 100
PANEL_LENGTH = 24
LONG = 28  # letters of the name of a class
LABELS = {"f1": "F1", "recall": "recall"}
CURVES = {"val/f1": "macro F1 (validation part)", "train/loss": "training loss"}


def write_figures(results: Results, folder: Path) -> list[Path]:
    """Draws the figures that the runs of a page have data for, each as PNG and PDF.

    They are `class_histogram`, `f1_per_class`, `recall_per_class`, `confusion`, `reliability`, `learning_curves`,
    `feature_map`, and `sweep_<option>` for each option that rows differ in.

    Args:
        results: Runs of one column.
        folder: Where to write; made if there is something to draw.

    Returns:
        The files.
    """
    written = []
    with rc_context(PAPER):
        for name, figure in figures_of(results):
            for kind in ("png", "pdf"):
                file = folder / f"{name}.{kind}"
                write_whole(file, partial(figure.savefig, format=kind, dpi=DPI))
                written.append(file)
    return written


def figures_of(results: Results) -> Iterator[tuple[str, Figure]]:
    """Every figure that there is data for, with its name."""
    if not methods_of(results):
        return
    drawing: dict[str, Callable[[Results], Figure | None]] = {
        "class_histogram": class_histogram,
        "f1_per_class": partial(class_scores, score="f1"),
        "recall_per_class": partial(class_scores, score="recall"),
        "confusion": confusion_matrices,
        "reliability": reliability_diagrams,
        "learning_curves": training_curves,
        "feature_map": feature_maps,
    }
    for sweep in sweeps(results):
        drawing["sweep_" + re.sub(r"[^A-Za-z0-9._]+", "-", sweep.option)[:100]] = partial(sweep_lines, sweep=sweep)
    for name, draw in drawing.items():
        if figure := draw(results):
            yield name, figure


def drawn_runs(results: Results) -> dict[str, list[Run]]:
    """The runs of the methods that are drawn."""
    return {method.name: method.runs for method in methods_of(results) if method.shown}


def class_histogram(results: Results) -> Figure:
    """Training images of every class on a linear and a logarithmic axis."""
    counts, [first, *_] = _counts(results), next(iter(drawn_runs(results).values()))
    groups = {group: row["classes"] for group, row in first.results["groups"].items()}
    across = 2 if len(counts) <= CLASSES_ACROSS and max(map(len, counts)) <= LONG else 1
    figure, panels = grid(2, across, 2.8)
    for axes, scale in zip(panels, ("linear", "log"), strict=True):
        draw_histogram(axes, counts, groups)
        axes.set(yscale=scale, ylabel="training images" + (" (log scale)" if scale == "log" else ""))
    panels[1].set_ylim(bottom=0.5)  # a single image is seen
    return _finished(figure, f"{data_title(first.identity)}: training images of each class")


def class_scores(results: Results, score: str) -> Figure:
    """A score of every class, a bar for each method; many classes are in several rows of panels."""
    counts, methods = _counts(results), drawn_runs(results)
    classes = classes_of(results, results.spec.columns[0])
    rows = -(-len(counts) // CLASSES_ACROSS)
    figure, panels = grid(rows, 1, 3.0 if max(map(len, counts)) <= LONG else 4.0)
    for axes, part in zip(panels, np.array_split(list(counts), rows), strict=True):
        names = part.tolist()
        series = [class_series(classes, row, score, names, number * IN_GREY) for number, row in enumerate(methods)]
        bars(axes, {name: counts[name] for name in names}, series)
        axes.set(ylim=(0, 1.02 * results.spec.scale), ylabel=LABELS[score] + results.spec.unit)
    known = [what for what in ("low", "std") if classes[f"{score}_{what}"].notna().any()]
    whiskers = {"low": " with 95 % intervals", "std": " ± standard deviation"}[known[0]] if known else ""
    return _finished(figure, _title(results, f"{LABELS[score]} of each class{whiskers}"))


def confusion_matrices(results: Results) -> Figure:
    """The confusion matrix of each method, of all its runs together."""
    counts, methods = _counts(results), drawn_runs(results)
    names = next(iter(methods.values()))[0].class_names
    order = [names.index(name) for name in counts]
    figure, panels = squares(len(methods), below=0.1)
    for axes, (row, runs) in zip(panels, methods.items(), strict=True):
        image = draw_matrix(axes, confusion(runs)[np.ix_(order, order)], list(counts))
        axes.set_title(wrapped(row, PANEL_LENGTH))
    name_outer(panels, "predicted class", "true class")
    figure.colorbar(image, ax=panels, label="share of the true class (%)", shrink=0.6)
    ranks = ", classes from most to fewest training images" if len(counts) > MOST_NAMED else ""
    return _finished(figure, _title(results, f"confusion{ranks}"))


def sweep_lines(results: Results, sweep: Sweep) -> Figure | None:
    """Balanced accuracy and macro F1 over an option, a line for each choice of everything else."""
    metrics = {name: metric for name, metric in results.spec.metrics.items() if metric.score in SWEPT}
    if not metrics:
        return None
    cells = cells_of(results, results.spec.columns[0])
    figure, panels = grid(len(metrics), len(metrics), 2.6)
    for axes, (name, metric) in zip(panels, metrics.items(), strict=True):
        scores = cells[cells["metric"] == name].set_index("row")
        points = {label: pd.DataFrame(of_curve, columns=["x", "row"]) for label, of_curve in sweep.curves.items()}
        draw_sweep(axes, {label: table.join(scores, on="row") for label, table in points.items()})
        axes.set_xlabel(wrapped(sweep.option))
        axes.set_ylabel(plain((metric.title or name) + results.spec.unit))
    return _finished(figure, f"{results.spec.columns[0].title}: scores over {sweep.option}")


def reliability_diagrams(results: Results) -> Figure | None:
    """Accuracy over confidence for each method, a line for each group of classes."""
    found = {row: groups for row, runs in drawn_runs(results).items() if (groups := reliability(runs))}
    if not found:
        return None
    figure, panels = squares(len(found), below=0.7)
    for axes, (row, groups) in zip(panels, found.items(), strict=True):
        draw_reliability(axes, groups)
        axes.set(title=wrapped(row, PANEL_LENGTH), xlabel="confidence", ylabel="accuracy")
    return _finished(figure, _title(results, "calibration"))


def training_curves(results: Results) -> Figure | None:
    """Macro F1 on the validation part over the epochs of every stage; if there is none the training loss."""
    curves = [learning_curves(runs).assign(row=row) for row, runs in drawn_runs(results).items()]
    curves = pd.concat(curves, ignore_index=True)
    score = next((name for name in CURVES if (curves["score"] == name).any()), None)
    if score is None:
        return None
    curves = curves[curves["score"] == score]
    stages = sorted(curves["stage"].unique())
    figure, panels = grid(len(stages), len(stages), 2.8)
    for axes, stage in zip(panels, stages, strict=True):
        for number, row in enumerate(drawn_runs(results)):
            of_row = curves[(curves["stage"] == stage) & (curves["row"] == row)]
            if len(of_row):
                draw_training(axes, of_row, number * IN_GREY, row)
        axes.set(title=stage.replace("stage", "stage "), xlabel="epoch", ylabel=CURVES[score])
    return _finished(figure, _title(results, "training"))


def feature_maps(results: Results) -> Figure | None:
    """Where the test images are on the map of features of the first run of each method that has one."""
    maps = {row: [run.feature_map() for run in runs] for row, runs in drawn_runs(results).items()}
    found = {row: next((table for table in of_row if table is not None), None) for row, of_row in maps.items()}
    found = {row: table for row, table in found.items() if table is not None}
    if not found:
        return None
    names = list(_counts(results))
    figure, panels = squares(len(found), below=0.2)
    for axes, (row, table) in zip(panels, found.items(), strict=True):
        draw_map(axes, table, names)
        axes.set_title(wrapped(row, PANEL_LENGTH))
    name_outer(panels, "t-SNE 1", "t-SNE 2")
    if len(names) > MOST_COLOURED:
        ranks = ScalarMappable(Normalize(1, len(names)), "viridis")
        figure.colorbar(ranks, ax=panels, label="class, 1 with most training images", shrink=0.6)
    return _finished(figure, _title(results, "features of the test images"))


def _counts(results: Results) -> dict[str, int]:
    return class_counts(classes_of(results, results.spec.columns[0]))


def _title(results: Results, what: str) -> str:
    """Of a figure that leaves out some of many methods."""
    number = len(methods_of(results))
    left_out = f"\n{MOST_DRAWN} of {number} methods: the baseline and the best by macro F1"
    return f"{results.spec.columns[0].title}: {what}" + (left_out if number > MOST_DRAWN else "")


def _finished(figure: Figure, title: str) -> Figure:
    figure.suptitle(plain("\n".join(fill(line, TITLE_LENGTH) for line in title.split("\n"))))
    if not any(axes.get_legend() for axes in figure.axes):
        legend_below(figure)
    return figure
