"""Two samplers of one batch draw apart from each other, and know the length of the run."""

from functools import partial

import numpy as np
import pytest
from small_runs import digits

from lightning_imbal.data.loading.samplers import build_samplers
from lightning_imbal.errors import UserError
from lightning_imbal.samplers import ClassPower, PKBatches


def test_each_draws_from_a_stream_of_its_own():
    first, second = build_samplers([ClassPower, ClassPower], np.arange(40) % 3, 8, 5)
    assert list(first) != list(second) and sorted(first) == sorted(second)
    assert first.max_epochs == second.max_epochs == 5


@pytest.mark.parametrize("sampler", [partial(ClassPower, q=0.0, seed=3), partial(ClassPower, seed=3)])
def test_the_samplers_of_a_module_draw_differently(sampler):
    data = digits(sampler=sampler, paired_sampler=sampler)
    first, second = map(list, data.train_samplers())
    assert first == list(digits(sampler=sampler).train_samplers()[0]), "a second sampler changes nothing of the first"
    assert len(first) == len(second) > 300 and np.mean(np.equal(first, second)) < 0.05
    batch = next(iter(data.train_dataloader()))
    assert batch["index"].tolist() == data.rows("train")[first[:64]].tolist()
    assert batch["other"]["index"].tolist() == data.rows("train")[second[:64]].tolist()


def test_batches_of_another_size_are_refused():
    with pytest.raises(UserError, match="PKBatches makes batches of 6 images: set data.batch_size to 6"):
        build_samplers([lambda labels: PKBatches(labels, 3, 2)], np.arange(40) % 3, 8, 5)
