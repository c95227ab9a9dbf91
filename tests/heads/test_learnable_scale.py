"""The head learnable scale: what it computes, loads and refuses."""

import copy

import pytest
import torch
import torch.nn.functional as F
from head_oracles import CLASSES, DIM, Classifier, random_feature
from torch import nn

from lightning_imbal.heads import LearnableScale


class TestLearnableScale:
    def test_scales_logits_and_bias(self):
        feature, head = random_feature(), LearnableScale(DIM, CLASSES)
        with torch.no_grad():
            head.scale.copy_(torch.tensor([1.0, 2.0, 3.0]))
        plain = F.linear(feature, head.weight, head.bias)
        torch.testing.assert_close(head(feature), plain * torch.tensor([1.0, 2.0, 3.0]))

    def test_trains_only_the_scale(self):
        head = LearnableScale(DIM, CLASSES)
        assert [name for name, value in head.named_parameters() if value.requires_grad] == ["scale"]
        head(random_feature()).square().sum().backward()
        assert head.weight.grad is None and head.bias.grad is None
        assert (head.scale.grad != 0).all()

    @pytest.mark.parametrize("wrap", [nn.Identity, Classifier], ids=["alone", "as a part"])
    def test_loads_a_linear_layer(self, wrap):
        linear, head = nn.Linear(DIM, CLASSES), LearnableScale(DIM, CLASSES)
        if wrap is Classifier:
            Classifier(head).load_state_dict(Classifier(linear).state_dict())
        else:
            head.load_state_dict(linear.state_dict())
        torch.testing.assert_close(head(random_feature()), linear(random_feature()))
        assert torch.equal(head.scale, torch.ones(CLASSES))

    def test_other_missing_keys_are_refused(self):
        with pytest.raises(RuntimeError, match="weight"):
            LearnableScale(DIM, CLASSES).load_state_dict({"bias": torch.zeros(CLASSES)})

    def test_copy_loads_into_itself(self):
        head = LearnableScale(DIM, CLASSES)
        twin = copy.deepcopy(head)
        with torch.no_grad():
            twin.scale.fill_(2.0)
        twin.load_state_dict(nn.Linear(DIM, CLASSES).state_dict())
        assert torch.equal(twin.scale, torch.full((CLASSES,), 2.0))
