"""Scores over the prevalence of a class by hand, and which row is best where."""

import numpy as np
import pytest

from lightning_imbal.runs.run import Run
from lightning_imbal.stats.at_prevalence import PREVALENCES, best_ranges, scores_of_class


def run_of(confusion):
    """A run, as if its results had been read."""
    run = Run("made up")
    run.results = {"confusion": confusion}
    return run


def test_scores_by_hand_from_all_runs():
    # Together: 80 of 100 images of class 0 are found, 15 of 20 of class 1.
    scores = scores_of_class([run_of([[50, 0], [5, 5]]), run_of([[30, 20], [0, 10]])], 1)
    hits, alarms = 0.75 * PREVALENCES, 0.2 * (1 - PREVALENCES)
    f1 = 2 * hits / (PREVALENCES + hits + alarms)
    others = 2 * 0.8 * (1 - PREVALENCES) / ((1 - PREVALENCES) + 0.8 * (1 - PREVALENCES) + 0.25 * PREVALENCES)
    np.testing.assert_allclose(scores["recall"], 0.75)
    np.testing.assert_allclose(scores["precision"], hits / (hits + alarms))
    np.testing.assert_allclose(scores["f1"], f1)
    np.testing.assert_allclose(scores["macro_f1"], (f1 + others) / 2)


def test_of_a_class_without_images_nothing_is_known():
    scores = scores_of_class([run_of([[8, 2, 0], [1, 4, 0], [0, 0, 0]])], 2)
    assert all(np.isnan(values).all() for values in scores.values())


def test_ranges_meet_between_neighbours_and_reach_both_ends():
    low, middle = np.ones(101), np.zeros(101)
    low[40:], middle[40:60] = 0.5, 0.6
    ranges = best_ranges({"second": low - 1e-9, "first": low, "middle": middle})
    assert [each.name for each in ranges] == ["first", "middle", "first"]
    assert [ranges[0].low, ranges[-1].high] == pytest.approx([0.001, 0.9])
    for place, (earlier, later) in zip((40, 60), zip(ranges, ranges[1:], strict=False), strict=True):
        assert earlier.high == later.low
        assert PREVALENCES[place - 1] < later.low < PREVALENCES[place]


def test_of_equal_rows_the_first_is_the_best_everywhere():
    [only] = best_ranges({"a": np.full(101, 0.3), "b": np.full(101, 0.3)})
    assert (only.name, only.low, only.high) == ("a", PREVALENCES[0], PREVALENCES[-1])
