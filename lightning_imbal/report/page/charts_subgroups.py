"""The chart of how well the classes are found in each subgroup of the test images."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lightning_imbal.report.page.charts_base import Chart, colour, figure, label, pattern, whiskers
from lightning_imbal.report.page.charts_scores import LINE, OUTLINE, class_axis
from lightning_imbal.stats.drawn_methods import MOST_DRAWN
from lightning_imbal.stats.subgroups import Subgroups

ABOUT = (
    "Recall of every class, from most to fewest training images, a bar for each subgroup with its 95 % interval; none "
    "where the subgroup has no image of the class."
)
MORE = f" Of more than {MOST_DRAWN} subgroups the largest are drawn: click on others in the legend to see them."


def recall_chart(found: Subgroups, order: Sequence[str], scale: float, unit: str) -> Chart:
    """For every class the recall in each subgroup, a figure for each attribute and method.

    Args:
        found: The subgroups.
        order: Of the classes, from most to fewest training images.
        scale: Of the scores.
        unit: What follows the name of a score, such as ` (%)`.
    """
    cells = found.classes.groupby(["attribute", "row"], sort=False)
    methods = found.classes["row"].nunique()
    figures = {
        f"{attribute}, {method}" if methods > 1 else str(attribute): _figure(of_both, order, scale, unit)
        for (attribute, method), of_both in cells
    }
    most = min(MOST_DRAWN, max(of_both["subgroup"].nunique() for _, of_both in cells))
    many = any(of_both["subgroup"].nunique() > MOST_DRAWN for _, of_both in cells)
    choice = "Attribute and method" if methods > 1 else "Attribute"
    width = max(300, len(order) * max(7 * most, LINE))
    return Chart("subgroup-recall", ABOUT + MORE * many, figures, choice, width)


def _figure(cells: pd.DataFrame, order: Sequence[str], scale: float, unit: str) -> go.Figure:
    sizes = cells.groupby("subgroup", sort=False)["images"].sum()
    largest = set(sizes.nlargest(MOST_DRAWN).index)
    traces = []
    for number, (name, images) in enumerate(sizes.items()):
        of_classes = cells[cells["subgroup"] == name].set_index("class").loc[list(order)]
        value, low, high = (of_classes[what].to_numpy() for what in ("recall", "recall_low", "recall_high"))
        traces.append(
            go.Bar(
                x=np.arange(len(order)),
                y=value,
                name=label(f"{name}: {images:,} images"),
                visible=True if name in largest else "legendonly",
                marker={"color": colour(number), "pattern": pattern(number)} | OUTLINE,
                error_y=whiskers(value, low, high),
                customdata=np.stack([low, high, of_classes["images"]], axis=1),
                hovertemplate="%{x}: recall %{y:.3f} of %{customdata[2]:,} images, 95 % interval %{customdata[0]:.2f} "
                "to %{customdata[1]:.2f}",
            )
        )
    axes = {"xaxis": class_axis(list(order), 20), "yaxis": {"range": [0, 1.02 * scale]}}
    return figure(traces, "class", "recall" + unit, 420, bargap=0.18, showlegend=True, **axes)
