"""Scores of subgroups of the test images, by what is known of the images, and how far the worst is below the best.

Units (lesions, patients) are drawn once from the whole test, and every subgroup is scored on those of its images that
are drawn: what two subgroups have in common is the same in both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri

from lightning_imbal.runs.attributes import NO_EDGES, Attribute, Edges, attributes_of, values_of
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.proportions import LEVEL, Intervals
from lightning_imbal.stats.range_test import furthest
from lightning_imbal.stats.rounds import Round
from lightning_imbal.stats.row_scores import NO_INTERVAL, RowScores, correlation, recovered
from lightning_imbal.stats.unit_counts import FEW_UNITS, UnitCounts

THERE = "there"  # the group of the classes that a subgroup has
SHARED = "shared"  # that of the classes that the subgroups of a gap have
SCORES = {"f1": f"group_f1/{THERE}", "balanced_accuracy": f"group_recall/{THERE}"}
GAPS = {"f1": f"group_f1/{SHARED}", "balanced_accuracy": f"group_recall/{SHARED}"}
OF_CLASSES = ("recall", "f1")
FEW_OF_CLASS = 5  # images, below which one more or less moves a score by more than 0.2
_OF = ["row", "attribute", "subgroup"]
SCORE_COLUMNS = [
    *(*_OF, "images", "units", "classes", "few"),
    *(f"{score}{end}" for score in SCORES for end in ("", "_low", "_high")),
]
CLASS_COLUMNS = [
    *(*_OF, "class", "images", "few"),
    *(f"{score}{end}" for score in OF_CLASSES for end in ("", "_low", "_high")),
]
GAP_COLUMNS = [
    *("row", "attribute", "score", "subgroups", "classes"),
    *("worst", "worst_value", "best", "best_value", "gap", "low", "high"),
]


@dataclass(frozen=True, eq=False)
class Subgroups:
    """What methods score in each subgroup of the test images.

    Args:
        attributes: What the images are divided by.
        scores: One row per method, attribute and subgroup: its `images`, `units` (lesions, patients, or images of none)
            and `classes`; macro F1 (`f1`) and `balanced_accuracy` over the classes that the subgroup has, each with
            `_low` and `_high` (95 % interval). With `few` units (fewer than 10) neither is scored.
        classes: One row per method, attribute, subgroup and class: its `images`, and `recall` and `f1` with intervals;
            NaN of a class that the subgroup lacks; whether it has `few` images (1 to 4).
        gaps: One row per method, attribute and score: the `worst` and the `best` of the `subgroups` that are not few
            and have the same `classes` (numbers of both), their values over these classes, and the `gap` between them
            with its 95 % interval (`low`, `high`), which is widened for their being picked; empty names where there are
            not two.
    """

    attributes: list[Attribute]
    scores: pd.DataFrame
    classes: pd.DataFrame
    gaps: pd.DataFrame


def subgroups_of(
    methods: Mapping[str, Sequence[Round]],
    edges: Edges = NO_EDGES,
    average: Literal["mean", "median"] = "mean",
    scale: float = 1.0,
) -> Subgroups | None:
    """Scores the subgroups of some methods; None if nothing is known of the images.

    Args:
        methods: The rounds of each, by its name.
        edges: At which subgroups of numbers end, by the name of the attribute.
        average: Taken over the rounds of a method.
        scale: Of the scores.

    Raises:
        UserError: Edges are given for what is no attribute, or no number.
    """
    attributes = attributes_of(values_of([each.joined for rounds in methods.values() for each in rounds]), edges)
    if not attributes:
        return None
    scores: list[dict[str, Any]] = []
    classes: list[dict[str, Any]] = []
    gaps: list[dict[str, Any]] = []
    for name, rounds in methods.items():
        for attribute in attributes:
            if all(attribute.name in each.joined.attributes for each in rounds):
                parts = _parts(rounds, attribute)
                scored = {part: of_part for part, of_part in parts.items() if _units(of_part) >= FEW_UNITS}
                scored, alike = _with_shared_classes(scored)
                keys = [*SCORES.values(), *GAPS.values()]
                rows = Compared(scored, keys, average).rows if scored else {}
                about = {"row": name, "attribute": attribute.name}
                scores += [about | _scores(part, of_part, rows.get(part)) for part, of_part in parts.items()]
                of_classes = (_classes(part, of_part, average) for part, of_part in parts.items())
                classes += [about | each for of_part in of_classes for each in of_part]
                picked = {part: rows[part] for part in alike}
                gaps += [about | {"score": score} | gap_of(picked, key) for score, key in GAPS.items()]
    tables = [
        _scaled(pd.DataFrame(rows, columns=columns), scale)
        for rows, columns in ((scores, SCORE_COLUMNS), (classes, CLASS_COLUMNS), (gaps, GAP_COLUMNS))
    ]
    return Subgroups(attributes, *tables)


def gap_of(rows: Mapping[str, RowScores], key: str) -> dict[str, Any]:
    """The worst and the best of several subgroups, and how far they are apart.

    The interval is put together from those of the two (Zou and Donner 2008), with the correlation that they have over
    the resamples. As they are picked for being the furthest apart, it is widened: from 1.96 deviations to as many as
    any two of all subgroups are apart in 95 % of the resamples, each two centred and in their own deviations (range
    test by the bootstrap). So it covers the true differences of all pairs at once, and those of the two picked.

    Args:
        rows: The scores of each subgroup on the same resamples.
        key: Of a score, the higher the better.
    """
    values = {name: row.value(key) for name, row in rows.items()}
    classes = len(next(iter(rows.values())).groups[key.partition("/")[2]]) if rows else 0
    about: dict[str, Any] = {"subgroups": len(values), "classes": classes}
    if len(values) < 2:
        numbers = ("worst_value", "best_value", "gap", "low", "high")
        return about | dict.fromkeys(("worst", "best"), "") | dict.fromkeys(numbers, np.nan)
    worst, best = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    gap = values[best] - values[worst]
    pair = [rows[best], rows[worst]]
    ends = np.array([(values[name], *rows[name].interval(key)) for name in (best, worst)])
    low, high = NO_INTERVAL
    if np.isfinite(ends).all() and best != worst:
        together = correlation([row.averages(key) for row in pair], [row.by_images(key) for row in pair])
        low, high = recovered(gap, np.array([1.0, -1.0]), Intervals(*ends.T), together)
        widened = _furthest_of_all([rows[name] for name in values], key) / float(ndtri(LEVEL))
        low, high = gap - widened * (gap - low), min(gap + widened * (high - gap), 1.0)
    return about | {
        "worst": worst,
        "worst_value": values[worst],
        "best": best,
        "best_value": values[best],
        "gap": gap,
        "low": max(low, -1.0),
        "high": high,
    }


def _furthest_of_all(rows: Sequence[RowScores], key: str) -> float:
    """How many deviations any two rows are apart in 95 % of the resamples around what they are on average."""
    averages = np.stack([row.averages(key) for row in rows])  # (K, R)
    averages = averages[:, ~np.isnan(averages).any(axis=0)]
    if not averages.shape[1]:
        return float(ndtri(LEVEL))
    apart = furthest(averages - averages.mean(axis=1, keepdims=True))
    return max(float(np.quantile(apart, 0.95)), float(ndtri(LEVEL)))


def _parts(rounds: Sequence[Round], attribute: Attribute) -> dict[str, list[Round]]:
    """The rounds of each subgroup that has images in all of them, with the classes that it has in all as a group."""
    joined = [each.joined for each in rounds]
    places = [attribute.places(each.attributes[attribute.name]) for each in joined]
    found = {}
    for place, subgroup in enumerate(attribute.subgroups):
        parts = [each.only(of_each == place) for each, of_each in zip(joined, places, strict=True)]
        if all(len(part.label) for part in parts):
            there = np.min([_images(part) for part in parts], axis=0) > 0
            group = tuple(name for name, is_there in zip(parts[0].class_names, there, strict=True) if is_there)
            found[subgroup] = [Round((replace(part, groups={THERE: group}),)) for part in parts]
    return found


def _with_shared_classes(parts: dict[str, list[Round]]) -> tuple[dict[str, list[Round]], list[str]]:
    """The subgroups with the classes that some have in common as a group, and which these subgroups are.

    They are all classes of the test if two subgroups have all; else the rarest in the test are left out, one after the
    other, until two have those that are left.
    """
    classes = {name: set(rounds[0].joined.groups[THERE]) for name, rounds in parts.items()}
    firsts = [rounds[0].joined for rounds in parts.values()]
    total = np.sum([_images(first) for first in firsts], axis=0)
    order = [firsts[0].class_names[c] for c in np.argsort(-total, kind="stable") if total[c]] if firsts else []
    alike: list[str] = []
    while order and len(alike := [name for name, there in classes.items() if there.issuperset(order)]) < 2:
        order.pop()
    for name, rounds in parts.items():
        groups = {THERE: rounds[0].joined.groups[THERE], SHARED: tuple(order)}
        parts[name] = [Round((replace(each.joined, groups=groups),)) for each in rounds]
    return parts, alike if order else []


def _images(part: Predictions) -> np.ndarray:
    return np.bincount(part.label, minlength=len(part.class_names))


def _units(rounds: Sequence[Round]) -> int:
    return min(len(np.unique(each.joined.unit)) for each in rounds)


def _scores(subgroup: str, rounds: Sequence[Round], row: RowScores | None) -> dict[str, Any]:
    first = rounds[0].joined
    found: dict[str, Any] = {
        "subgroup": subgroup,
        "images": max(len(each.joined.label) for each in rounds),
        "units": _units(rounds),
        "classes": len(first.groups[THERE]),
        "few": row is None,
    }
    for score, key in SCORES.items():
        has = row is not None and first.groups[THERE]
        values = (row.value(key), *row.interval(key)) if row is not None and has else (np.nan,) * 3
        found |= dict(zip((score, f"{score}_low", f"{score}_high"), values, strict=True))
    return found


def _classes(subgroup: str, rounds: Sequence[Round], average: str) -> list[dict[str, Any]]:
    counts = UnitCounts(rounds)
    found = {score: counts.intervals(score, average == "median") for score in OF_CLASSES}
    images = np.max([_images(each.joined) for each in rounds], axis=0)
    rows: list[dict[str, Any]] = []
    for c, name in enumerate(rounds[0].joined.class_names):
        rows.append({"subgroup": subgroup, "class": name, "images": int(images[c])})
        rows[-1]["few"] = bool(0 < images[c] < FEW_OF_CLASS)
        for score, of_all in found.items():
            ends = zip(("", "_low", "_high"), Intervals.NAMES, strict=True)
            rows[-1] |= {f"{score}{end}": float(getattr(of_all, what)[c]) for end, what in ends}
    return rows


def _scaled(table: pd.DataFrame, scale: float) -> pd.DataFrame:
    if scale != 1.0:
        numbers = [name for name in table if table[name].dtype == np.float64]
        table[numbers] *= scale
    return table
