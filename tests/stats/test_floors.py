"""What needs no training: its answers, its place beside the rows, and which rows are told from it."""

from dataclasses import replace

import numpy as np
import pytest
from made_predictions import long_tailed, make

from lightning_imbal.runs.run import Run
from lightning_imbal.stats.compared import Compared
from lightning_imbal.stats.floors import DRAWN, FLOORS, MAJORITY, floors_of
from lightning_imbal.stats.learned import NOT_ABOVE, verdicts
from lightning_imbal.stats.rounds import Round

SURE = np.eye(4)


def guesses(seed, skill=0.0, images=200):
    """Answers as often as the classes are tested, of which a share is right."""
    run, rng = long_tailed(images), np.random.default_rng(seed)
    answer = np.where(rng.random(images) < skill, run.label, rng.permutation(run.label))
    return make(run.label, SURE[answer], image=run.image)


def with_answers(folder, *answers):
    """A run as far as its answers are asked for: a list of them for each class."""
    run = Run(folder)
    confusion = [np.bincount(each, minlength=2).tolist() for each in answers]
    run.__dict__["results"] = {"classes": [{"name": "no"}, {"name": "yes"}], "confusion": confusion}
    return run


def test_answers_are_those_of_the_training_part_of_each_fold():
    first, second = (replace(guesses(0, images=4000), class_counts=counts) for counts in ((6, 1, 3, 0), (0, 9, 0, 1)))
    found = floors_of([Round((first, second)), Round((first,))])
    assert list(found) == list(FLOORS) and [len(each.folds) for each in found[DRAWN]] == [2, 1]
    folds = found[MAJORITY][0].folds
    assert [np.unique(fold.probability.argmax(axis=1)).tolist() for fold in folds] == [[0], [1]]
    shares = [fold.probability.mean(axis=0).tolist() for fold in found[DRAWN][0].folds]
    assert shares == [pytest.approx([0.6, 0.1, 0.3, 0], abs=0.03), pytest.approx([0, 0.9, 0, 0.1], abs=0.03)]
    assert set(np.unique(found[DRAWN][0].joined.probability)) == {0, 1}, "sure of each answer"
    assert (found[DRAWN][0].folds[0].label == first.label).all()


def test_draws_are_the_same_each_time_and_others_for_each_run():
    run = guesses(0)
    first, again = (floors_of([Round((run,)), Round((run,))])[DRAWN] for _ in range(2))
    assert np.array_equal(first[0].joined.probability, again[0].joined.probability)
    assert not np.array_equal(first[0].joined.probability, first[1].joined.probability)


def test_floors_change_nothing_of_the_rows():
    rows = {name: [Round((guesses(10 * n + seed, 0.5),)) for seed in range(2)] for n, name in enumerate("abc")}
    floors = floors_of(rows["a"])
    alone, beside = (Compared(rows, ["f1"], resamples=200, floors=each) for each in (None, floors))
    assert alone.floors == {} and list(beside.floors) == list(FLOORS)
    assert beside.p_value("b", "a", "f1") == alone.p_value("b", "a", "f1")
    assert beside.beside_best(list("abc"), "f1") == alone.beside_best(list("abc"), "f1")
    assert beside.corrected_advantage(["b", "c"], "a", "f1") == alone.corrected_advantage(["b", "c"], "a", "f1")
    # Scored by the same machinery: as rows they would have the same intervals.
    as_rows = Compared(floors, ["f1", "accuracy"], resamples=200)
    beside = Compared(rows, ["f1", "accuracy"], resamples=200, floors=floors)
    for name in FLOORS:
        for key in ("f1", "accuracy"):
            assert beside.floors[name].interval(key) == as_rows.rows[name].interval(key)


def test_guesses_are_not_above_the_floor_and_a_little_skill_is(tmp_path):
    rows = {f"guess {n}": [Round((guesses(n),))] for n in range(12)} | {"some": [Round((guesses(99, 0.35),))]}
    compared = Compared(rows, ["f1"], resamples=300, floors=floors_of(rows["some"]))
    runs = {name: [with_answers(tmp_path, [0, 1], [1])] for name in rows}
    found = verdicts(runs, compared)
    assert {verdict.remark for name, verdict in found.items() if name != "some"} == {NOT_ABOVE}
    assert found["some"].learned and found["some"].remark == "" and found["some"].p_floor < 0.05
    assert found["some"].p_floor == pytest.approx(13 * compared.above_floor("some", "f1")), "corrected for the rows"
    below = [name for name in rows if compared.rows[name].value("f1") < compared.floors[DRAWN].value("f1")]
    assert below and all(found[name].p_floor == 1 for name in below)


def test_a_run_with_fewer_folds_is_judged_by_the_same_floor():
    others = np.array([f"other {n}" for n in range(200)])
    whole = [Round((guesses(0, 0.6), replace(guesses(1, 0.6), image=others, unit=others)))]
    half = {"half": [Round(whole[0].folds[1:])]}
    found = Compared({"whole": whole} | half, ["f1"], resamples=300, floors=floors_of(whole))
    assert max(found.above_floor(name, "f1") for name in ("whole", "half")) < 0.05
    # What is left out of a resample is the same for a floor that has fewer images than the rows.
    floors = floors_of(half["half"])
    found = Compared({"whole": whole} | floors, ["f1"], resamples=300, floors=floors)
    assert np.array_equal(found.floors[DRAWN].averages("f1"), found.rows[DRAWN].averages("f1"))


@pytest.mark.parametrize(
    ("answers", "remark"),
    [
        ([([0, 0], [0])] * 2, 'answers only "no"'),
        ([([0, 0], [0]), ([1, 1], [1])], "each run answers one class only"),
        ([([0, 0], [0]), ([0, 1], [1])], "1 of 2 runs with one answer only"),
        ([([0, 1], [1])] * 2, ""),
        ([([0, 0], [])] * 2, ""),  # one class was tested
    ],
)
def test_runs_with_one_answer_are_told_without_predictions(answers, remark, tmp_path):
    [verdict] = verdicts({"CE": [with_answers(tmp_path, *of_run) for of_run in answers]}, Compared({}, ["f1"])).values()
    assert verdict.remark == remark and np.isnan(verdict.p_floor)
    assert verdict.learned == (remark in ("", "1 of 2 runs with one answer only"))
