"""Generators depend on all of their numbers."""

import numpy as np
import pytest

from lightning_imbal.seeding import epoch_generator, run_seed


def test_epoch_generator_depends_on_all_numbers():
    pairs = [(0, 0), (0, 1), (1, 0), (2, 1), (1, 2), (2**32 - 1, 1000)]
    numbers = [(*pair, stream) for pair in pairs for stream in (0, 1, 2)]
    assert len({epoch_generator(*each).initial_seed() for each in numbers}) == len(numbers)
    assert epoch_generator(1, 2, 3).initial_seed() == epoch_generator(1, 2, 3).initial_seed()


@pytest.mark.parametrize("seed, epoch", [(0, 0), (1, 2), (2**32 - 1, 1000)])
def test_first_stream_hashes_seed_and_epoch_alone(seed: int, epoch: int):
    state = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0]
    assert epoch_generator(seed, epoch).initial_seed() == int(state) & (2**63 - 1)


def test_seed_of_the_run_is_what_lightning_leaves(monkeypatch):
    assert run_seed() == 0
    monkeypatch.setenv("PL_GLOBAL_SEED", "7")
    assert run_seed() == 7
