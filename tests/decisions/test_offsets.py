"""Offsets: against every point of a grid, a loop over all places of one class, and the Bayes rule."""

import time

import numpy as np
import pytest
from made_labelled import long_tailed, make

from lightning_imbal.decisions import ascent
from lightning_imbal.decisions.ascent import Ascent, best_offset
from lightning_imbal.decisions.offsets import Offsets
from lightning_imbal.decisions.prior_adjusted import PriorAdjusted
from lightning_imbal.decisions.scoring import score_answers
from lightning_imbal.errors import UserError

SCORES = (
    *("f1", "balanced_accuracy", "accuracy", "mcc", "kappa", "kendall_tau", "adjacent_accuracy", "precision"),
    *("scr", "f1/mel", "recall/bcc", "group_f1/rare"),
)


def scored(images, offset, name):
    answers = (images.probability * np.exp(offset)).argmax(axis=1)
    return score_answers(images, answers[None], name)[0]


def best(images, name):
    return best_offset(images, name, (np.zeros(images.probability.shape[1]), PriorAdjusted(name).fit(images).offset))


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("case", [{}, {"decimals": 2}, {"weighted": True}])
def test_step_finds_the_best_of_all_places_of_a_class(name, case):
    images = long_tailed(40, seed=3, **case)
    start = np.array([0.0, 0.3, -0.2])
    logit = np.log(np.maximum(images.probability, 1e-300)) + start
    for c in range(3):
        others = np.delete(logit, c, axis=1).max(axis=1)
        edges = np.sort(others - (logit[:, c] - start[c]))
        values = []
        for offset in [edges[0] - 1, *(edges[1:] + edges[:-1]) / 2, edges[-1] + 1]:
            moved = logit.copy()
            moved[:, c] += offset - start[c]
            values.append(score_answers(images, moved.argmax(axis=1)[None], name)[0])
        _, score = Ascent(images, name).best_place(logit, c)
        assert score == pytest.approx(max(values), abs=1e-12)


@pytest.mark.parametrize("name", ["f1", "balanced_accuracy", "kappa", "recall", "f1/mel", "group_f1/rare"])
@pytest.mark.parametrize("case", [{}, {"decimals": 2}, {"weighted": True}])
def test_no_point_of_a_grid_is_better(name, case):
    grid = np.array([(0, first, second) for first in np.linspace(-3, 5, 33) for second in np.linspace(-3, 5, 33)])
    for seed in range(3):
        images = long_tailed(30 + 10 * seed, seed=seed, **case)
        answers = (images.probability * np.exp(grid)[:, None]).argmax(axis=2)
        assert scored(images, best(images, name), name) >= score_answers(images, answers, name).max() - 1e-12


@pytest.mark.parametrize("name", SCORES)
def test_never_worse_than_its_starts(name):
    for seed in range(2):
        images = long_tailed(150, classes=5, seed=seed)
        for start in (np.zeros(5), PriorAdjusted(name).fit(images).offset):
            found = scored(images, best_offset(images, name, [start]), name)
            assert scored(images, best(images, name), name) >= found >= scored(images, start, name)


def test_best_of_one_class_by_hand():
    # The offset of mel must be above log(0.6 / 0.4) for its image and below log(0.9 / 0.1) for those of nv.
    images = make([0, 0, 1], [[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]])
    offset = best_offset(images, "f1", [np.zeros(2)])
    assert offset[1] - offset[0] == pytest.approx((np.log(6 / 4) + np.log(9)) / 2)
    assert scored(images, offset, "f1") == 1


def test_a_rule_goes_part_of_the_way_from_the_adjusted_prior():
    images = long_tailed(400, classes=4, seed=1)
    ends = [PriorAdjusted().fit(images).offset, best(images, "f1")]
    adjusted, far = (offset - offset[0] for offset in ends)
    number = np.bincount(images.label)
    expected = adjusted + number / (number + 10) * (far - adjusted)
    assert np.abs(far - adjusted).max() > 0.1 and Offsets().fit(images).offset == pytest.approx(expected)
    images.unit = (np.arange(400) // 2).astype(str)
    pairs = set(zip(images.unit, images.label, strict=True))
    units = np.array([sum(label == c for _, label in pairs) for c in range(4)])
    expected = adjusted + units / (units + 10) * (far - adjusted)
    assert Offsets().fit(images).offset == pytest.approx(expected)


def test_without_a_gain_the_answers_stay():
    images = make([0, 1, 2, 0], np.eye(3)[[0, 1, 2, 0]] * 0.7 + 0.1)
    assert best_offset(images, "mcc", [np.zeros(3)]).tolist() == [0, 0, 0]
    decision = Offsets("mcc").fit(images)
    assert decision.answer(images.probability).tolist() == [0, 1, 2, 0]


def test_probabilities_of_zero_and_one_need_no_warning(recwarn):
    images = make([0, 1, 1, 2], [[1, 0, 0], [0, 1, 0], [0.8, 0.2, 0], [0.5, 0.2, 0.3]])
    assert scored(images, best(images, "f1"), "f1") == 1
    assert np.isfinite(Offsets().fit(images).offset).all() and not recwarn.list


def test_class_without_training_images_has_an_offset():
    images = long_tailed(60)
    images.class_counts = (50, 0, 10)
    offset = Offsets().fit(images).offset
    assert np.isfinite(offset).all() and offset[1] != 0


def test_weights_count_as_repeated_images():
    images = long_tailed(60, seed=2)
    times = np.array([1, 3, 2])[images.label]
    weighted = make(images.label, images.probability, weight=times, counts=images.class_counts)
    repeated = make(images.label.repeat(times), images.probability.repeat(times, axis=0), counts=images.class_counts)
    assert best(weighted, "f1") == pytest.approx(best(repeated, "f1"))
    assert best(weighted, "f1") != pytest.approx(best(images, "f1"))


def test_weights_that_are_taken_away_again_leave_no_images():
    # Without the last of its images, a class has no share of one.
    images = long_tailed(50, classes=4, seed=5)
    images.weight = np.full(50, 0.1)
    for name in ("precision", "mcc"):
        assert scored(images, best(images, name), name) == pytest.approx(
            scored(images, best(make(images.label, images.probability, counts=images.class_counts), name), name)
        )


def test_parts_and_few_places_find_the_same(monkeypatch):
    images = long_tailed(200, seed=1)
    expected = {name: scored(images, best(images, name), name) for name in ("f1", "kappa")}
    monkeypatch.setattr(ascent, "MAX_ELEMENTS", 60)
    for name, score in expected.items():
        assert scored(images, best(images, name), name) == pytest.approx(score, abs=1e-12)
    monkeypatch.setattr(ascent, "MAX_COUNTS", 60)
    assert scored(images, best(images, "f1"), "f1") == pytest.approx(expected["f1"], abs=0.02)


def test_offsets_for_balanced_accuracy_approach_those_of_bayes():
    apart = []
    for number in (300, 3_000, 30_000):
        images = long_tailed(number, seed=4)
        share = np.bincount(images.label) / number
        bayes = -np.log(share / share[0])
        apart.append(np.abs(Offsets("balanced_accuracy").fit(images).offset - bayes).max())
    assert apart[2] < 0.15 and apart[2] < apart[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["f1", "balanced_accuracy"])
def test_part_of_the_way_is_better_on_other_images_than_the_best(name):
    gains = []
    for seed in range(30):
        images = long_tailed(500, classes=7, tail=50, seed=seed, skill=2)
        others = long_tailed(10_000, classes=7, tail=50, seed=1000 + seed, skill=2)
        rule, far = Offsets(name).fit(images).offset, best(images, name)
        gains.append(scored(others, rule, name) - scored(others, far, name))
    assert np.mean(gains) > 3 * np.std(gains) / 30**0.5


def test_fitting_is_fast():
    images = long_tailed(1000, classes=7, tail=50)
    Offsets().fit(images)
    begun = time.process_time()
    Offsets().fit(images)
    assert time.process_time() - begun < 0.3


def test_other_scores_are_refused():
    with pytest.raises(UserError, match="auc does not depend on the answers"):
        Offsets("auc")


@pytest.mark.parametrize("score", ["mean_grade_error", "macro_grade_error"])
def test_errors_are_refused_since_rules_make_a_score_large(score):
    with pytest.raises(UserError, match=f"{score} is the better the smaller it is: name adjacent_accuracy"):
        Offsets(score)
