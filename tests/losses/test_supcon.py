"""Supervised contrastive loss against a slow oracle, its limits and its edge cases."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_oracles import supcon_oracle
from torch import Tensor

from lightning_imbal.losses import SupConLoss


def random_embedding(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


class TestSupConLoss:
    @pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
    @pytest.mark.parametrize(
        "label",
        [
            [0, 0, 0, 1, 1, 1, 2, 2],
            [0, 0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 2, 2],
            [0, 0, 1, 1, 1, 1, 1, 2],
            [0, 0, 1, 2, 3, 4, 5, 6],
        ],
        ids=["all classes", "one class", "class absent", "anchor alone", "single positive"],
    )
    def test_against_the_equation(self, label: list[int], temperature: float):
        embedding, label = random_embedding(8, 4).requires_grad_(), torch.tensor(label)
        loss = SupConLoss(temperature)(embedding, label)
        loss.backward()
        assert loss.dtype == torch.float64
        assert loss.item() == pytest.approx(supcon_oracle(embedding, label, temperature), abs=1e-10)
        assert embedding.grad.isfinite().all()

    def test_by_hand(self):
        # Both anchors with a positive see similarity 1 to it and 0 to the third point, which is alone and left out.
        embedding = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
        loss = SupConLoss(temperature=1.0)(embedding, torch.tensor([0, 0, 1]))
        assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-12)

    @pytest.mark.parametrize("temperature", [0.05, 1.0])
    def test_collapsed_embedding(self, temperature: float):
        embedding = random_embedding(1, 4).expand(6, 4)
        loss = SupConLoss(temperature)(embedding, torch.tensor([0, 0, 0, 1, 1, 1]))
        assert loss.item() == pytest.approx(math.log(5), abs=1e-12)

    @pytest.mark.parametrize("label", [[0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 1, 2]])
    def test_gradient(self, label: list[int]):
        embedding = random_embedding(6, 3).requires_grad_()
        assert torch.autograd.gradcheck(lambda x: SupConLoss(0.1)(x, torch.tensor(label)), embedding)

    @pytest.mark.parametrize("batch", [1, 4])
    def test_no_anchor_has_a_positive(self, batch: int):
        embedding = random_embedding(batch, 3).requires_grad_()
        loss = SupConLoss()(embedding, torch.arange(batch))
        loss.backward()
        assert loss.item() == 0
        assert torch.equal(embedding.grad, torch.zeros_like(embedding))

    def test_views_are_positives_of_each_other(self):
        embedding, label = random_embedding(4, 2, 3), torch.tensor([0, 0, 1, 2])
        loss = SupConLoss()(embedding, label)
        flat_label = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
        torch.testing.assert_close(loss, SupConLoss()(embedding.reshape(8, 3), flat_label))
        assert loss.item() == pytest.approx(supcon_oracle(embedding.reshape(8, 3), flat_label, 0.1), abs=1e-10)

    def test_one_view_is_the_plain_call(self):
        embedding, label = random_embedding(6, 3), torch.tensor([0, 0, 1, 1, 2, 2])
        torch.testing.assert_close(SupConLoss()(embedding[:, None], label), SupConLoss()(embedding, label))

    def test_low_temperature_in_float32(self):
        # All others lie opposite, 1.3 below the cosine with itself: a shift by the latter leaves exp(-130), which is 0.
        simplex = torch.eye(4, dtype=torch.float64) - 0.25
        embedding = F.normalize(simplex + 0.02 * random_embedding(4, 4), dim=1)
        label = torch.tensor([0, 0, 1, 1])
        precise = embedding.clone().requires_grad_()
        coarse = embedding.float().requires_grad_()
        expected, value = SupConLoss(temperature=0.01)(precise, label), SupConLoss(temperature=0.01)(coarse, label)
        expected.backward()
        value.backward()

        similarity = coarse.detach() @ coarse.detach().T / 0.01
        shifted = similarity - similarity.max(dim=1, keepdim=True).values
        naive = shifted - (shifted.exp() * ~torch.eye(4, dtype=torch.bool)).sum(dim=1, keepdim=True).log()
        assert not naive.isfinite().any()
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, expected.float(), rtol=1e-5, atol=0)
        torch.testing.assert_close(coarse.grad, precise.grad.float(), rtol=1e-4, atol=1e-3)
        assert expected.item() == pytest.approx(supcon_oracle(embedding, label, 0.01), abs=1e-10)

    def test_opposite_points_at_low_temperature(self):
        embedding = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]], requires_grad=True)
        loss = SupConLoss(temperature=0.01)(embedding, torch.tensor([0, 0, 1]))
        loss.backward()
        # The first anchor prefers the third point by 200, the second is torn between two equal ones.
        assert loss.item() == pytest.approx((200 + math.log(2)) / 2, rel=1e-6)
        assert embedding.grad.isfinite().all()

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_computed_in_float32(self, dtype: torch.dtype):
        embedding, label = random_embedding(8, 4).to(dtype).requires_grad_(), torch.arange(8) // 2
        loss = SupConLoss(temperature=0.01)(embedding, label)
        loss.backward()
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, SupConLoss(temperature=0.01)(embedding.float(), label))
        assert embedding.grad.isfinite().all()

    def test_autocast_changes_nothing(self):
        embedding, label = random_embedding(8, 4).float(), torch.arange(8) // 2
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = SupConLoss(temperature=0.05)(embedding, label)
        torch.testing.assert_close(inside, SupConLoss(temperature=0.05)(embedding, label), rtol=0, atol=0)

    def test_embedding_is_not_normalised_again(self):
        embedding, label = random_embedding(6, 3), torch.tensor([0, 0, 1, 1, 2, 2])
        torch.testing.assert_close(SupConLoss(0.2)(2 * embedding, label), SupConLoss(0.05)(embedding, label))

    def test_base_temperature(self):
        embedding, label = random_embedding(6, 3), torch.tensor([0, 0, 1, 1, 2, 2])
        scaled = SupConLoss(0.1, base_temperature=0.07)(embedding, label)
        torch.testing.assert_close(scaled, SupConLoss(0.1)(embedding, label) * 0.1 / 0.07)

    def test_temperatures_must_be_positive(self):
        with pytest.raises(ValueError, match="^temperature must be positive, but is 0"):
            SupConLoss(0)
        with pytest.raises(ValueError, match="^base_temperature must be positive"):
            SupConLoss(0.1, base_temperature=-1)
