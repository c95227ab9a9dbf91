"""What an epoch draws."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from sampler_draws import draw

from lightning_imbal.data.loading import epoch_draws
from lightning_imbal.data.loading.epoch_draws import EpochDraws
from lightning_imbal.data.loading.image_dataset import ImageDataset, PairedImages
from lightning_imbal.data.loading.loaders import image_loader
from lightning_imbal.data.recipes import ImageNetCrop, ShiftCrop, Squash
from lightning_imbal.data.sets.isic import ISIC2018
from lightning_imbal.samplers import ClassPower, OversampleToMax


class Counting(ShiftCrop):
    """Knows how often it was asked for a picture."""

    calls = 0

    def __call__(self, **picture):
        self.calls += 1
        return super().__call__(**picture)


@pytest.mark.parametrize("recipe", [ImageNetCrop, ShiftCrop, Squash])
def test_recipe_is_drawn_from_the_seed_alone(recipe):
    picture = np.random.default_rng(0).integers(0, 256, (18, 24, 3), dtype=np.uint8)
    dataset = ImageDataset([picture], np.array([2]), np.array([0]), [recipe(16)])
    first, other = dataset[0, 5]["image"], dataset[0, 6]["image"]
    assert first.shape == (3, 16, 16) and first.dtype == torch.uint8
    assert torch.equal(dataset[0, 5]["image"], first)
    assert torch.equal(first, other) == (recipe is Squash)


def test_a_pair_is_an_item_in_an_item():
    pictures = np.random.default_rng(0).integers(0, 256, (4, 18, 24, 3), dtype=np.uint8)
    dataset = ImageDataset(pictures, np.arange(4), np.array([3, 1, 2]), [ShiftCrop(16)])
    pair = PairedImages(dataset)[(0, 5), (2, 6)]
    assert (pair["index"], pair["label"], pair["other"]["index"], pair["other"]["label"]) == (3, 3, 2, 2)
    assert torch.equal(pair["image"], dataset[0, 5]["image"])
    assert torch.equal(pair["other"]["image"], dataset[2, 6]["image"])
    assert len(PairedImages(dataset)) == 3


def test_the_second_of_a_pair_is_seen_once_by_the_first_recipe():
    pictures = np.random.default_rng(0).integers(0, 256, (4, 18, 24, 3), dtype=np.uint8)
    first, further = Counting(16), Counting(16)

    def part(*recipes):
        return ImageDataset(pictures, np.arange(4), np.array([3, 1, 2]), recipes)

    pair = PairedImages(part(first, first, further))[(0, 5), (2, 6)]
    assert (first.calls, further.calls) == (3, 1)
    assert torch.equal(pair["image"], part(first, first, further)[0, 5]["image"])
    assert torch.equal(pair["other"]["image"], part(first)[2, 6]["image"])


class TestEpochDraws:
    labels = torch.tensor([0] * 21 + [1] * 9)

    @pytest.mark.parametrize("sampler", [ClassPower, OversampleToMax])
    @pytest.mark.parametrize("replicas", [2, 4])
    def test_ranks_together_draw_the_batches_of_one_process(self, sampler, replicas):
        whole = EpochDraws(sampler(self.labels), 8)
        ranks = [EpochDraws(sampler(self.labels), 8, replicas, rank) for rank in range(replicas)]
        for draws in (whole, *ranks):
            draws.set_epoch(3)
        expected, shares = list(whole), [list(rank) for rank in ranks]
        assert len(expected) == len(sampler(self.labels)) // 8 * 8
        assert {len(share) for share in shares} == {len(expected) // replicas}
        size = 8 // replicas
        for k in range(len(expected) // 8):
            together = [draw for share in shares for draw in share[k * size : (k + 1) * size]]
            assert sorted(together) == sorted(expected[k * 8 : (k + 1) * 8])

    @pytest.mark.parametrize("replicas, length", [(1, 24), (2, 12), (4, 6)])
    def test_length_is_that_of_whole_batches(self, replicas, length):
        draws = EpochDraws(ClassPower(self.labels), 8, replicas, rank=replicas - 1)
        assert len(draws) == len(list(draws)) == length

    @pytest.mark.parametrize("replicas, length", [(1, 5), (2, 2)])
    def test_list_shorter_than_a_batch_is_one_batch(self, replicas, length):
        draws = EpochDraws(ClassPower(torch.zeros(5, dtype=torch.long)), 8, replicas)
        assert len(draws) == len(list(draws)) == length

    @pytest.mark.parametrize(("devices", "said"), {1: "", 2: "2 devices cannot share: 1 of them left out"}.items())
    def test_what_devices_cannot_share_of_a_short_list_is_said(self, devices, said, monkeypatch):
        told = []
        monkeypatch.setattr(epoch_draws, "rank_zero_info", told.append)
        EpochDraws(ClassPower(torch.zeros(5, dtype=torch.long)), 8, devices)
        assert [said in line for line in told] == [True] * bool(said)

    def test_seeds_differ_within_an_epoch_and_between_epochs(self):
        draws = EpochDraws(ClassPower(self.labels), 10)
        first = list(draws)
        draws.set_epoch(1)
        assert len({seed for _, seed in first + list(draws)}) == 60

    def test_in_a_plain_loader_each_pass_draws_the_next_epoch(self):
        draws = EpochDraws(ClassPower(self.labels), 10)
        passes = [list(draws) for _ in range(3)]
        for epoch, drawn in enumerate(passes):
            draws.set_epoch(epoch)
            assert list(draws) == drawn

    @pytest.mark.parametrize("replicas", [1, 2])
    def test_pairs_are_those_of_one_process(self, replicas):
        samplers = [ClassPower(self.labels, q=0.0), ClassPower(self.labels, q=0.0, length=20)]
        samplers[1].stream = 1
        whole = EpochDraws(samplers[0], 8, paired=samplers[1])
        own = [deepcopy(samplers) for _ in range(replicas)]
        ranks = [EpochDraws(one, 8, replicas, rank, two) for rank, (one, two) in enumerate(own)]
        for draws in (whole, *ranks):
            draws.set_epoch(2)
        expected = list(whole)
        assert len(expected) == len(whole) == 16, "whole batches of the shorter list"
        assert [draw for together in zip(*ranks, strict=True) for draw in together] == expected
        first, second = zip(*expected, strict=True)
        assert len({seed for _, seed in first + second}) == 32
        alone = [draw(sampler, 2).tolist()[:16] for sampler in samplers]
        assert [[place for place, _ in draws] for draws in (first, second)] == alone
        assert alone[0] != alone[1], "equal seeds must not pair an image with itself"

    def test_seed_of_the_run_decides(self, monkeypatch):
        first = list(EpochDraws(ClassPower(self.labels), 10))
        assert list(EpochDraws(ClassPower(self.labels), 10)) == first
        monkeypatch.setenv("PL_GLOBAL_SEED", "1")
        assert list(EpochDraws(ClassPower(self.labels), 10)) != first


def epoch(loader, number):
    loader.sampler.set_epoch(number)
    batches = list(loader)
    return {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}


class TestLoadedEpoch:
    @pytest.fixture
    def make_loader(self, isic_root):
        def make(num_workers=0):
            data = ISIC2018(
                isic_root, image_size=16, batch_size=10, train_transform=ImageNetCrop, num_workers=num_workers
            )
            return data.train_dataloader()

        return make

    def test_workers_change_nothing(self, make_loader):
        alone, shared = make_loader(), make_loader(num_workers=2)
        for number in (0, 1):
            expected, batches = epoch(alone, number), epoch(shared, number)
            assert all(torch.equal(batches[name], expected[name]) for name in ("image", "label", "index"))

    def test_an_epoch_can_be_repeated(self, make_loader):
        loader = make_loader()
        first = epoch(loader, 0)
        epoch(loader, 1)
        for again in (epoch(loader, 0), epoch(make_loader(), 0)):
            assert all(torch.equal(again[name], first[name]) for name in first)

    def test_each_epoch_augments_anew(self, make_loader):
        loader = make_loader()
        first, second = epoch(loader, 0), epoch(loader, 1)
        assert not torch.equal(first["index"], second["index"])
        image_in_second = dict(zip(second["index"].tolist(), second["image"], strict=True))
        pairs = [
            (image, image_in_second[index])
            for image, index in zip(first["image"], first["index"].tolist(), strict=True)
            if index in image_in_second
        ]
        assert len(pairs) > 20
        assert not any(torch.equal(before, after) for before, after in pairs)


@pytest.mark.parametrize(("taken", "left"), [(0, [8, 8, 8]), (2, [8]), (3, [8, 8, 8])])
def test_a_loader_goes_on_after_the_batches_that_were_taken(taken, left):
    """After a whole epoch the next one is whole."""
    data = ImageDataset(np.zeros((30, 32, 32, 3), np.uint8), np.zeros(30, int), np.arange(30), [Squash(32)])
    loader = image_loader(data, 8, 0, sampler=EpochDraws(ClassPower(torch.zeros(30, dtype=torch.long)), 8))
    whole = [batch["index"].tolist() for batch in loader]
    loader.sampler.set_epoch(0)
    loader.load_state_dict({"batches": taken})
    assert [len(batch["index"]) for batch in loader] == left
    loader.sampler.set_epoch(0)
    loader.load_state_dict({"batches": taken})
    assert [batch["index"].tolist() for batch in loader] == whole[taken % 3 :] and loader.state_dict() == {"batches": 3}
