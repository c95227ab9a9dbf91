"""Net benefit by hand, and against its equation image by image."""

import numpy as np
import pytest
from made_predictions import long_tailed, make

from lightning_imbal.errors import UserError
from lightning_imbal.stats.net_benefit import net_benefit, treat_all

NAMES = {"names": ("no", "yes"), "counts": (3, 2), "groups": {}}


def nearly(value):
    return pytest.approx(value, abs=1e-12, rel=0)


def two_classes(label, probability):
    """Images of two classes, by their probability of the second one."""
    return make(label, np.stack([1 - np.array(probability), probability], axis=1), **NAMES)


def test_by_hand():
    predictions = two_classes([1, 1, 0, 0, 0], [0.75, 0.5, 0.5, 0.25, 0.125])
    # At 0.5 both of the class are found and one other, which is held as bad as one that is missed.
    # At 0.2 two others are treated, at a quarter each; at 0.75 the one that is found costs nothing.
    got = net_benefit(predictions, 1, np.array([0.0, 0.2, 0.5, 0.75, 0.8]))
    assert got == nearly([2 / 5, (2 - 2 / 4) / 5, (2 - 1) / 5, 1 / 5, 0])
    assert treat_all(predictions, 1, np.array([0.0, 0.2, 0.4, 0.5])) == nearly([2 / 5, 2 / 5 - 3 / 20, 0, -1 / 5])


@pytest.mark.parametrize("c", range(4))
def test_image_by_image(c):
    predictions, thresholds = long_tailed(100, decimals=1), np.arange(0, 1, 0.05).round(2)
    expected = []
    for t in thresholds:
        worth = 0.0
        for label, probability in zip(predictions.label, predictions.probability[:, c], strict=True):
            if probability >= t:
                worth += 1 if label == c else -t / (1 - t)
        expected.append(worth / 100)
    assert net_benefit(predictions, c, thresholds) == nearly(expected)
    assert net_benefit(predictions, c, thresholds)[0] == nearly(treat_all(predictions, c, thresholds)[0])


@pytest.mark.parametrize("wrong", [1.0, -0.1, np.nan])
def test_what_is_no_threshold_is_refused(wrong):
    for curve in (net_benefit, treat_all):
        with pytest.raises(UserError, match="threshold probability"):
            curve(two_classes([0, 1], [0.2, 0.9]), 1, np.array([0.5, wrong]))
