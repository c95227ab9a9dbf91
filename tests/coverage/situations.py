"""The situations that are simulated, and how far the observed may be from the nominal in each."""

from dataclasses import dataclass, replace
from math import inf, nan

from measures import (
    ABOVE,
    ALL,
    BIAS,
    CLASS,
    CORRECTED,
    EXACT,
    LEAD,
    PRECISION,
    REJECTED,
    STAR,
    WORSE,
    Calibration,
    Coverage,
    EqualRows,
    ExactWilson,
    McNemar,
    Measure,
)
from worlds import ISIC, World


@dataclass(frozen=True)
class Limit:
    """What a share or a mean should be, and the least and the most that it may be."""

    nominal: float
    least: float = -inf
    most: float = inf


OF_CLASS = Limit(0.95, least=0.90)  # recall and F1 of a class
LARGE = Limit(0.95, least=0.92)  # scores of all classes, 2003 images
SMALL = Limit(0.95, least=0.90)  # the same, 200 images
SPREAD = Limit(0.95, least=0.86)  # the same, where trainings differ more than resamples of the images do
NO_BIAS = Limit(0, -0.02, 0.02)
FALSE_ALARM = Limit(0.05, most=0.08)
NO_LEAD = Limit(0, -0.02, 0.02)
HOPED = Limit(0.95)  # no limit: for the reader
TOLD = Limit(nan)

EQUAL = {WORSE: FALSE_ALARM, STAR: FALSE_ALARM, LEAD: TOLD, CORRECTED: NO_LEAD}


@dataclass(frozen=True)
class Situation:
    """Something to simulate.

    Args:
        name: In words.
        measure: What is drawn and measured.
        repetitions: How often.
        limits: Of what is measured; anything else is left out.
    """

    name: str
    measure: Measure
    repetitions: int
    limits: dict[str, Limit]


SKILL = (2.2, 1.8, 1.5, 1.0)
WORLDS = {
    5: World((120, 50, 25, 5), SKILL, training=0.3),
    10: World((110, 50, 30, 10), SKILL, training=0.3),
    23: World(ISIC, (2.6, 1.8, 1.6, 1.8, 1.6, 1.5, 1.8), training=0.3),
}
UNITS = {
    "images": {},
    "lesions of 1 to 9 images": {"largest": 9},
    "lesions of 1 to 9 images alike": {"largest": 9, "together": 1.0},
}


def _world(rarest: int, units: str = "images", **others: object) -> World:
    return replace(WORLDS[rarest], **UNITS[units], **others)


def _size(rarest: int) -> str:
    return f"{sum(WORLDS[rarest].counts)} images, {rarest} of the rarest class"


def _text(seeds: int) -> str:
    return f"{seeds} seed{'s' if seeds > 1 else ''}"


def _equal_name(rows: int, rarest: int) -> str:
    return f"{rows} equal methods; {_size(rarest)}"


def _coverage() -> list[Situation]:
    found = []
    for rarest in WORLDS:
        repetitions, limit = (250, LARGE) if rarest == 23 else (400, SMALL)
        for units in UNITS:
            for seeds in (1,) if "alike" in units else (1, 3) if rarest == 10 else (1, 3, 5):
                name = f"{_size(rarest)}; {units}; {_text(seeds)}"
                limits = {ALL: limit, CLASS: OF_CLASS, PRECISION: HOPED}
                found.append(Situation(name, Coverage(_world(rarest, units), seeds), repetitions, limits))
        for seeds in () if rarest == 10 else (3, 5):
            name = f"{_size(rarest)}; images; {seeds} seeds that differ much"
            limits = {ALL: SPREAD, CLASS: OF_CLASS, PRECISION: HOPED}
            found.append(Situation(name, Coverage(_world(rarest, training=0.8), seeds), repetitions, limits))
    for units in UNITS:
        name = f"{_size(5)}, mostly found; {units}; 1 seed"
        limits = {ALL: SMALL, CLASS: OF_CLASS, PRECISION: HOPED}
        found.append(Situation(name, Coverage(_world(5, units, skill=(*SKILL[:-1], 2.5))), 400, limits))
    return found


def _units_once() -> list[Situation]:
    limits = {ALL: SMALL, CLASS: OF_CLASS, PRECISION: HOPED}
    several = [units for units in UNITS if units != "images"]
    cases = [(rarest, units, seeds) for rarest, seeds in ((5, 1), (5, 3), (23, 1)) for units in several]
    return [
        Situation(
            f"{_size(rarest)}; {units}, each lesion once; {_text(seeds)}",
            Coverage(_world(rarest, units), seeds, units_once=True),
            400,
            limits,
        )
        for rarest, units, seeds in cases
    ]


def _folds() -> list[Situation]:
    limits = {ALL: SMALL, CLASS: OF_CLASS, PRECISION: HOPED, BIAS: NO_BIAS}
    return [
        Situation(f"5 folds of 40: {_size(rarest)}", Coverage(_world(rarest), folds=5), 400, limits)
        for rarest in (5, 10)
    ]


def _equal() -> list[Situation]:
    one = [(rows, rarest, "images", 1, 0.0) for rarest in (5, 23) for rows in (6, 10, 51)]
    one += [(10, rarest, "lesions of 1 to 9 images", 1, 0.0) for rarest in (5, 23)]
    several = [(rows, 5, "images", 3, training) for training in (0.3, 0.8) for rows in (6, 10, 51)]
    several += [(10, 23, "images", 3, training) for training in (0.3, 0.8)]
    found = []
    for rows, rarest, units, seeds, training in one + several:
        alike = "" if seeds == 1 else " that differ much" if training > 0.5 else " that differ"
        name = f"{_equal_name(rows, rarest)}; {units}; {_text(seeds)}{alike}"
        measure = EqualRows(_world(rarest, units, training=training), rows, seeds)
        found.append(Situation(name, measure, 200 if seeds > 1 or rows == 51 else 400, EQUAL))
    return found


def _others() -> list[Situation]:
    # Such a star is one between two networks, not two methods: the tables say so.
    found = [
        Situation(
            f"{_equal_name(2, rarest)}; images; 1 seed that differs", EqualRows(_world(rarest), 2), 400, {STAR: TOLD}
        )
        for rarest in (5, 23)
    ]
    worlds = {f"{_size(rarest)}; {units}": _world(rarest, units, training=0.0) for rarest in (5, 23) for units in UNITS}
    for name, world in worlds.items():
        found.append(Situation(f"McNemar; {name}", McNemar(world), 800, {REJECTED: FALSE_ALARM}))
    for name, world in worlds.items():
        found.append(Situation(f"calibration error; {name}", Calibration(world), 400, {ABOVE: FALSE_ALARM}))
    name, in_folds = f"calibration error; 5 folds of 40: {_size(5)}", Calibration(_world(5, training=0.0), folds=5)
    found.append(Situation(name, in_folds, 400, {ABOVE: FALSE_ALARM}))
    return [*found, Situation("Wilson; 5 images", ExactWilson(5, (0.1, 0.5)), 1, {EXACT: OF_CLASS})]


SITUATIONS = (*_coverage(), *_units_once(), *_folds(), *_equal(), *_others())
