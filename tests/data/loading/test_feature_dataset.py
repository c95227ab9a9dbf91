"""Every version of a picture has an augmentation of its own, whatever the number of devices."""

import albumentations as A
import numpy as np
import torch
from small_runs import digits

from lightning_imbal.data.loading.feature_dataset import FeatureDataset


class Images:
    """Three pictures of four."""

    label, rows = np.array([5, 6, 7, 8]), np.array([3, 1, 0])

    def __len__(self):
        return 3


def test_versions_and_devices():
    whole = FeatureDataset(Images(), None, None, views=2)
    first, second = whole.draws(0), whole.draws(1)
    assert [place for place, _ in first] == [place for place, _ in second] == [0, 1, 2]
    assert not {seed for _, seed in first} & {seed for _, seed in second}
    halves = [FeatureDataset(Images(), None, None, 2, 2, rank).draws(1) for rank in (0, 1)]
    assert halves == [[second[0], second[2]], [second[1], second[0]]]


def test_a_draw_chooses_picture_and_version():
    def encode(draws):
        return torch.tensor([[float(place), float(seed % 1000)] for place, seed in draws])

    stored = FeatureDataset(Images(), encode, lambda images, draws: draws, views=2)
    [batch] = stored.batches(torch.tensor([2, 0]), torch.tensor([4, 7]), 3)
    assert batch["index"].tolist() == [0, 3] and batch["label"].tolist() == [5, 8]
    versions = [[seed % 1000 for _, seed in stored.draws(view)] for view in range(2)]
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
