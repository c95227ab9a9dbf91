from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from lightning_imbal.data.loading.epoch_draws import EpochDraws
from lightning_imbal.samplers import (
    ClassPower,
    DeferredBalance,
    EpochSampler,
    OversampleToMax,
    ProgressiveBalance,
    Reversed,
)
from lightning_imbal.samplers.class_blocks import ClassBlocks
from lightning_imbal.samplers.pk_batches import PKBatches
from lightning_imbal.seeding import epoch_generator, run_seed

# Labels in no order and no image of class 1.
LABELS = torch.tensor([0] * 17 + [2] * 5 + [3] * 10)[torch.randperm(32, generator=torch.Generator().manual_seed(0))]
SIZES = {0: 17, 2: 5, 3: 10}


def deferred(max_epochs: int = 5, start: float = 0.4, seed: int | None = None) -> DeferredBalance:
    sampler = DeferredBalance(LABELS, start, seed)
    sampler.max_epochs = max_epochs
    return sampler


def progressive(max_epochs: int = 5, seed: int | None = None) -> ProgressiveBalance:
    sampler = ProgressiveBalance(LABELS, seed)
    sampler.max_epochs = max_epochs
    return sampler


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
    lambda seed=None: PKBatches(LABELS, classes=2, samples=4, seed=seed),
    lambda seed=None: PKBatches(LABELS, classes=3, samples=6, length=100, seed=seed),
]


def frequencies(values: Tensor, length: int) -> Tensor:
    return torch.bincount(values, minlength=length) / len(values)


def draw(sampler: EpochSampler, epoch: int) -> Tensor:
    sampler.set_epoch(epoch)
    return torch.tensor(list(sampler))


@pytest.mark.parametrize("make", SAMPLERS)
class TestEveryEpochSampler:
    def test_same_seed_and_epoch_draw_the_same(self, make):
        sampler = make(seed=3)
        first = list(sampler)
        assert list(sampler) == first
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
        assert list(second) == list(third)

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


class TestClassPower:
    def test_instance_sampling_is_a_permutation(self):
        sampler = ClassPower(LABELS, seed=0)
        assert list(sampler) != list(range(32))
        assert sorted(sampler) == list(range(32))
        assert sorted(ClassPower(LABELS, length=32, seed=0)) == list(range(32))

    @pytest.mark.parametrize("q", [0.0, 0.5, 1.0, -1.0])
    def test_frequencies(self, q: float):
        drawn = torch.tensor(list(ClassPower(LABELS, q=q, length=200_000, seed=0)))
        power = torch.tensor([SIZES[c] ** q if c in SIZES else 0.0 for c in range(4)])
        expected = power / power.sum()
        torch.testing.assert_close(frequencies(LABELS[drawn], 4), expected, rtol=0, atol=0.01)
        sizes = torch.bincount(LABELS)
        torch.testing.assert_close(frequencies(drawn, 32), (expected / sizes)[LABELS], rtol=0, atol=0.003)

    def test_empty_class_takes_no_share(self):
        drawn = LABELS[list(ClassPower(LABELS, q=0, length=200_000, seed=0))]
        assert drawn.unique().tolist() == [0, 2, 3]

    @pytest.mark.parametrize("q", [0.0, 1.0])
    def test_length(self, q: float):
        assert len(list(ClassPower(LABELS, q=q))) == 32
        assert len(list(ClassPower(LABELS, q=q, length=7))) == 7
        assert len(list(ClassPower(LABELS, q=q, length="max"))) == 17 * 3
        with pytest.raises(ValueError, match="length must be at least 1"):
            ClassPower(LABELS, q=q, length=0)

    def test_balanced_labels_of_length_max_are_shuffled(self):
        assert sorted(ClassPower(torch.tensor([1, 0, 1, 0]), length="max")) == [0, 1, 2, 3]


class TestReversed:
    def test_frequencies(self):
        drawn = torch.tensor(list(Reversed(LABELS, length=200_000, seed=0)))
        ratio = torch.tensor([17 / SIZES[c] if c in SIZES else 0.0 for c in range(4)])
        expected = ratio / ratio.sum()
        torch.testing.assert_close(frequencies(LABELS[drawn], 4), expected, rtol=0, atol=0.01)
        torch.testing.assert_close(
            frequencies(drawn, 32), (expected / torch.bincount(LABELS))[LABELS], rtol=0, atol=0.003
        )

    def test_length(self):
        assert len(list(Reversed(LABELS))) == 32
        assert len(list(Reversed(LABELS, length="max"))) == 17 * 3
        with pytest.raises(ValueError, match="length must be at least 1"):
            Reversed(LABELS, length=0)


class TestDeferredBalance:
    @pytest.mark.parametrize("max_epochs, start, switch", [(10, 0.8, 8), (7, 0.8, 6), (3, 0.0, 0), (3, 1.0, 3)])
    def test_switches_at_the_stated_epoch(self, max_epochs: int, start: float, switch: int):
        sampler = deferred(max_epochs, start, seed=0)
        for epoch in range(max_epochs):
            twin = ClassPower(LABELS, q=0 if epoch >= switch else 1, seed=0)
            drawn = draw(sampler, epoch)
            assert torch.equal(drawn, draw(twin, epoch))
            assert (drawn.unique().numel() == 32) == (epoch < switch)

    def test_frequencies_after_the_switch(self):
        sampler = deferred(max_epochs=1000, start=0.0, seed=0)
        drawn = LABELS[torch.cat([draw(sampler, epoch) for epoch in range(1000)])]
        torch.testing.assert_close(frequencies(drawn, 4), torch.tensor([1, 0, 1, 1]) / 3, rtol=0, atol=0.01)

    @pytest.mark.parametrize("start", [-0.1, 1.1])
    def test_start_is_a_fraction(self, start: float):
        with pytest.raises(ValueError, match="start must be in 0..1"):
            DeferredBalance(LABELS, start)


class TestProgressiveBalance:
    @pytest.mark.parametrize("max_epochs", [1, 2, 5])
    def test_frequencies(self, max_epochs: int):
        for epoch in range(max_epochs):
            t = epoch / (max_epochs - 1) if max_epochs > 1 else 0.0
            expected = torch.tensor([(1 - t) * SIZES[c] / 32 + t / 3 if c in SIZES else 0.0 for c in range(4)])
            drawn = []
            for seed in range(1000):
                sampler = progressive(max_epochs, seed)
                drawn.append(draw(sampler, epoch))
            drawn = torch.cat(drawn)
            torch.testing.assert_close(frequencies(LABELS[drawn], 4), expected, rtol=0, atol=0.01)
            of_image = (expected / torch.bincount(LABELS))[LABELS]
            torch.testing.assert_close(frequencies(drawn, 32), of_image, rtol=0, atol=0.005)

    def test_by_hand(self):
        # Half way the probabilities of the classes are (17/32 + 1/3) / 2, (5/32 + 1/3) / 2 and (10/32 + 1/3) / 2.
        drawn = torch.cat([LABELS[draw(progressive(3, seed), 1)] for seed in range(2000)])
        found = frequencies(drawn, 4)[[0, 2, 3]]
        torch.testing.assert_close(found, torch.tensor([83, 47, 62]) / 192, rtol=0, atol=0.01)

    def test_draws_with_replacement(self):
        assert len(progressive()) == 32
        assert draw(progressive(), 0).unique().numel() < 32

    def test_stays_balanced_after_the_last_epoch(self):
        drawn = torch.cat([LABELS[draw(progressive(2, seed), 5)] for seed in range(1000)])
        torch.testing.assert_close(frequencies(drawn, 4), torch.tensor([1, 0, 1, 1]) / 3, rtol=0, atol=0.01)


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


class TestOversampleToMax:
    def test_every_class_is_as_large_as_the_largest(self):
        for epoch in range(3):
            sampler = OversampleToMax(LABELS, seed=0)
            sampler.set_epoch(epoch)
            assert len(sampler) == 17 * 3
            assert torch.bincount(LABELS[list(sampler)]).tolist() == [17, 0, 17, 17]

    def test_images_are_repeated_evenly(self):
        sampler = OversampleToMax(LABELS, seed=0)
        twice_of_class_3 = set()
        for epoch in range(5):
            sampler.set_epoch(epoch)
            repeats = torch.bincount(torch.tensor(list(sampler)), minlength=32)
            assert repeats[LABELS == 0].tolist() == [1] * 17
            assert sorted(repeats[LABELS == 2].tolist()) == [3, 3, 3, 4, 4]
            assert sorted(repeats[LABELS == 3].tolist()) == [1] * 3 + [2] * 7
            twice_of_class_3.add(tuple(((LABELS == 3) & (repeats == 2)).nonzero().flatten().tolist()))
        assert len(twice_of_class_3) > 1

    def test_classes_are_mixed(self):
        drawn = LABELS[list(OversampleToMax(LABELS, seed=0))]
        assert (drawn[1:] != drawn[:-1]).sum() > 17

    def test_balanced_labels_give_a_permutation(self):
        assert sorted(OversampleToMax(torch.tensor([1, 0, 1, 0]), seed=0)) == [0, 1, 2, 3]


class TestClassBlocks:
    def test_each_cycle_visits_each_class_once(self):
        sampler = ClassBlocks(LABELS, length=12 * 20, seed=0)
        label = LABELS[draw(sampler, 0)].view(20, 3, 4)
        assert torch.equal(label, label[:, :, :1].expand(-1, -1, 4))
        assert label[:, :, 0].sort(dim=1).values.unique(dim=0).tolist() == [[0, 2, 3]]
        assert label[:, :, 0].unique(dim=0).shape == (6, 3)

    @pytest.mark.parametrize("per_class", [1, 4, 7])
    def test_images_come_again_only_when_the_class_is_used_up(self, per_class: int):
        drawn = draw(ClassBlocks(LABELS, per_class, length=500, seed=0), 0)
        for label, size in SIZES.items():
            of_class = drawn[LABELS[drawn] == label]
            assert of_class[:size].unique().numel() == size
            assert torch.equal(of_class[size:], of_class[:-size])

    def test_epochs_shuffle_anew(self):
        sampler = ClassBlocks(LABELS, seed=0)
        orders = set()
        for epoch in range(5):
            drawn = draw(sampler, epoch)
            orders.add(tuple(drawn[LABELS[drawn] == 2][:5].tolist()))
        assert len(orders) > 1

    def test_length(self):
        assert len(list(ClassBlocks(LABELS))) == 17 * 3
        assert len(list(ClassBlocks(LABELS, length=None))) == 32
        assert len(list(ClassBlocks(LABELS, length=7))) == 7
        with pytest.raises(ValueError, match="length must be at least 1"):
            ClassBlocks(LABELS, length=0)
        with pytest.raises(ValueError, match="per_class must be at least 1"):
            ClassBlocks(LABELS, per_class=0)


class TestPKBatches:
    @pytest.mark.parametrize("classes, samples", [(1, 3), (2, 5), (3, 4), (3, 12)])
    def test_batches(self, classes: int, samples: int):
        sampler = PKBatches(LABELS, classes, samples, length=1000, seed=0)
        assert sampler.batch_size == classes * samples
        for batch in draw(sampler, 0).split(sampler.batch_size):
            drawn_classes = LABELS[batch].unique()
            assert len(drawn_classes) == classes
            for label in drawn_classes.tolist():
                repeats = batch[LABELS[batch] == label].unique(return_counts=True)[1]
                assert repeats.sum() == samples
                assert len(repeats) == min(samples, SIZES[label])
                assert repeats.max() - repeats.min() <= 1

    def test_classes_are_chosen_uniformly(self):
        drawn = draw(PKBatches(LABELS, classes=2, samples=1, length=100_000, seed=0), 0)
        pairs = LABELS[drawn].view(-1, 2)
        torch.testing.assert_close(frequencies(pairs[:, 0], 4), torch.tensor([1, 0, 1, 1]) / 3, rtol=0, atol=0.01)
        of_pair = frequencies(pairs[:, 0] * 4 + pairs[:, 1], 16)
        torch.testing.assert_close(of_pair[of_pair > 0], torch.ones(6) / 6, rtol=0, atol=0.01)

    def test_images_come_again_only_when_the_class_is_used_up(self):
        drawn = draw(PKBatches(LABELS, classes=2, samples=4, length=400, seed=0), 0)
        for label, size in SIZES.items():
            of_class = drawn[LABELS[drawn] == label]
            assert of_class[:size].unique().numel() == size
            assert torch.equal(of_class[size:], of_class[:-size])

    def test_all_images_are_used_over_the_epochs(self):
        sampler = PKBatches(LABELS, classes=2, samples=4, seed=0)
        assert torch.cat([draw(sampler, epoch) for epoch in range(20)]).unique().numel() == 32

    def test_length_is_that_of_whole_batches(self):
        assert len(list(PKBatches(LABELS, 2, 5))) == 30
        assert len(list(PKBatches(LABELS, 2, 5, length=49))) == 40
        assert len(list(PKBatches(LABELS, 3, 12))) == 36
        with pytest.raises(ValueError, match="length must be at least 1"):
            PKBatches(LABELS, 2, 5, length=0)

    def test_refused_batches(self):
        with pytest.raises(ValueError, match="cannot have 4 classes, for only 3 have images"):
            PKBatches(LABELS, classes=4, samples=2)
        for classes, samples in [(0, 2), (2, 0)]:
            with pytest.raises(ValueError, match=f"must be at least 1, but are {classes} and {samples}"):
                PKBatches(LABELS, classes, samples)


@pytest.mark.parametrize(
    "sampler_class",
    [
        ClassPower,
        OversampleToMax,
        Reversed,
        DeferredBalance,
        ProgressiveBalance,
        ClassBlocks,
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


def test_epoch_generator_depends_on_all_numbers():
    pairs = [(0, 0), (0, 1), (1, 0), (2, 1), (1, 2), (2**32 - 1, 1000)]
    numbers = [(*pair, stream) for pair in pairs for stream in (0, 1, 2)]
    assert len({epoch_generator(*each).initial_seed() for each in numbers}) == len(numbers)
    assert epoch_generator(1, 2, 3).initial_seed() == epoch_generator(1, 2, 3).initial_seed()


@pytest.mark.parametrize("seed, epoch", [(0, 0), (1, 2), (2**32 - 1, 1000)])
def test_first_stream_hashes_seed_and_epoch_alone(seed: int, epoch: int):
    state = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0]
    assert epoch_generator(seed, epoch).initial_seed() == int(state) & (2**63 - 1)
