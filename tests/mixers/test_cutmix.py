"""Cutmix against a slow oracle, its limits and its edge cases."""

import math

import pytest
import torch
from mixer_oracles import COUNTS, random_batch, with_lam, with_partner
from torch import Tensor

from lightning_imbal.mixers import CutMix


def cutmix_oracle(image: Tensor, other: Tensor, lam: float, row: int, column: int) -> tuple[Tensor, float]:
    height, width = image.shape[1:]
    half_height, half_width = (int(side * math.sqrt(1 - lam)) // 2 for side in (height, width))
    mixed, stays = image.clone(), 0
    for y in range(height):
        for x in range(width):
            if -half_height <= y - row < half_height and -half_width <= x - column < half_width:
                mixed[:, y, x] = other[:, y, x]
            else:
                stays += 1
    return mixed, stays / (height * width)


class TestCutMix:
    @staticmethod
    def mixer(lam: float, row: int, column: int) -> CutMix:
        mixer = with_lam(CutMix(COUNTS), lam)
        mixer.draw_center = lambda height, width: (row, column)
        return mixer

    @pytest.mark.parametrize("lam", [0.0, 0.3, 0.75, 0.99, 1.0])
    @pytest.mark.parametrize("height, width", [(6, 6), (7, 5), (1, 9), (8, 3)])
    def test_against_the_equation(self, height: int, width: int, lam: float, monkeypatch):
        partner, batch = with_partner(monkeypatch, [1, 3, 2, 0]), random_batch(4, height, width)
        for row in range(height):
            for column in range(width):
                mixed, pairs = self.mixer(lam, row, column)(batch)
                for i, j in enumerate(partner):
                    image, share = cutmix_oracle(batch["image"][i], batch["image"][j], lam, row, column)
                    assert torch.equal(mixed[i], image)
                    assert pairs[0][1][i].item() == pytest.approx(share, abs=1e-15)
                    assert pairs[1][0][i] == batch["label"][j]

    def test_by_hand(self, monkeypatch):
        # lam 0.75 halves the sides: 2 of 4 pixels around row 0 and column 3 are rows -1..0 and columns 2..3.
        with_partner(monkeypatch, [1, 0])
        image = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 4, 4)
        mixed, pairs = self.mixer(0.75, 0, 3)({"image": image, "label": torch.tensor([0, 1])})
        assert mixed[0, 0].tolist() == [[0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
        assert torch.equal(mixed[1], 1 - mixed[0])
        assert pairs[0][1].tolist() == [0.875, 0.875]

    @pytest.mark.parametrize("lam", [1.0, 0.999, 0.95])
    def test_box_without_area_mixes_nothing(self, lam: float):
        # A side of 1 pixel loses it to the rounding.
        batch = random_batch()
        mixed, [(label, weight), _] = self.mixer(lam, 3, 3)(batch)
        assert torch.equal(mixed, batch["image"])
        assert torch.equal(label, batch["label"])
        assert weight.tolist() == [1.0] * 8

    def test_center_is_a_row_of_the_height_and_a_column_of_the_width(self, monkeypatch):
        mixer, asked = with_lam(CutMix(COUNTS), 0.5), []
        monkeypatch.setattr(mixer, "draw_center", lambda height, width: asked.append((height, width)) or (0, 0))
        mixer(random_batch(4, 9, 5))
        assert asked == [(9, 5)]

    def test_centers_are_uniform(self):
        torch.manual_seed(0)
        centers = torch.tensor([CutMix(COUNTS).draw_center(4, 2) for _ in range(8000)])
        cells = torch.bincount(centers[:, 0] * 2 + centers[:, 1], minlength=8) / 8000
        torch.testing.assert_close(cells, torch.full((8,), 0.125), rtol=0, atol=0.02)

    @pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
    def test_probability(self, probability: float):
        torch.manual_seed(0)
        mixer = CutMix(COUNTS, probability=probability)
        mixes = sum(mixer.draw_lam() < 1 for _ in range(4000)) / 4000
        assert mixes == pytest.approx(probability, abs=0.03 if probability == 0.5 else 0)

    @pytest.mark.parametrize("probability", [-0.1, 1.1])
    def test_refused_probability(self, probability: float):
        with pytest.raises(ValueError, match=f"probability must be in 0..1, but is {probability}"):
            CutMix(COUNTS, probability=probability)
