"""What every sampler does: its own generator, its epochs, what it refuses."""

from functools import partial

import pytest
import torch
from sampler_draws import GROUPS, LABELS, deferred, progressive
from torch import Tensor

from lightning_imbal.data.loading.epoch_draws import EpochDraws
from lightning_imbal.samplers import (
    ClassPower,
    DeferredBalance,
    EpochSampler,
    GroupBalanced,
    OversampleToMax,
    ProgressiveBalance,
    Reversed,
)
from lightning_imbal.samplers.class_blocks import ClassBlocks
from lightning_imbal.samplers.pk_batches import PKBatches
from lightning_imbal.seeding import run_seed

SAMPLERS = [
    lambda seed=None: ClassPower(LABELS, seed=seed),
    lambda seed=None: ClassPower(LABELS, q=0.5, seed=seed),
    lambda seed=None: ClassPower(LABELS, length=100, seed=seed),
    lambda seed=None: ClassPower(LABELS, q=0, length="max", seed=seed),
    lambda seed=None: OversampleToMax(LABELS, seed=seed),
    lambda seed=None: Reversed(LABELS, seed=seed),
    lambda seed=None: deferred(seed=seed),
    lambda seed=None: progressive(seed=seed),
    lambda seed=None: ClassBlocks(LABELS, seed=seed),
    lambda seed=None: ClassBlocks(LABELS, per_class=3, length=50, seed=seed),
    lambda seed=None: GroupBalanced(LABELS, GROUPS, seed=seed),
    lambda seed=None: GroupBalanced(LABELS, GROUPS, q=0, length=100, seed=seed),
    lambda seed=None: PKBatches(LABELS, classes=2, samples=4, seed=seed),
    lambda seed=None: PKBatches(LABELS, classes=3, samples=6, length=100, seed=seed),
]


@pytest.mark.parametrize("make", SAMPLERS)
class TestEveryEpochSampler:
    def test_same_seed_and_epoch_draw_the_same(self, make):
        sampler = make(seed=3)
        first = list(sampler)
        following = list(sampler)
        sampler.set_epoch(0)
        assert list(sampler) == first
        sampler.set_epoch(1)
        assert list(sampler) == following, "in a plain DataLoader, nobody sets the epoch"
        sampler.set_epoch(5)
        resumed = make(seed=3)
        resumed.set_epoch(5)
        assert list(sampler) == list(resumed)

    def test_epochs_and_seeds_differ(self, make):
        drawn = []
        for seed, epoch in [(0, 0), (0, 1), (1, 0), (1, 1)]:
            sampler = make(seed=seed)
            sampler.set_epoch(epoch)
            drawn.append(tuple(sampler))
        assert len(set(drawn)) == 4

    def test_streams_differ(self, make):
        first, second = make(seed=3), make(seed=3)
        assert first.stream == 0
        second.stream = 1
        assert list(first) != list(second)
        third = make(seed=3)
        third.stream = 1
        second.set_epoch(0)
        assert list(second) == list(third)

    def test_it_says_whether_its_draws_follow_the_number_of_epochs(self, make):
        sampler = make(seed=0)
        sampler.max_epochs = None
        if sampler.follows_epochs:
            with pytest.raises(ValueError, match="max_epochs"):
                list(sampler)
        else:
            assert list(sampler) == list(make(seed=0))

    def test_ignores_the_global_generator(self, make):
        torch.manual_seed(0)
        first = list(make(seed=0))
        torch.manual_seed(1)
        state = torch.get_rng_state()
        assert list(make(seed=0)) == first
        assert torch.equal(torch.get_rng_state(), state)

    def test_yields_as_many_python_integers_as_it_says(self, make):
        sampler = make(seed=0)
        drawn = list(sampler)
        assert len(drawn) == len(sampler)
        assert {type(index) for index in drawn} == {int}
        assert set(drawn) <= set(range(len(LABELS)))

    def test_shares_of_two_processes_make_up_the_list(self, make):
        ranks = [make(seed=7), make(seed=7)]
        for rank in ranks:
            rank.set_epoch(2)
        shares = [list(rank)[i::2] for i, rank in enumerate(ranks)]
        alone = make(seed=7)
        alone.set_epoch(2)
        together = [None] * len(alone)
        together[0::2], together[1::2] = shares
        assert together == list(alone)

    @pytest.mark.parametrize("epoch", [0, 3])
    def test_batches_of_two_processes_make_up_those_of_one(self, make, epoch: int):
        size = getattr(make(), "batch_size", 8)
        whole = EpochDraws(make(), size)
        ranks = [EpochDraws(make(), size, num_replicas=2, rank=rank) for rank in range(2)]
        for draws in (whole, *ranks):
            draws.set_epoch(epoch)
        expected, shares = list(whole), [list(rank) for rank in ranks]
        assert len(expected) == len(make()) // size * size
        assert {len(share) for share in shares} == {len(expected) // 2}
        half = size // 2
        for k in range(len(expected) // size):
            together = [draw for share in shares for draw in share[k * half : (k + 1) * half]]
            assert sorted(together) == sorted(expected[k * size : (k + 1) * size])

    def test_seed_of_the_run(self, make, monkeypatch):
        monkeypatch.setenv("PL_GLOBAL_SEED", "42")
        sampler = make()
        monkeypatch.setenv("PL_GLOBAL_SEED", "43")
        assert list(sampler) == list(make(seed=42)) != list(make())
        monkeypatch.delenv("PL_GLOBAL_SEED")
        assert run_seed() == 0
        assert list(make()) == list(make(seed=0))


@pytest.mark.parametrize("sampler_class", [DeferredBalance, ProgressiveBalance])
@pytest.mark.parametrize("max_epochs", [None, -1])
def test_number_of_epochs_has_to_be_known(sampler_class: type[EpochSampler], max_epochs: int | None):
    sampler = sampler_class(LABELS)
    assert sampler.max_epochs is None
    sampler.max_epochs = max_epochs
    assert len(sampler) == 32
    name = sampler_class.__name__
    with pytest.raises(ValueError, match=f"{name} needs to know the number of epochs, but max_epochs is {max_epochs}"):
        list(sampler)


@pytest.mark.parametrize(
    "sampler_class",
    [
        ClassPower,
        OversampleToMax,
        Reversed,
        DeferredBalance,
        ProgressiveBalance,
        ClassBlocks,
        partial(GroupBalanced, groups=GROUPS),
        partial(PKBatches, classes=1, samples=1),
    ],
)
class TestRefusedLabels:
    def test_empty(self, sampler_class):
        with pytest.raises(ValueError, match="no image to draw from"):
            sampler_class(torch.tensor([], dtype=torch.long))

    @pytest.mark.parametrize("labels", [torch.tensor([0.0, 1.0]), torch.tensor([[0, 1]])])
    def test_not_a_vector_of_integers(self, sampler_class, labels: Tensor):
        with pytest.raises(ValueError, match="vector of integers"):
            sampler_class(labels)
