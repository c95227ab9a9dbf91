"""Panels side by side on the width of a page."""

from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH = 7.0  # inches of text of a page
Layout = Literal["constrained", "compressed"]


def grid(number: int, across: int, height: float, layout: Layout = "constrained") -> tuple[Figure, list[Axes]]:
    """A figure as wide as the text of a page: so many panels, so many of them beside each other, each so high."""
    down = -(-number // across)
    figure = Figure(figsize=(WIDTH, height * down + 0.6))
    figure.set_layout_engine(layout, w_pad=0.06, h_pad=0.06)
    panels = list(figure.subplots(down, across, squeeze=False).flat)
    for axes in panels[number:]:
        axes.remove()
    return figure, panels[:number]


def squares(number: int, below: float) -> tuple[Figure, list[Axes]]:
    """A grid of square panels, with so many inches below each."""
    across = 2 if number == 4 else min(number, 3)
    return grid(number, across, min(3.6, WIDTH / across) + below, layout="compressed")


def name_outer(panels: Sequence[Axes], x: str, y: str) -> None:
    """Names the axes at the left and lower edge of a grid of panels that share them."""
    places = {axes: place for axes in panels if (place := axes.get_subplotspec()) is not None}
    lowest = {place.colspan: place.rowspan for place in places.values()}
    for axes, place in places.items():
        left, low = place.is_first_col(), lowest[place.colspan] == place.rowspan
        axes.set(xlabel=x if low else "", ylabel=y if left else "")
        axes.tick_params(labelbottom=low, labelleft=left)
