"""Center loss against a slow oracle, its limits and its edge cases."""

import pytest
import torch
from metric_oracles import LABELS, random_feature
from torch import Tensor

from lightning_imbal.losses import CenterLoss


class TestCenterLoss:
    def test_against_the_equation(self):
        feature, label = random_feature(), torch.tensor(LABELS["all classes"])
        loss = CenterLoss(3, 4, init="normal").double()
        terms = [
            sum((x - c) ** 2 for x, c in zip(row, loss.centers[y].tolist(), strict=True))
            for row, y in zip(feature.tolist(), label.tolist(), strict=True)
        ]
        assert loss(feature, label).item() == pytest.approx(sum(terms) / 8, abs=1e-10)

    def test_by_hand(self):
        # Squared distances to centers at 0: 9 + 16 and 4.
        loss = CenterLoss(2, 2)(torch.tensor([[3.0, 4.0], [0.0, 2.0]]), torch.tensor([0, 1]))
        assert loss.item() == pytest.approx(14.5, abs=1e-6)

    def test_gradient(self):
        label = torch.tensor(LABELS["all classes"])
        loss = CenterLoss(3, 4).double()

        def value(feature: Tensor, centers: Tensor) -> Tensor:
            return torch.func.functional_call(loss, {"centers": centers}, (feature, label))

        inputs = random_feature().requires_grad_(), random_feature(3, seed=1).requires_grad_()
        assert torch.autograd.gradcheck(value, inputs)

    def test_center_of_absent_class_has_zero_gradient(self):
        loss = CenterLoss(3, 4, init="normal").double()
        loss(random_feature(), torch.tensor(LABELS["class absent"])).backward()
        assert torch.equal(loss.centers.grad[1], torch.zeros(4, dtype=torch.float64))
        assert (loss.centers.grad[[0, 2]] != 0).all()

    def test_centers_start_as_told(self):
        assert torch.equal(CenterLoss(3, 4).centers, torch.zeros(3, 4))
        torch.manual_seed(0)
        drawn = CenterLoss(50, 200, init="normal").centers
        assert drawn.mean().item() == pytest.approx(0, abs=0.05)
        assert drawn.std().item() == pytest.approx(1, abs=0.05)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_computed_in_float32(self, dtype: torch.dtype):
        # The sum of 2048 squares of 10 is beyond float16, in which also the centers are.
        feature = torch.full((2, 2048), 10.0, dtype=dtype).requires_grad_()
        loss = CenterLoss(2, 2048).to(dtype)(feature, torch.tensor([0, 1]))
        loss.backward()
        assert loss.dtype == torch.float32
        assert loss.item() == 204800
        assert feature.grad.isfinite().all()

    def test_unknown_start_lists_the_known(self):
        with pytest.raises(ValueError, match="zero or normal, but is 'ones'"):
            CenterLoss(2, 2, init="ones")
