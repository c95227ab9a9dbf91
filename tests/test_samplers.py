import pytest
import torch
from torch import Tensor

from lightning_imbal.samplers import ClassPower, OversampleToMax, epoch_generator, run_seed

# Labels in no order and no image of class 1.
LABELS = torch.tensor([0] * 17 + [2] * 5 + [3] * 10)[torch.randperm(32, generator=torch.Generator().manual_seed(0))]
SIZES = {0: 17, 2: 5, 3: 10}
SAMPLERS = [
    lambda seed=None: ClassPower(LABELS, seed=seed),
    lambda seed=None: ClassPower(LABELS, q=0.5, seed=seed),
    lambda seed=None: ClassPower(LABELS, length=100, seed=seed),
    lambda seed=None: OversampleToMax(LABELS, seed=seed),
]


def frequencies(values: Tensor, length: int) -> Tensor:
    return torch.bincount(values, minlength=length) / len(values)


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
        with pytest.raises(ValueError, match="length must be at least 1"):
            ClassPower(LABELS, q=q, length=0)


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


@pytest.mark.parametrize("sampler_class", [ClassPower, OversampleToMax])
class TestRefusedLabels:
    def test_empty(self, sampler_class):
        with pytest.raises(ValueError, match="no image to draw from"):
            sampler_class(torch.tensor([], dtype=torch.long))

    @pytest.mark.parametrize("labels", [torch.tensor([0.0, 1.0]), torch.tensor([[0, 1]])])
    def test_not_a_vector_of_integers(self, sampler_class, labels: Tensor):
        with pytest.raises(ValueError, match="vector of integers"):
            sampler_class(labels)


def test_epoch_generator_depends_on_both_numbers():
    pairs = [(0, 0), (0, 1), (1, 0), (2, 1), (1, 2), (2**32 - 1, 1000)]
    assert len({epoch_generator(*pair).initial_seed() for pair in pairs}) == len(pairs)
    assert epoch_generator(1, 2).initial_seed() == epoch_generator(1, 2).initial_seed()
