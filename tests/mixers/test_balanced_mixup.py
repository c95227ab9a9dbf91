"""Balanced mixup against a slow oracle, its limits and its edge cases."""

import pytest
import torch
from mixer_oracles import COUNTS, blend_oracle, random_batch, with_lam

from lightning_imbal.errors import UserError
from lightning_imbal.mixers import BalancedMixUp, CutMix, Mixer, MixUp, Remix


class TestBalancedMixUp:
    @pytest.mark.parametrize("lam", [0.0, 0.1, 0.6, 1.0])
    def test_against_the_equation(self, lam: float):
        batch, other = random_batch(), random_batch(seed=1)
        mixed, pairs = with_lam(BalancedMixUp(COUNTS), lam)(batch, other)
        torch.testing.assert_close(mixed, blend_oracle(other["image"], batch["image"], lam))
        for (label, weight), given, share in zip(pairs, (batch, other), (1 - lam, lam), strict=True):
            assert torch.equal(label, given["label"])
            assert weight.tolist() == pytest.approx([share] * 8, abs=1e-15)

    def test_class_balanced_image_has_the_smaller_share_by_default(self):
        torch.manual_seed(0)
        mixer = BalancedMixUp(COUNTS)
        shares = [mixer(random_batch(2), random_batch(2, seed=1))[1][1][1][0].item() for _ in range(2000)]
        assert sum(shares) / 2000 == pytest.approx(1 / 6, abs=0.02)

    def test_needs_a_second_batch(self):
        assert BalancedMixUp.needs_pairs
        assert not any(mixer.needs_pairs for mixer in (Mixer, MixUp, CutMix, Remix))
        with pytest.raises(UserError, match=r"no second batch.*data.paired_sampler=ClassPower"):
            BalancedMixUp(COUNTS)(random_batch())
