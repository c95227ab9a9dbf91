"""Mixers against slow oracles, their limits, what they draw and their edge cases."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lightning_imbal.errors import UserError
from lightning_imbal.losses import CrossEntropy
from lightning_imbal.mixers import BalancedMixUp, CutMix, Mixer, MixUp, Remix

COUNTS = torch.tensor([60, 20, 30, 10])
MIXERS = [MixUp, CutMix, partial(CutMix, probability=1.0), Remix, BalancedMixUp]
BLENDS = [MixUp, Remix, BalancedMixUp]


def random_batch(size: int = 8, height: int = 6, width: int = 6, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    image = torch.randn(size, 3, height, width, generator=generator, dtype=torch.float64)
    return {"image": image, "label": torch.randint(4, (size,), generator=generator), "index": torch.arange(size)}


def with_lam(mixer: Mixer, lam: float) -> Mixer:
    mixer.draw_lam = lambda: lam
    return mixer


def with_partner(monkeypatch: pytest.MonkeyPatch, partner: list[int]) -> list[int]:
    monkeypatch.setattr(torch, "randperm", lambda n, device: torch.tensor(partner, device=device))
    return partner


def blend_oracle(image: Tensor, other: Tensor, lam: float) -> Tensor:
    values = [lam * a + (1 - lam) * b for a, b in zip(image.flatten().tolist(), other.flatten().tolist(), strict=True)]
    return torch.tensor(values, dtype=torch.float64).view_as(image)


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


def remix_oracle(n_i: float, n_j: float, lam: float, kappa: float, tau: float) -> float:
    if n_i / n_j >= kappa and lam < tau:
        return 0.0
    if n_i / n_j <= 1 / kappa and 1 - lam < tau:
        return 1.0
    return lam


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


class TestRemix:
    # n_i / n_j is 3, 1/3, 3, 1, 2, 6 and 1/6: the first three are just at kappa.
    PAIRS = [(0, 1), (1, 0), (2, 3), (1, 1), (0, 2), (0, 3), (3, 0)]

    @pytest.mark.parametrize("lam", [0.0, 0.2, 0.4999, 0.5, 0.5001, 0.8, 1.0])
    @pytest.mark.parametrize("kappa, tau", [(3.0, 0.5), (3.0, 0.2), (2.0, 0.8), (6.5, 0.5), (3.0, 0.0), (1.0, 1.0)])
    def test_against_the_conditions(self, lam: float, kappa: float, tau: float, monkeypatch):
        batch = random_batch(14)
        batch["label"] = torch.tensor([label for pair in self.PAIRS for label in pair])
        partner = with_partner(monkeypatch, [i ^ 1 for i in range(14)])
        mixed, pairs = with_lam(Remix(COUNTS, kappa=kappa, tau=tau), lam)(batch)
        for i, j in enumerate(partner):
            n_i, n_j = (COUNTS[batch["label"][k]].item() for k in (i, j))
            expected = remix_oracle(n_i, n_j, lam, kappa, tau)
            assert pairs[0][1][i].item() == pytest.approx(expected, abs=1e-15)
            assert pairs[1][1][i].item() == pytest.approx(1 - expected, abs=1e-15)
            torch.testing.assert_close(mixed[i], blend_oracle(batch["image"][i], batch["image"][j], lam))

    @pytest.mark.parametrize(
        "lam, weights",
        [(0.4, [0.0, 0.4]), (0.5, [0.5, 0.5]), (0.6, [0.6, 1.0])],
        ids=["rarer partner takes the label", "at tau nobody does", "rarer image keeps the label"],
    )
    def test_by_hand(self, lam: float, weights: list[float], monkeypatch):
        # Class 0 has six times the images of class 3.
        with_partner(monkeypatch, [1, 0])
        batch = random_batch(2) | {"label": torch.tensor([0, 3])}
        _, [(_, weight), _] = with_lam(Remix(COUNTS), lam)(batch)
        assert weight.tolist() == pytest.approx(weights, abs=1e-15)

    def test_equal_counts_give_mixup(self):
        results = []
        for mixer in (MixUp(COUNTS, alpha=1.0), Remix(torch.full((4,), 5))):
            torch.manual_seed(0)
            mixed, pairs = mixer(random_batch())
            results.append(torch.cat([mixed.flatten(), pairs[0][1], pairs[1][0]]))
        assert torch.equal(*results)

    def test_refused_arguments(self):
        with pytest.raises(ValueError, match="kappa must be at least 1, but is 0.5"):
            Remix(COUNTS, kappa=0.5)
        for tau in (-0.1, 1.1):
            with pytest.raises(ValueError, match=f"tau must be in 0..1, but is {tau}"):
                Remix(COUNTS, tau=tau)


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
        with pytest.raises(UserError, match=r"no second batch.*--data.paired_sampler ClassPower"):
            BalancedMixUp(COUNTS)(random_batch())


class TestDrawnShares:
    @pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
    @pytest.mark.parametrize("make", [MixUp, Remix, partial(CutMix, probability=1.0)])
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
