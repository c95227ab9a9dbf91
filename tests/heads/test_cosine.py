"""The head cosine: what it computes, loads and refuses."""

import pytest
import torch
from head_oracles import CLASSES, DIM, cosine, random_feature

from lightning_imbal.heads import NearestClassMean, NormedLinear


class TestNormedLinear:
    def test_against_the_equation(self):
        feature, head = random_feature(), NormedLinear(DIM, CLASSES, scale=20.0)
        with torch.no_grad():
            head.weight *= torch.tensor([0.5, 2.0, 7.0])
        expected = [[20 * cosine(x, w) for w in head.weight.T.tolist()] for x in feature.tolist()]
        torch.testing.assert_close(head(feature), torch.tensor(expected))

    def test_by_hand(self):
        head = NormedLinear(2, 2)
        with torch.no_grad():
            head.weight.copy_(torch.tensor([[3.0, 0.0], [4.0, -2.0]]))
        torch.testing.assert_close(head(torch.tensor([[5.0, 0.0]])), torch.tensor([[18.0, 0.0]]))

    def test_starts_with_columns_of_unit_length(self):
        weight = NormedLinear(DIM, CLASSES).weight
        assert weight.shape == (DIM, CLASSES)
        torch.testing.assert_close(weight.norm(dim=0), torch.ones(CLASSES))
        assert (weight < 0).any() and (weight > 0).any()

    def test_gradient(self):
        head = NormedLinear(DIM, CLASSES).double()
        assert torch.autograd.gradcheck(head, random_feature().double().requires_grad_())

    def test_zero_feature(self):
        feature = torch.zeros(1, DIM, requires_grad=True)
        logits = NormedLinear(DIM, CLASSES)(feature)
        logits.sum().backward()
        assert torch.equal(logits, torch.zeros(1, CLASSES))
        assert feature.grad.isfinite().all()

    def test_autocast_changes_nothing(self):
        feature, head = random_feature(), NormedLinear(DIM, CLASSES)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = head(feature)
        torch.testing.assert_close(inside, head(feature), rtol=0, atol=0)

    @pytest.mark.parametrize("factory", [NormedLinear, NearestClassMean])
    def test_scale_must_be_positive(self, factory):
        with pytest.raises(ValueError, match="^scale must be positive, but is 0"):
            factory(DIM, CLASSES, scale=0)
