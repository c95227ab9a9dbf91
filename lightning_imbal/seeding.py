"""Random numbers that depend on nothing but the seed of the run and the epoch."""

import os

import numpy as np
import torch


def run_seed() -> int:
    """The seed of the run as `lightning.seed_everything` leaves it in the environment, 0 if there is none."""
    return int(os.environ.get("PL_GLOBAL_SEED", 0))


def epoch_generator(seed: int, epoch: int, stream: int = 0) -> torch.Generator:
    """A generator that depends on nothing but `seed`, `epoch` and `stream`, none of them negative."""
    # Hashing them, unlike adding them, keeps epoch 1 of seed 0 apart from epoch 0 of seed 1.
    state = np.random.SeedSequence([seed, epoch, stream]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state) & (2**63 - 1))
