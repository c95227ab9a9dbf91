"""Two samplers of one batch draw apart from each other, and know the length of the run."""

import numpy as np
import pytest

from lightning_imbal.data.loading.samplers import build_samplers
from lightning_imbal.errors import UserError
from lightning_imbal.samplers import ClassPower, PKBatches


def test_each_draws_from_a_stream_of_its_own():
    first, second = build_samplers([ClassPower, ClassPower], np.arange(40) % 3, 8, 5)
    assert list(first) != list(second) and sorted(first) == sorted(second)
    assert first.max_epochs == second.max_epochs == 5


def test_batches_of_another_size_are_refused():
    with pytest.raises(UserError, match="PKBatches makes batches of 6 images: set data.batch_size to 6"):
        build_samplers([lambda labels: PKBatches(labels, 3, 2)], np.arange(40) % 3, 8, 5)
