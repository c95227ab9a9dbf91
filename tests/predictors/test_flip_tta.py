"""The predictor flip tta against a slow oracle, and its limits."""

import math

import pytest
import torch
from predictor_oracles import COUNTS, random_image, small_network
from torch import Tensor, nn

from lightning_imbal.predictors import FlipTTA


class FirstRow(nn.Module):
    """A network whose logits are the first row of its image."""

    def forward(self, image: Tensor) -> Tensor:
        return image[:, 0, 0]


class TestFlipTTA:
    def test_against_a_loop(self):
        network, image = small_network().double(), random_image(3).double()
        logits = FlipTTA(COUNTS)(network, image)
        for row, single in zip(logits, image, strict=True):
            mirrored = torch.tensor(single.numpy()[:, :, ::-1].copy())
            expected = (network(single[None]).softmax(1) + network(mirrored[None]).softmax(1)) / 2
            torch.testing.assert_close(row.exp()[None], expected, rtol=0, atol=1e-12)

    def test_by_hand(self):
        # Probabilities (3/4, 1/4), mirrored (1/4, 3/4).
        image = torch.tensor([math.log(3), 0.0]).expand(1, 3, 2, 2)
        torch.testing.assert_close(FlipTTA(COUNTS)(FirstRow(), image), torch.full((1, 2), math.log(0.5)))

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_averaged_in_float32(self, dtype: torch.dtype):
        image = torch.tensor([200.0, 0.0, -200.0]).expand(1, 3, 3, 3)
        logits = FlipTTA(COUNTS)(FirstRow(), image.to(dtype))
        assert logits.dtype == torch.float32
        torch.testing.assert_close(logits, torch.tensor([[math.log(0.5), -200.0, math.log(0.5)]]))
