"""Where a score in steps is best, by hand."""

import numpy as np
import pytest

from lightning_imbal.decisions.plateaus import best_plateau

INF = np.inf


@pytest.mark.parametrize(
    ("score", "edges", "place"),
    [
        ([0.1, 0.5, 0.2], [1, 3], 2.0),
        ([0.1, 0.5, 0.5, 0.2], [1, 3, 6], 3.5),  # neighbours are one place
        ([0.5, 0.1, 0.5, 0.1], [-9, 2, 3], 2.5),  # nearest to 0, not the first, at -10
        ([0.1, 0.5 - 1e-15, 0.5], [1, 3], 2.0),  # rounding makes no difference: it has no end
        ([0.1, 0.5], [-3], 0.0),
        ([0.5, 0.1], [3], 0.0),
        ([0.5, 0.1], [-3], -4.0),
        ([0.1, 0.5], [3], 4.0),
        ([0.5, 0.5], [3], 0.0),
        ([0.5], [], 0.0),
    ],
)
def test_by_hand(score, edges, place):
    assert best_plateau(np.array(score), np.r_[-INF, edges], np.r_[edges, INF]) == place
