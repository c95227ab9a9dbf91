"""Every version of a picture has an augmentation of its own, whatever the number of devices."""

from functools import partial

import albumentations as A
import numpy as np
import pytest
import torch
from small_runs import digits

from lightning_imbal.data.loading.epoch_draws import EpochDraws
from lightning_imbal.data.loading.feature_dataset import FeatureDataset, draws_of_view, encoded
from lightning_imbal.data.loading.loaders import image_loader
from lightning_imbal.samplers import ClassPower


class Images:
    """Three pictures of four, or others."""

    def __init__(self, label=(5, 6, 7, 8), rows=(3, 1, 0)):
        self.label, self.rows = np.array(label), np.array(rows)

    def __len__(self):
        return len(self.rows)


def test_versions_and_devices():
    first, second = draws_of_view(3, 0), draws_of_view(3, 1)
    assert [place for place, _ in first] == [place for place, _ in second] == [0, 1, 2]
    assert not {seed for _, seed in first} & {seed for _, seed in second}
    halves = [draws_of_view(3, 1, 2, rank) for rank in (0, 1)]
    assert halves == [[second[0], second[2]], [second[1], second[0]]]


def test_a_draw_chooses_picture_and_version():
    def encode(draws):
        return torch.tensor([[float(place), float(seed % 1000)] for place, seed in draws])

    stored = FeatureDataset(Images(), lambda: encoded(Images(), encode, lambda _, draws: draws, views=2), views=2)
    [batch] = stored.batches(torch.tensor([2, 0]), torch.tensor([4, 7]), 3)
    assert batch["index"].tolist() == [0, 3] and batch["label"].tolist() == [5, 8]
    versions = [[seed % 1000 for _, seed in draws_of_view(3, view)] for view in range(2)]
    assert batch["feature"].tolist() == [[2.0, versions[0][2]], [0.0, versions[1][0]]]


def inverted(size):
    """A training recipe that changes every pixel much."""
    return A.Compose([A.Resize(size, size), A.InvertImg(p=1.0)])


def test_only_the_training_part_is_stored_by_the_training_recipe():
    data = digits(train_transform=inverted)
    data.store_features(lambda loader: torch.cat([batch["image"].float().mean(dim=(1, 2, 3)) for batch in loader]), 2)
    plain = {
        part: torch.tensor([data.images[row].mean() for row in data.rows(part)]).float() for part in ("train", "val")
    }
    assert plain["val"].max() < 100, "an inverted picture is brighter"
    torch.testing.assert_close(data.stored["val"].feature, plain["val"][:, None], rtol=0, atol=0.5)
    torch.testing.assert_close(
        data.stored["train"].feature, 255 - plain["train"][:, None].expand(-1, 2), rtol=0, atol=0.5
    )


def one_by_one(stored, draws):
    """A batch of draws, picture by picture."""
    return {
        "feature": torch.stack([stored.feature[place, seed % stored.views] for place, seed in draws]),
        "label": torch.stack([stored.label[place] for place, _ in draws]),
        "index": torch.tensor([stored.images.rows[place] for place, _ in draws]),
    }


def made(number=30, views=3, **where):
    """Stored features of 30 pictures, whose rows are every second one of a table."""
    images = Images(np.arange(2 * number) % 5, np.arange(number) * 2)
    stored = FeatureDataset(images, None, views, **where)
    stored.feature = torch.rand(number, views, 4, generator=torch.Generator().manual_seed(0))
    return stored


class Own(torch.utils.data.Sampler):
    """A sampler of the user's: every third picture, as NumPy counts."""

    def __iter__(self):
        return iter(np.arange(0, 30, 3))

    def __len__(self):
        return 10


@pytest.mark.parametrize("sampler", [ClassPower, partial(ClassPower, q=0.0), lambda labels: Own()])
@pytest.mark.parametrize(("devices", "taken"), [(1, 0), (1, 1), (2, 0), (2, 1)])
def test_batches_are_those_of_single_draws(sampler, devices, taken):
    """In every epoch, of every device, also from the batch on after which a training broke off."""
    labels = torch.arange(30) // 6
    for rank in range(devices):
        stored = made()
        loader = image_loader(stored, 4, 0, devices, EpochDraws(sampler(labels), 4, devices, rank))
        single = EpochDraws(sampler(labels), 4, devices, rank)
        for epoch in (0, 3):
            loader.sampler.set_epoch(epoch)
            single.set_epoch(epoch)
            loader.load_state_dict({"batches": taken})
            draws, size = list(single)[taken * 4 // devices :], 4 // devices
            batches = list(loader)
            assert len(batches) == len(loader) - taken == len(draws) // size > 0
            assert loader.state_dict() == {"batches": len(loader)}
            for number, batch in enumerate(batches):
                expected = one_by_one(stored, draws[number * size : (number + 1) * size])
                assert all(torch.equal(batch[name], expected[name]) for name in expected)


def test_without_a_sampler_every_picture_comes_once_in_its_first_version():
    stored = made()
    batches = list(image_loader(stored, 8, 0))
    assert [len(batch["label"]) for batch in batches] == [8, 8, 8, 6]
    assert torch.equal(torch.cat([batch["feature"] for batch in batches]), stored.feature[:, 0])
    assert torch.cat([batch["index"] for batch in batches]).tolist() == list(range(0, 60, 2))


def test_what_fills_a_gpu_stays_in_memory(monkeypatch):
    stored = made(device=torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2 * stored.feature.nbytes - 1, 0))
    assert stored.on_device[0].device.type == "cpu"


def test_one_version_in_memory_is_not_copied():
    feature = torch.rand(3, 4)
    stored = FeatureDataset(Images(), lambda: encoded(Images(), lambda _: feature, lambda _, draws: draws))
    assert stored.on_device[0].data_ptr() == feature.data_ptr()
