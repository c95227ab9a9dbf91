"""Mixup against a slow oracle, its limits and its edge cases."""

import pytest
import torch
from mixer_oracles import COUNTS, blend_oracle, random_batch, with_lam, with_partner

from lightning_imbal.mixers import MixUp


class TestMixUp:
    @pytest.mark.parametrize("lam", [0.0, 0.3, 0.9, 1.0])
    def test_against_the_equation(self, lam: float, monkeypatch):
        partner, batch = with_partner(monkeypatch, [3, 0, 2, 7, 1, 4, 6, 5]), random_batch()
        mixed, pairs = with_lam(MixUp(COUNTS), lam)(batch)
        for i, j in enumerate(partner):
            torch.testing.assert_close(mixed[i], blend_oracle(batch["image"][i], batch["image"][j], lam))
            assert pairs[0][0][i] == batch["label"][i]
            assert pairs[1][0][i] == batch["label"][j]
        assert pairs[0][1].tolist() == pytest.approx([lam] * 8, abs=1e-15)
        assert pairs[1][1].tolist() == pytest.approx([1 - lam] * 8, abs=1e-15)

    def test_by_hand(self, monkeypatch):
        with_partner(monkeypatch, [1, 0])
        image = torch.tensor([0.0, 8.0]).view(2, 1, 1, 1).expand(2, 3, 1, 1)
        mixed, pairs = with_lam(MixUp(COUNTS), 0.75)({"image": image, "label": torch.tensor([0, 1])})
        assert mixed[:, 0, 0, 0].tolist() == [2.0, 6.0]
        assert [(label.tolist(), weight.tolist()) for label, weight in pairs] == [
            ([0, 1], [0.75, 0.75]),
            ([1, 0], [0.25, 0.25]),
        ]

    def test_partners_are_a_random_permutation(self):
        torch.manual_seed(0)
        batch = random_batch()
        batch["label"], found = torch.arange(8), set()
        for _ in range(10):
            (_, [_, (label, _)]) = MixUp(COUNTS)(batch)
            assert sorted(label.tolist()) == list(range(8))
            found.add(tuple(label.tolist()))
        assert len(found) == 10
