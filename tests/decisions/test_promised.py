"""Promised rates: a loop over all thresholds, MAPIE, refusals, and how often promises are broken."""

import numpy as np
import pytest
from made_labelled import long_tailed, make
from scipy import stats
from scipy.special import ndtr

from lightning_imbal.decisions.sensitivity import Sensitivity
from lightning_imbal.decisions.specificity import Specificity
from lightning_imbal.errors import UserError


def bound(hits, images, alpha):
    return stats.beta.ppf(alpha, hits, images - hits + 1) if hits else 0


def images_of_two(number, seed=0, decimals=None, skill=1.5):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, number)
    probability = 1 / (1 + np.exp(0.7 - rng.normal(size=number) - skill * label))
    probability = probability if decimals is None else probability.round(decimals)
    return make(label, np.stack([1 - probability, probability], axis=1))


@pytest.mark.parametrize("target", [0.5, 0.8, 0.9])
@pytest.mark.parametrize("decimals", [None, 2])
def test_sensitivity_by_a_loop_over_all_thresholds(target, decimals):
    images = images_of_two(300, decimals=decimals)
    score = images.probability[images.label == 1, 1]
    expected = 0.0
    for threshold in sorted(set(score)):
        if bound(sum(value >= threshold for value in score), len(score), 0.05) < target:
            break
        expected = threshold
    decision = Sensitivity({"mel": target}).fit(images)
    assert decision.thresholds == {"mel": expected} and expected > 0
    answers = decision.answer(images.probability)
    assert (answers[images.label == 1] == 1).sum() == (score >= expected).sum()


@pytest.mark.parametrize("target", [0.5, 0.8, 0.9])
@pytest.mark.parametrize("decimals", [None, 2])
def test_specificity_by_a_loop_over_all_thresholds(target, decimals):
    images = images_of_two(300, decimals=decimals)
    score = images.probability[images.label == 0, 1]
    kept = 0
    for threshold in sorted(set(score), reverse=True):
        if bound(sum(value <= threshold for value in score), len(score), 0.05) < target:
            break
        kept = sum(value <= threshold for value in score)
        least = threshold
    decision = Specificity({"mel": target}).fit(images)
    assert decision.thresholds["mel"] == np.nextafter(least, 2)
    assert (decision.answer(images.probability)[images.label == 0] == 0).sum() == kept


def test_mapie_tests_the_same_thresholds():
    pytest.importorskip("mapie")
    from mapie.risk_control import BinaryClassificationController

    for seed in range(5):
        images = images_of_two(400, seed)
        tried = np.unique(images.probability[images.label == 1, 1])
        controller = BinaryClassificationController(
            *(lambda rows: rows, "recall", 0.9),
            confidence_level=0.95,
            list_predict_params=tried,
            fwer_method="fixed_sequence",
        )
        controller.calibrate(images.probability, images.label)
        found = Sensitivity({"mel": 0.9}).fit(images).thresholds["mel"]
        # Its p-values, of Hoeffding and Bentkus, may be larger than those of Clopper and Pearson.
        assert 0 <= np.searchsorted(tried, found) - np.searchsorted(tried, max(controller.valid_predict_params)) <= 1


def test_images_that_an_earlier_class_takes_are_missed():
    mel = np.tile([0.6, 0.3, 0.1], (60, 1))
    taken = np.tile([0.0, 0.35, 0.65], (10, 1))
    rest = np.stack([1 - np.linspace(0.3, 0.9, 90), np.zeros(90), np.linspace(0.3, 0.9, 90)], axis=1)
    images = make([1] * 60 + [2] * 100, np.concatenate([mel, taken, rest]))
    decision = Sensitivity({"mel": 0.8, "bcc": 0.7}).fit(images)
    assert list(decision.thresholds) == ["mel", "bcc"] and decision.thresholds["mel"] == 0.3
    missed = next(number for number in range(100) if bound(99 - number, 100, 0.025) < 0.7)
    assert missed > 10 and decision.thresholds["bcc"] == rest[missed - 10, 2]
    assert (decision.answer(images.probability)[60:] == 2).sum() == 100 - missed
    alone = Sensitivity({"bcc": 0.7}, confidence=0.975).fit(images)
    assert alone.thresholds["bcc"] > decision.thresholds["bcc"]


def test_level_is_divided_by_the_classes():
    images = long_tailed(600, skill=2.5, tail=2)
    both, strict = Specificity({"mel": 0.9, "bcc": 0.9}), Specificity({"mel": 0.9}, confidence=0.975)
    assert both.fit(images).thresholds["mel"] == strict.fit(images).thresholds["mel"]
    assert strict.fit(images).thresholds["mel"] > Specificity({"mel": 0.9}).fit(images).thresholds["mel"]


def test_images_of_a_unit_are_no_independent_ones():
    images = images_of_two(120, skill=3)
    alone = Sensitivity({"mel": 0.9}).fit(images).thresholds["mel"]
    grouped = make(images.label.repeat(3), images.probability.repeat(3, axis=0), np.arange(360) // 3)
    assert Sensitivity({"mel": 0.9}).fit(grouped).thresholds["mel"] == alone
    separate = make(grouped.label, grouped.probability)
    assert Sensitivity({"mel": 0.9}).fit(separate).thresholds["mel"] > alone


def test_weights_count_for_specificity():
    images = long_tailed(600, skill=2, tail=2)
    before = Specificity({"mel": 0.9}).fit(images).thresholds["mel"]
    images.weight = np.where((images.label == 2) & (images.probability[:, 1] > 0.2), 5.0, 1.0)
    assert Specificity({"mel": 0.9}).fit(images).thresholds["mel"] > before


def test_too_few_images_are_told_with_their_number():
    images = make([1] * 28 + [0] * 40, np.full((68, 2), 0.5))
    with pytest.raises(UserError) as raised:
        Sensitivity({"mel": 0.9}).fit(images)
    assert str(raised.value) == (
        "too few validation images of mel to promise a sensitivity of 0.90 with 95 % confidence: there are 28, at "
        "least 29 are needed."
    )
    images = make([1] * 29 + [0] * 40, np.full((69, 2), 0.5))
    assert Sensitivity({"mel": 0.9}).fit(images).thresholds == {"mel": 0.5}
    with pytest.raises(UserError, match="of classes other than mel to promise a specificity of 0.95 with 95 % .* 59"):
        Specificity({"mel": 0.95}).fit(images)


def test_too_few_units_are_told_with_their_number():
    images = make([1] * 40 + [0] * 40, np.full((80, 2), 0.5), np.arange(80) // 2)
    with pytest.raises(UserError, match="there are 40 of 20 groups, at least 29 groups are needed"):
        Sensitivity({"mel": 0.9}).fit(images)
    unit = np.r_[np.zeros(20, dtype=int), np.arange(1, 61)]
    with pytest.raises(UserError, match="there are 40 of 21 groups, which tell as much as 3 of one size, at least 29"):
        Sensitivity({"mel": 0.9}).fit(make([1] * 40 + [0] * 40, np.full((80, 2), 0.5), unit))


def test_images_without_weight_are_none():
    images = make([1] * 29 + [0] * 9, np.full((38, 2), 0.5), weight=[1.0] * 28 + [0.0] + [1.0] * 9)
    with pytest.raises(UserError, match="there are 28, at least 29 are needed"):
        Sensitivity({"mel": 0.9}).fit(images)
    images.weight = np.zeros(38)
    with pytest.raises(UserError, match="there are 0, at least 29 are needed"):
        Sensitivity({"mel": 0.9}).fit(images)


def test_class_without_images_is_refused():
    with pytest.raises(UserError, match="of mel to promise .*: there are 0, at least 29 are needed"):
        Sensitivity({"mel": 0.9}).fit(make([0, 2], np.full((2, 3), 1 / 3)))


def test_what_earlier_classes_leave_may_not_suffice():
    images = make([1] * 40 + [2] * 40 + [0] * 9, np.full((89, 3), 1 / 3))
    with pytest.raises(UserError, match="classes that are named before it take 40 of its 40 validation images"):
        Sensitivity({"mel": 0.9, "bcc": 0.8}).fit(images)


@pytest.mark.parametrize("rule", [Sensitivity, Specificity])
def test_settings_are_refused(rule):
    name = rule.__name__.lower()
    for target in (0.0, 1.0, 1.2, float("nan")):
        with pytest.raises(UserError, match=f"The {name} of mel must be above 0 and below 1"):
            rule({"mel": target})
    with pytest.raises(UserError, match="confidence must be above 0 and below 1, but is 95"):
        rule({"mel": 0.9}, confidence=95)
    with pytest.raises(UserError, match=f"{rule.__name__} needs a class and its least {name}"):
        rule({})
    with pytest.raises(UserError, match="names the class 'xyz', but the classes are nv, mel"):
        rule({"xyz": 0.9}).fit(images_of_two(9))
    with pytest.raises(UserError, match=f"A {name} is named for every class: leave one out"):
        rule({"nv": 0.5, "mel": 0.5}).fit(images_of_two(9))


def broken(rule, draws, size, alike, target=0.9):
    """Share of the draws with a true rate below the target, for units of so many images each."""
    rng, number = np.random.default_rng(7), 0
    unit = np.repeat(np.arange(len(size)), size)
    label = np.full(len(unit), 1 if rule is Sensitivity else 0)
    for _ in range(draws):
        score = np.sqrt(alike) * rng.normal(size=len(size))[unit] + np.sqrt(1 - alike) * rng.normal(size=len(unit))
        probability = ndtr(score)  # uniform
        images = make(label, np.stack([1 - probability, probability], axis=1), unit)
        threshold = rule({"mel": target}).fit(images).thresholds["mel"]
        number += (1 - threshold if rule is Sensitivity else threshold) < target
    return number / draws


@pytest.mark.parametrize("rule", [Sensitivity, Specificity])
def test_promises_of_images_are_broken_as_rarely_as_the_binomial_says(rule):
    # Of 100 images, 4 may be missed: the promise is broken if fewer than 5 of them are beyond the target.
    expected = stats.binom.cdf(4, 100, 0.1)
    assert bound(96, 100, 0.05) >= 0.9 > bound(95, 100, 0.05) and expected < 0.05
    assert broken(rule, 1000, [1] * 100, 0) == pytest.approx(expected, abs=3 * np.sqrt(expected / 1000))


SIZES = {"equal": [4] * 40, "few large": [20] * 30 + [1] * 270}


@pytest.mark.slow
@pytest.mark.parametrize("alike", [0, 0.5, 0.9])
@pytest.mark.parametrize("size", SIZES)
def test_promises_of_units_are_seldom_broken(size, alike):
    assert broken(Sensitivity, 1000, SIZES[size], alike) <= stats.binom.ppf(0.999, 1000, 0.05) / 1000
