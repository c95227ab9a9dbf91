"""Pictures are normalised by hand, and with them what a batch holds beside them."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from lightning_imbal.data.normalize import Normalize


def test_a_batch_and_its_second_images():
    normalize = Normalize((0.5, 0.0, 0.25), (0.5, 1.0, 0.25))
    image = torch.tensor([255, 255, 51], dtype=torch.uint8).view(1, 3, 1, 1)
    expected = torch.tensor([1.0, 1.0, -0.2]).view(1, 3, 1, 1)
    batch = normalize.batch({"image": image, "label": 1, "other": {"image": image, "label": 0}}, torch.float32)
    torch.testing.assert_close(batch["image"], expected)
    torch.testing.assert_close(batch["other"]["image"], expected)
    assert (batch["label"], batch["other"]["label"]) == (1, 0)


def test_colours_that_are_left_to_the_device_change_before():
    image = torch.tensor([200, 100, 60], dtype=torch.uint8).view(1, 1, 3, 1, 1)
    colour = torch.tensor([[0.5, 0, 0, 51], [1, 1, 0, 0], [0, 0, 1, -70.0]]).view(1, 1, 3, 4)
    expected = torch.tensor([151 / 255, 1, 0]).view(1, 1, 3, 1, 1)  # 300 is white, -10 black
    of_shares = colour / torch.tensor([1, 1, 1, 255])
    for pixels, matrix in ((image, colour), (image / 255, of_shares), (image, colour.bfloat16())):
        batch = Normalize((0, 0, 0), (1, 1, 1)).batch({"image": pixels, "colour": matrix}, torch.float32)
        torch.testing.assert_close(batch["image"], expected)
        assert batch.keys() == {"image"}


def test_features_stay_as_they_are():
    batch = {"feature": torch.ones(2, 3), "label": torch.zeros(2)}
    assert Normalize().batch(batch, torch.float32).keys() == batch.keys()


class Copied(TorchDispatchMode):
    """Notes the shapes of what is copied to another device or type."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten._to_copy.default:
            self.shapes.append(tuple(args[0].shape))
        return func(*args, **(kwargs or {}))


def test_mean_and_deviation_go_to_a_device_once():
    """A copy from the CPU at each step would wait for a GPU; torch's device without numbers stands for one here."""
    normalize, image = Normalize(), torch.zeros(2, 3, 4, 4, dtype=torch.uint8, device="meta")
    normalize(image)
    with Copied() as copied:
        assert normalize(image).device.type == "meta"
    assert copied.shapes == [(2, 3, 4, 4)], "the picture alone, to floats"
