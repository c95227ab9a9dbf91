"""What the calibration error of a calibrated network does not exceed."""

import numpy as np
import pytest
from made_predictions import make

from lightning_imbal.stats.calibration import calibrated_point
from lightning_imbal.stats.rounds import Round


def network(confidence, unit=None):
    """Two classes; the first is predicted with a confidence."""
    confidence = np.asarray(confidence)
    return make(
        np.zeros(len(confidence), dtype=int),
        np.stack([confidence, 1 - confidence], axis=1),
        unit=unit,
        names=("no", "yes"),
        counts=(5, 5),
        groups={},
    )


def ece(label, run):
    return Round((make(label, run.probability, names=run.class_names, counts=run.class_counts, groups={}),)).scores(
        ["ece"]
    )["ece"][0]


def test_five_of_hundred_calibrated_networks_are_above_it():
    rng, above = np.random.default_rng(0), 0
    for number in range(200):
        run = network(rng.uniform(0.5, 1, 150))
        label = (rng.random(150) >= run.probability[:, 0]).astype(int)
        above += ece(label, run) > calibrated_point([Round((run,))], seed=number)
    assert 2 <= above <= 20


def test_one_bin_by_hand():
    """Of 100 images with a confidence of 0.8, |0.8 - hits / 100|: 95 % of binomial counts are within 8."""
    point = calibrated_point([Round((network(np.full(100, 0.8)),))])
    assert point == pytest.approx(0.08, abs=0.0101)


def test_images_of_a_unit_are_right_together():
    confidence = np.full(100, 0.8)
    apart = calibrated_point([Round((network(confidence),))])
    together = calibrated_point([Round((network(confidence, unit=np.repeat([f"u{n}" for n in range(10)], 10)),))])
    assert 2 * apart < together < 5 * apart  # the square root of 10


def test_certain_networks_make_no_error():
    assert calibrated_point([Round((network(np.ones(20)),))]) == 0.0


def test_mean_over_folds_and_rounds():
    whole = network(np.random.default_rng(0).uniform(0.5, 1, 90))
    folds = tuple(
        make(
            whole.label[p],
            whole.probability[p],
            image=whole.image[p],
            names=whole.class_names,
            counts=(5, 5),
            groups={},
        )
        for p in np.array_split(np.arange(90), 3)
    )
    one, three = calibrated_point([Round((whole,))]), calibrated_point([Round(folds)])
    assert three > 1.3 * one, "a fold has fewer images, and errs more"
    assert calibrated_point([Round((whole,))] * 3) == pytest.approx(one), "seeds see the same images"
