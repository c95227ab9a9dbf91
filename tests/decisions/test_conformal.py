"""Prediction sets: thresholds by hand and against libraries, and what is promised against simulation."""

import numpy as np
import pytest
from made_posteriors import alone, drawn, labelled
from scipy.stats import beta

from lightning_imbal.decisions.conformal import PredictionSets, coverage, prediction_sets
from lightning_imbal.errors import UserError

PRIOR = np.array([0.6, 0.3, 0.1])


def of_two(own, label, **others):
    """Images of two classes whose own class has a probability."""
    own, label = np.array(own), np.array(label)
    probability = np.where(np.arange(2) == label[:, None], own[:, None], 1 - own[:, None])
    return labelled(probability, label, **others)


def test_thresholds_by_hand():
    own = np.array([0.9, 0.2, 0.8, 0.4, 0.6, 0.7, 0.55, 0.95, 0.3])
    images = of_two(own, [0] * 9)
    # Of nine images, ceil(10 * 0.9) = 9 must keep their class, or ceil(10 * 0.75) = 8 of them.
    assert prediction_sets(images, 0.1, per_class=False).threshold.tolist() == [0.2, 0.2]
    assert prediction_sets(images, 0.25).threshold.tolist() == [0.3, 0.0]
    assert prediction_sets(images, 0.5).threshold.tolist() == [0.6, 0.0]


def test_each_class_has_the_threshold_of_its_own_images():
    images = of_two([0.9, 0.2, 0.8, 0.5, 0.6, 0.7], [0, 0, 0, 1, 1, 1])
    assert prediction_sets(images, 0.25).threshold.tolist() == [0.2, 0.5]
    assert prediction_sets(images, 0.5).threshold.tolist() == [0.8, 0.6]
    assert prediction_sets(images, 0.25, per_class=False).threshold.tolist() == [0.2, 0.2]


@pytest.mark.parametrize(("alpha", "needed"), [(0.1, 9), (0.05, 19), (0.2, 4), (0.01, 99), (0.15, 6)])
def test_too_few_images_are_told_and_the_class_is_in_every_set(alpha, needed):
    for number in (needed - 1, needed):
        found = prediction_sets(of_two([0.9] * 200 + [0.8] * number, [0] * 200 + [1] * number), alpha)
        assert found.threshold[1] == (0.8 if number == needed else 0) and found.threshold[0] == 0.9
        few = f"too few calibration images to promise {100 - 100 * alpha:g} % for mel: there are {needed - 1}, "
        assert found.notes == ([] if number == needed else [few + f"at least {needed} are needed"])
    assert not found.sets(np.array([[1.0, 0.0]]))[0, 1]


def test_too_few_images_in_all():
    found = prediction_sets(of_two([0.9] * 8, [0] * 8), 0.1, per_class=False)
    assert found.notes == ["too few calibration images to promise 90 %: there are 8, at least 9 are needed"]
    assert found.sets(np.array([[1.0, 0.0]])).all()


def test_images_of_a_lesion_count_as_one_together():
    own = [0.1, 0.2, 0.3, *[0.5 + 0.01 * k for k in range(8)]]
    unit = ["lesion 1"] * 3 + [f"lesion {k}" for k in range(2, 10)]
    images = of_two(own, [0] * 11, unit=unit)
    # 9 lesions: 10 * (1 - alpha) lesions must keep their class; 8 do at 0.5, and 8 1/3 at 0.3.
    assert prediction_sets(images, 0.2).threshold[0] == 0.5
    assert prediction_sets(images, 0.19).threshold[0] == 0.3
    assert prediction_sets(images, 0.1).threshold[0] == 0.1
    few = prediction_sets(of_two(own[:4], [0] * 4, unit=unit[:4]), 0.25)
    assert few.notes[0].startswith("too few calibration lesions or patients to promise 75 % for nv: there are 2, ")
    assert few.threshold[0] == 0


def test_weights_of_images_are_copies_and_do_not_matter_within_a_class():
    own, label = np.linspace(0.3, 0.99, 40), np.repeat([0, 1], [30, 10])
    even = of_two(own, label)
    weighted = of_two(own, label, weight=np.where(label == 0, 0.5, 2.5))
    for alpha in (0.1, 0.2, 0.35):
        same = prediction_sets(even, alpha).threshold
        assert prediction_sets(weighted, alpha).threshold.tolist() == same.tolist()
    # The next image weighs as one of its supposed class: 0.9 * (40 + 0.5) and 0.9 * (40 + 2.5) must be kept.
    threshold = prediction_sets(weighted, 0.1, per_class=False).threshold
    kept = [(weighted.weight * (own >= each)).sum() for each in threshold]
    assert kept[0] == 36.5 and kept[1] == 38.5


def test_alpha_is_a_share():
    for alpha in (0, 1, -0.1, 90):
        with pytest.raises(UserError, match=f"alpha must be between 0 and 1, but is {alpha}"):
            prediction_sets(of_two([0.9], [0]), alpha)


def test_scores_of_sets_by_hand():
    sets = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0], [1, 1, 1]], dtype=bool)
    found = coverage(sets, np.array([0, 1, 0, 0, 1]))
    np.testing.assert_allclose(found.coverage, [1 / 3, 1, np.nan])
    assert (found.covered, found.mean_size, found.empty, found.single) == pytest.approx((0.6, 1.4, 0.2, 0.4))
    assert found.referred == pytest.approx(0.6)


def test_a_probability_at_the_threshold_is_in_the_set():
    found = PredictionSets(("nv", "mel"), np.array([0.3, 0.7]), 0.1).sets(np.array([[0.3, 0.7], [0.31, 0.69]]))
    assert found.tolist() == [[True, True], [True, False]]


def within_chance(covered, images, kept, draws):
    """Whether the mean coverage is that of the kept one of so many exchangeable images, which is a beta variable."""
    law = beta(kept, images + 1 - kept)
    return abs(np.mean(covered) - law.mean()) < 4 * law.std() / draws**0.5


def test_coverage_is_that_of_exchangeable_images():
    rng, draws, images = np.random.default_rng(0), 1000, 119
    pool, label = drawn(rng, 20_000, PRIOR, PRIOR, power=2.0)  # not calibrated
    own, rare = pool[np.arange(len(label)), label], np.flatnonzero(label == 2)
    covered, of_rare = [], []
    for _ in range(draws):
        rows = rng.choice(len(label), images)
        found = prediction_sets(labelled(pool[rows], label[rows]), per_class=False)
        covered.append((own >= found.threshold[label]).mean())
        rows = np.r_[rng.choice(rare, 14), rng.choice(np.flatnonzero(label < 2), 5)]
        found = prediction_sets(labelled(pool[rows], label[rows]))
        of_rare.append((own[rare] >= found.threshold[2]).mean())
    assert within_chance(covered, images, 108, draws)  # ceil(120 * 0.9)
    assert within_chance(of_rare, 14, 14, draws)  # ceil(15 * 0.9)


def test_coverage_of_the_images_of_new_lesions():
    rng, draws = np.random.default_rng(0), 600
    of_image, of_lesion = [], []
    for _ in range(draws):
        size = np.where(rng.random(60) < 0.3, 8, 1)
        # Lesions with many images are easy ones, and their images are alike.
        level = np.where(size > 1, 0.75, 0.5) + rng.uniform(-0.2, 0.2, 60)
        own = np.repeat(level, size) + rng.uniform(-0.03, 0.03, size.sum())
        unit = np.repeat([f"lesion {k}" for k in range(60)], size)
        known = np.isin(unit, [f"lesion {k}" for k in range(39)])
        new = ~known
        for units, results in ((unit, of_lesion), (alone(len(unit)), of_image)):
            found = prediction_sets(of_two(own[known], np.zeros(known.sum(), dtype=int), unit=units[known]))
            kept = (own[new] >= found.threshold[0]).astype(float)
            _, place, number = np.unique(unit[new], return_inverse=True, return_counts=True)
            results.append((np.bincount(place, kept) / number).mean())
    assert 0.9 - 4 * np.std(of_lesion) / draws**0.5 <= np.mean(of_lesion) <= 0.93
    assert np.mean(of_image) < 0.87


@pytest.mark.parametrize("per_class", [True, False])
def test_equals_crepes(per_class):
    crepes = pytest.importorskip("crepes")
    probability, label = drawn(np.random.default_rng(4), 400, PRIOR, PRIOR)
    new, _ = drawn(np.random.default_rng(5), 300, PRIOR, PRIOR)
    own = prediction_sets(labelled(probability, label), 0.1, per_class)
    fitted = crepes.ConformalClassifier()
    fitted.fit(1 - probability[np.arange(400), label], bins=label if per_class else None)
    bins = [np.full(300, c) for c in range(3)] if per_class else None
    columns = [
        fitted.predict_set(1 - new[:, [c]], **({"bins": bins[c]} if per_class else {}), confidence=0.9, smoothing=False)
        for c in range(3)
    ]
    np.testing.assert_array_equal(own.sets(new), np.hstack(columns).astype(bool))


def test_equals_mapie():
    classification = pytest.importorskip("mapie.classification")
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Given(ClassifierMixin, BaseEstimator):
        """A classifier whose inputs are its probabilities."""

        classes_ = np.arange(3)
        fitted_ = True

        def fit(self, x, y):
            return self

        def predict_proba(self, x):
            return x

        def predict(self, x):
            return x.argmax(axis=1)

    probability, label = drawn(np.random.default_rng(4), 400, PRIOR, PRIOR)
    new, _ = drawn(np.random.default_rng(5), 300, PRIOR, PRIOR)
    mapie = classification.SplitConformalClassifier(Given(), confidence_level=0.9, prefit=True)
    _, sets = mapie.conformalize(probability, label).predict_set(new)
    own = prediction_sets(labelled(probability, label), 0.1, per_class=False)
    np.testing.assert_array_equal(own.sets(new), sets[:, :, 0])
