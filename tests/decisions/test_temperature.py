"""The temperature and the biases that fit validation images."""

import numpy as np
import pytest
from made_posteriors import drawn, labelled
from scipy.optimize import minimize
from scipy.special import log_softmax

from lightning_imbal.decisions.temperature import bias_corrected_temperature
from lightning_imbal.errors import UserError

PRIOR, BIAS = np.array([0.6, 0.3, 0.1]), np.array([0.5, -1.0, 0.5])


def test_undoes_a_known_temperature_and_bias():
    probability, label = drawn(np.random.default_rng(0), 20_000, PRIOR, PRIOR, power=2.5, bias=BIAS)
    found = bias_corrected_temperature(labelled(probability, label))
    assert found.temperature == pytest.approx(2.5, rel=0.05)
    np.testing.assert_allclose(found.bias, -BIAS / 2.5, atol=0.05)


def test_likelihood_is_the_largest_and_weights_are_copies():
    rng = np.random.default_rng(1)
    probability, label = drawn(rng, 60, PRIOR, PRIOR, power=2.0)
    times = rng.integers(1, 4, 60)
    copies = labelled(probability.repeat(times, axis=0), label.repeat(times))
    found = bias_corrected_temperature(labelled(probability, label, weight=times))

    def loss(x):
        log = log_softmax(np.log(copies.probability) / x[0] + np.r_[0, x[1:]], axis=1)
        return -log[np.arange(len(copies.label)), copies.label].mean()

    best = minimize(loss, [1.0, 0, 0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-14, "maxiter": 5000})
    assert found.temperature == pytest.approx(best.x[0], abs=1e-4)
    np.testing.assert_allclose(found.bias - found.bias[0], np.r_[0, best.x[1:]], atol=1e-4)


def test_calibrated_probabilities_sum_to_the_images_of_each_class():
    probability, label = drawn(np.random.default_rng(2), 300, PRIOR, PRIOR, power=3.0, bias=BIAS)
    calibrated = bias_corrected_temperature(labelled(probability, label)).calibrated(probability)
    np.testing.assert_allclose(calibrated.sum(axis=0), np.bincount(label), atol=1e-3)
    np.testing.assert_allclose(calibrated.sum(axis=1), 1)


def test_equals_a_public_implementation():
    calibration = pytest.importorskip("abstention.calibration")
    probability, label = drawn(np.random.default_rng(3), 400, PRIOR, PRIOR, power=2.0, bias=BIAS)
    public = calibration.TempScaling(bias_positions="all")(probability, np.eye(3)[label], posterior_supplied=True)
    own = bias_corrected_temperature(labelled(probability, label)).calibrated(probability)
    np.testing.assert_allclose(own, public(probability), atol=1e-3)


def test_sure_and_right_or_zero_probabilities_stay_finite():
    label = np.repeat([0, 1, 2], 4)
    found = bias_corrected_temperature(labelled(np.eye(3)[label], label))
    assert np.isfinite(found.calibrated(np.eye(3))).all() and found.temperature > 0
    assert (found.calibrated(np.eye(3)).argmax(axis=1) == np.arange(3)).all()


def test_a_class_without_validation_images_is_refused():
    with pytest.raises(UserError, match="no validation image of bkl"):
        bias_corrected_temperature(labelled(np.full((2, 3), 1 / 3), [0, 1]))
