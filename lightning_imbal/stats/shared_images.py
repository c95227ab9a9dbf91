"""Which test images several runs share: what was measured on different ones is not compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.derived import DerivedRun
from lightning_imbal.stats.rounds import rounds_of
from lightning_imbal.wording import number_of

LEAST = 20  # shared images on which runs are compared


@dataclass(frozen=True)
class Overlap:
    """The test images of rows that were not tested on the same ones.

    Args:
        images: What all of them share.
        numbers: How many each row was tested on, by its name.
        absent: Classes that some row was tested on, and of which no image is shared.
    """

    images: frozenset[str]
    numbers: dict[str, int]
    absent: tuple[str, ...] = ()

    @property
    def suffices(self) -> bool:
        """Whether the rows are compared on what they share."""
        return len(self.images) >= LEAST

    def sentences(self) -> list[str]:
        """What a reader must know of it."""
        tested = ", ".join(f"{name} on {number:,}" for name, number in self.numbers.items())
        shared = number_of(len(self.images), "test image")
        if not self.suffices:
            none = f"{len(self.images)} of them are" if self.images else "none of them is"
            return [
                f"The test images differ ({tested}), and {none} in all tests, fewer than {LEAST}: each number is of "
                "its own images, and nothing is compared."
            ]
        none = f" None of them is of {', '.join(self.absent)}." if self.absent else ""
        return [f"The test images differ ({tested}): all numbers here are of the {shared} that all share.{none}"]


def overlap_of(rows: Mapping[str, Sequence[Run]]) -> Overlap | None:
    """What rows of runs share; None if they were tested on the same images, as far as is known.

    Rows of which some folds are not there are compared by the folds that both have. An image that has another label in
    another run is another one.

    Args:
        rows: The runs of each, by its name; those without predictions are not looked at.
    """
    known = {name: found for name, runs in rows.items() if (found := _by_repeat(runs))}
    if all(_in_order(next(iter(known.values())), tests) for tests in known.values()):
        return None
    sets = {name: {repeat: _images(each) for repeat, each in tests.items()} for name, tests in known.items()}
    wholes = {name: frozenset[tuple[str, str]]().union(*tests.values()) for name, tests in sets.items()}
    if len(set(wholes.values())) == 1 or all(_alike(next(iter(sets.values())), tests) for tests in sets.values()):
        return None
    shared, tested = frozenset.intersection(*wholes.values()), frozenset().union(*wholes.values())
    absent = {label for _, label in tested} - {label for _, label in shared}
    return Overlap(
        frozenset(image for image, _ in shared),
        {name: len(images) for name, images in wholes.items()},
        tuple(sorted(absent)),
    )


def on_shared(run: Run, images: frozenset[str]) -> Run | None:
    """A run as it would be had it been tested on some of its images alone; None if it was tested on none of them."""
    predictions = run.predictions
    if predictions is None or not np.isin(predictions.image, list(images)).any():
        return None
    return DerivedRun(run, partial(_only, images=images), about={"shared_images": len(images)})


def runs_on_shared(runs: Sequence[Run], overlap: Overlap | None) -> list[Run]:
    """The same runs, all with predictions, each on what all share where that suffices."""
    if overlap is None or not overlap.suffices:
        return list(runs)
    return [kept for run in runs if (kept := on_shared(run, overlap.images))]


def same_images(runs: Sequence[Run], others: Sequence[Run]) -> bool:
    """Whether the whole tests of two rows, one after the other, were on the same images."""
    return [*map(_of_round, rounds_of(runs))] == [*map(_of_round, rounds_of(others))]


def _of_round(runs: Sequence[Run]) -> frozenset[tuple[str, str]]:
    return frozenset[tuple[str, str]]().union(*(_images([run.predictions]) for run in runs if run.predictions))


def _only(predictions: Predictions, images: frozenset[str]) -> Predictions:
    return predictions.only(np.isin(predictions.image, list(images)))


def _by_repeat(runs: Sequence[Run]) -> dict[str, list[Predictions]]:
    """The tests of a row by the repetition; none if they are not all known."""
    found: dict[str, list[Predictions]] = {}
    for run in runs:
        if run.predictions is None:
            return {}
        found.setdefault(run.repeat, []).append(run.predictions)
    return found


def _images(tests: Sequence[Predictions]) -> frozenset[tuple[str, str]]:
    """Images with their labels."""
    return frozenset(
        pair
        for each in tests
        for pair in zip(each.image.tolist(), np.array(each.class_names)[each.label].tolist(), strict=True)
    )


def _in_order(tests: Mapping[str, Sequence[Predictions]], others: Mapping[str, Sequence[Predictions]]) -> bool:
    """Whether two rows have the same tests one by one, which is soon seen."""
    return tests.keys() == others.keys() and all(
        len(tests[repeat]) == len(others[repeat])
        and all(
            one.class_names == another.class_names
            and np.array_equal(one.image, another.image)
            and np.array_equal(one.label, another.label)
            for one, another in zip(tests[repeat], others[repeat], strict=True)
        )
        for repeat in tests
    )


def _alike(tests: Mapping[str, frozenset[Any]], others: Mapping[str, frozenset[Any]]) -> bool:
    """Whether two rows have tested the same images in the repetitions that both have, if there are any."""
    both = tests.keys() & others.keys()
    return bool(both) and all(tests[repeat] == others[repeat] for repeat in both)
