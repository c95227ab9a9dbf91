"""Mixers against slow oracles, their limits, what they draw and their edge cases."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from mixer_oracles import COUNTS, random_batch

from lightning_imbal.losses import CrossEntropy
from lightning_imbal.mixers import BalancedMixUp, CutMix, Mixer, MixUp, Remix

MIXERS = [MixUp, CutMix, partial(CutMix, probability=1.0), Remix, BalancedMixUp]
BLENDS = [MixUp, Remix, BalancedMixUp]
OTHERS = [Remix, partial(CutMix, probability=1.0)]


@pytest.mark.parametrize("make", MIXERS)
class TestEveryMixer:
    def test_weights_of_an_image_sum_to_one(self, make):
        mixer, batch, other = make(COUNTS), random_batch(), random_batch(seed=1)
        for seed in range(20):
            torch.manual_seed(seed)
            mixed, pairs = mixer(batch, other)
            assert mixed.shape == batch["image"].shape
            assert [label.shape for label, _ in pairs] == [weight.shape for _, weight in pairs] == [(8,), (8,)]
            assert {label.dtype for label, _ in pairs} == {torch.int64}
            weights = torch.stack([weight for _, weight in pairs])
            assert (weights >= 0).all()
            torch.testing.assert_close(weights.sum(dim=0), torch.ones(8, dtype=torch.float64))

    def test_pairs_give_the_cross_entropy_of_the_soft_label(self, make):
        torch.manual_seed(0)
        mixer, loss = make(COUNTS), CrossEntropy(COUNTS)
        for _ in range(5):
            mixed, pairs = mixer(random_batch(), random_batch(seed=1))
            logits = mixed.flatten(1)[:, :4]
            soft = sum(weight[:, None] * F.one_hot(label, 4) for label, weight in pairs)
            value = sum(loss(logits, label, sample_weight=weight) for label, weight in pairs)
            torch.testing.assert_close(value, F.cross_entropy(logits, soft))

    def test_batch_is_left_as_it_is(self, make):
        torch.manual_seed(1)
        batch, other = random_batch(), random_batch(seed=1)
        mixed, pairs = make(COUNTS)(batch, other)
        for seed, given in enumerate((batch, other)):
            before = random_batch(seed=seed)
            assert given.keys() == before.keys()
            assert all(torch.equal(given[key], before[key]) for key in given)
        # A later edit of what was returned must not reach the batch either.
        mixed.zero_()
        assert torch.equal(batch["image"], random_batch()["image"])

    def test_same_seed_mixes_the_same(self, make):
        mixer, results = make(COUNTS), []
        for seed in (0, 0, 1, 2):
            torch.manual_seed(seed)
            steps = [mixer(random_batch(), random_batch(seed=1)) for _ in range(3)]
            results.append(torch.cat([torch.cat([mixed.flatten(), pairs[0][1]]) for mixed, pairs in steps]))
        assert torch.equal(results[0], results[1])
        assert not torch.equal(results[0], results[2])
        assert not torch.equal(results[0], results[3])

    def test_one_image(self, make):
        batch = random_batch(1)
        mixed, pairs = make(COUNTS)(batch, batch)
        torch.testing.assert_close(mixed, batch["image"])
        assert [label.tolist() for label, _ in pairs] == [batch["label"].tolist()] * 2

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
    def test_type_of_the_images_is_kept(self, make, dtype: torch.dtype):
        batch, other = random_batch(), random_batch(seed=1)
        batch["image"], other["image"] = batch["image"].to(dtype), other["image"].to(dtype)
        mixed, pairs = make(COUNTS)(batch, other)
        assert mixed.dtype == dtype
        assert {weight.dtype for _, weight in pairs} == {torch.float32}

    def test_alpha_of_zero_mixes_nothing(self, make):
        batch, other = random_batch(), random_batch(seed=1)
        mixed, [(label, weight), _] = make(COUNTS, alpha=0.0)(batch, other)
        assert torch.equal(mixed, batch["image"])
        assert torch.equal(label, batch["label"])
        assert weight.tolist() == [1.0] * 8

    @pytest.mark.parametrize("alpha", [-0.1, math.nan])
    def test_refused_alpha(self, make, alpha: float):
        with pytest.raises(ValueError, match=f"alpha must not be negative, but is {alpha}"):
            make(COUNTS, alpha=alpha)

    def test_adds_nothing_to_the_checkpoint(self, make):
        assert make(COUNTS).state_dict() == {}


class TestDrawnShares:
    @pytest.mark.parametrize(
        ("make", "alpha"),
        # They draw alike: of the others one alpha, of which Beta(alpha, 1) and the uniform are another.
        [
            *((MixUp, alpha) for alpha in (0.2, 1.0, 4.0)),
            *((make, 0.2) for make in OTHERS),
            *(pytest.param(make, alpha, marks=pytest.mark.slow) for make in OTHERS for alpha in (1.0, 4.0)),
        ],
    )
    def test_beta_of_equal_parameters(self, make, alpha: float):
        torch.manual_seed(0)
        mixer = make(COUNTS, alpha=alpha)
        lam = torch.tensor([mixer.draw_lam() for _ in range(5000)], dtype=torch.float64)
        assert ((lam >= 0) & (lam <= 1)).all()
        assert lam.mean().item() == pytest.approx(0.5, abs=0.02)
        assert lam.var().item() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.05)

    @pytest.mark.parametrize("alpha", [0.1, 0.3, 1.0, 3.0])
    def test_beta_of_alpha_and_one(self, alpha: float):
        torch.manual_seed(0)
        mixer = BalancedMixUp(COUNTS, alpha)
        lam = torch.tensor([mixer.draw_lam() for _ in range(20_000)], dtype=torch.float64)
        assert ((lam >= 0) & (lam <= 1)).all()
        assert lam.mean().item() == pytest.approx(alpha / (1 + alpha), abs=0.01)
        for point in (0.1, 0.5, 0.9):
            assert (lam <= point).double().mean().item() == pytest.approx(point**alpha, abs=0.015)

    @pytest.mark.parametrize("make", BLENDS)
    def test_one_share_for_a_batch_but_not_for_all(self, make):
        torch.manual_seed(0)
        mixer, batch = make(torch.full((4,), 5)), random_batch()
        weights = [mixer(batch, random_batch(seed=1))[1][0][1] for _ in range(10)]
        assert all(weight.unique().numel() == 1 for weight in weights)
        assert len({weight[0].item() for weight in weights}) == 10


def test_mixer_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Mixer(COUNTS)
