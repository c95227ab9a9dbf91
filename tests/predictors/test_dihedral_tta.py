"""The eight views of an image against a slow oracle; a turned image gets the same answer."""

import math

import numpy as np
import pytest
import torch
from predictor_oracles import COUNTS, random_image, small_network
from torch import Tensor, nn

from lightning_imbal.errors import UserError
from lightning_imbal.predictors import DihedralTTA
from lightning_imbal.predictors.dihedral_tta import dihedral_views


class Corner(nn.Module):
    """A network whose logits are the upper left pixel, and 0."""

    def forward(self, image: Tensor) -> Tensor:
        pixel = image[:, :1, 0, 0]
        return torch.cat([pixel, torch.zeros_like(pixel)], dim=1)


def turned_by_hand(single: np.ndarray) -> list[np.ndarray]:
    """The symmetries of the square, each as a map of rows and columns."""
    side = single.shape[-1] - 1
    maps = [lambda r, c: (r, c), lambda r, c: (c, side - r), lambda r, c: (side - r, side - c)]
    maps += [lambda r, c: (side - c, r), lambda r, c: (r, side - c), lambda r, c: (side - r, c)]
    maps += [lambda r, c: (c, r), lambda r, c: (side - c, side - r)]
    rows, columns = np.indices(single.shape[1:])
    return [single[:, *turn(rows, columns)] for turn in maps]


def test_views_are_the_symmetries_of_the_square():
    image = random_image(1, side=3)
    found = {view.numpy().tobytes() for view in map(Tensor.contiguous, dihedral_views(image))}
    assert found == {np.ascontiguousarray(view).tobytes() for view in turned_by_hand(image[0].numpy())}
    assert len(found) == 8 and torch.equal(dihedral_views(image)[0], image)


@pytest.mark.parametrize("exporting", [False, True])
def test_against_a_loop(exporting: bool, monkeypatch):
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: exporting)
    network, image = small_network().double(), random_image(3).double()
    logits = DihedralTTA(COUNTS)(network, image)
    for row, single in zip(logits, image, strict=True):
        views = [torch.tensor(view.copy())[None] for view in turned_by_hand(single.numpy())]
        expected = sum(network(view).softmax(1) for view in views) / 8
        torch.testing.assert_close(row.exp()[None], expected, rtol=0, atol=1e-12)


def test_a_turned_or_mirrored_image_gets_the_same_answer():
    network, image = small_network(), random_image(2)
    predict = DihedralTTA(COUNTS)
    logits, plain = predict(network, image), network(image)
    for view in dihedral_views(image)[1:]:
        torch.testing.assert_close(predict(network, view), logits, rtol=0, atol=1e-5)
        assert (network(view) - plain).abs().max() > 1e-3, "by itself the network sees another image"


def test_by_hand():
    # Each corner is the upper left one in two of the views; their probabilities are 3/4, 1/2, 1/4, 1/2.
    image = torch.tensor([[math.log(3), 0.0], [-math.log(3), 0.0]]).expand(1, 3, 2, 2)
    torch.testing.assert_close(DihedralTTA(COUNTS)(Corner(), image), torch.full((1, 2), math.log(0.5)))


def test_half_precision_is_averaged_in_float32():
    logits = DihedralTTA(COUNTS)(Corner(), torch.full((1, 3, 2, 2), -30.0, dtype=torch.bfloat16))
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, torch.tensor([[-30.0, 0.0]]))


def test_other_shapes_cannot_be_turned():
    with pytest.raises(UserError, match="square images, but they are 32 x 24: use FlipTTA"):
        DihedralTTA(COUNTS)(Corner(), torch.zeros(1, 3, 24, 32))
