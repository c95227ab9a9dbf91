"""What is known of the images beside their class, such as sex and age, and the subgroups that it makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lightning_imbal.errors import UserError
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.wording import did_you_mean

NOT_KNOWN = "not known"
FEW_NUMBERS = 10  # distinct ones, up to which they are taken for words, such as grades
THIRDS = (1 / 3, 2 / 3)

Edges = Mapping[str, tuple[float, ...]]
NO_EDGES: Edges = {}


@dataclass(frozen=True)
class Attribute:
    """What the images are divided by.

    Args:
        name: Such as `sex`.
        subgroups: Their names, in the order in which they are shown; that of missing values is last.
        edges: Of a number, what each subgroup but the last ends with, inclusive; None of words.
    """

    name: str
    subgroups: tuple[str, ...]
    edges: tuple[float, ...] | None = None

    def places(self, values: np.ndarray) -> np.ndarray:
        """The place of each image's subgroup, (N,), by its value, (N,) text."""
        last = len(self.subgroups) - 1
        if self.edges is None:
            place = pd.Index(self.subgroups).get_indexer(pd.Index(values))
        else:
            place = np.searchsorted(self.edges, as_numbers(values), side="left")
        return np.where(missing(values), last, place)


def as_numbers(values: np.ndarray) -> np.ndarray:
    """Texts as numbers, (N,); NaN for what is none."""
    found = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").to_numpy(np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def is_amount(numbers: np.ndarray) -> bool:
    """Whether the known values of an attribute, (N,) by `as_numbers`, are numbers, and more than 10 different ones.

    Others are words, such as grades from 1 to 4.
    """
    return not np.isnan(numbers).any() and len(np.unique(numbers)) > FEW_NUMBERS


def missing(values: np.ndarray) -> np.ndarray:
    """Whether a value is not known, (N,) bool."""
    return (values == "") | (values == NOT_KNOWN)


def values_of(runs: Sequence[Predictions]) -> dict[str, np.ndarray]:
    """The value of every image that was tested, each image once, of every attribute; empty where it is missing."""
    tables = [pd.DataFrame(run.attributes, index=run.image, dtype=object) for run in runs if run.attributes]
    if not tables:
        return {}
    table = pd.concat(tables).fillna("")
    table = table[~table.index.duplicated()]
    return {name: table[name].to_numpy() for name in table}


def attributes_of(values: Mapping[str, np.ndarray], edges: Edges = NO_EDGES) -> list[Attribute]:
    """The attributes of images, which are the same for all methods that are shown beside each other.

    An attribute is a number if all its known values are and it has more than 10 distinct ones, or if edges are given.
    Subgroups of numbers end at the edges, or at the values up to which a third and two thirds of the images are; those
    of words are in the order of their numbers, if they are numbers (such as grades), else of their sizes.

    Args:
        values: Of every image, each once, (N,) text, by the name of the attribute; empty where missing.
        edges: Of some attributes, ascending.

    Raises:
        UserError: As for `check_edges`.
    """
    check_edges(edges, values)
    return [_attribute(name, known, edges.get(name)) for name, known in values.items() if not missing(known).all()]


def check_edges(edges: Edges, values: Mapping[str, np.ndarray]) -> None:
    """Refuses edges of what is no attribute, or no number.

    Args:
        edges: As they were given.
        values: Of every image, (N,) text, by the name of the attribute.

    Raises:
        UserError: There is no such attribute, or it is made of words.
    """
    for name in edges:
        if not values:
            raise UserError(
                f"--edges {name}: no attribute of the images is known: name columns by --data.metadata_columns when "
                "training and testing."
            )
        if name not in values:
            hint = did_you_mean(name, values) or f"there are {', '.join(values)}."
            raise UserError(f"--edges {name}: the images have no attribute {name!r}: {hint}")
        known = values[name][~missing(values[name])]
        words = known[np.isnan(as_numbers(known))]
        if len(words):
            raise UserError(f"--edges {name}: {words[0]!r} is no number: edges are for what is, such as age.")


def parse_edges(texts: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Edges as they are typed, such as `age=40,60`.

    Raises:
        UserError: A text is nothing such, or the numbers do not ascend.
    """
    found: dict[str, tuple[float, ...]] = {}
    for text in texts:
        name, _, given = text.rpartition("=")
        try:
            numbers = tuple(float(each) for each in given.split(","))
        except ValueError:
            numbers = ()
        if not name or not numbers or not np.isfinite(numbers).all() or (np.diff(numbers) <= 0).any():
            raise UserError(f"--edges {text}: give an attribute and ascending numbers, such as age=40,60.")
        if name in found:
            raise UserError(f"--edges {name} is given twice: give all its edges at once, such as {name}=40,60.")
        found[name] = numbers
    return found


def _attribute(name: str, values: np.ndarray, edges: tuple[float, ...] | None) -> Attribute:
    lacks = missing(values)
    further = (NOT_KNOWN,) * bool(lacks.any())
    known = values[~lacks]
    numbers = as_numbers(known)
    are_numbers = not np.isnan(numbers).any()
    if edges is None and is_amount(numbers):
        below = np.unique(numbers)[:-1]  # above the last edge there are images
        edges = tuple(np.unique(np.quantile(numbers, THIRDS, method="inverted_cdf").clip(max=below[-1])).tolist())
    if edges is not None:
        return Attribute(name, _named(edges, bool((numbers == numbers.round()).all())) + further, edges)
    sizes = pd.Series(known).value_counts().sort_index()
    order = sizes.index if are_numbers else sizes.sort_values(ascending=False, kind="stable").index
    if are_numbers:
        order = order[np.argsort(as_numbers(order.to_numpy()), kind="stable")]
    return Attribute(name, tuple(order) + further)


def _named(edges: tuple[float, ...], whole: bool) -> tuple[str, ...]:
    """What the subgroups of a number are called; of whole numbers, each begins with the next one."""
    whole = whole and all(edge == round(edge) for edge in edges)
    first, *between = [f"up to {edges[0]:.10g}"]
    for low, high in zip(edges, edges[1:], strict=False):
        begin = f"{low + 1:.10g}" if whole else f"over {low:.10g}"
        between.append(f"{high:.10g}" if whole and low + 1 == high else f"{begin} to {high:.10g}")
    return (first, *between, f"over {edges[-1]:.10g}")
