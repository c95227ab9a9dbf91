"""The metric-learning terms beside the cross-entropy."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from metric_oracles import LABELS, random_feature

from lightning_imbal.losses import (
    CenterLoss,
    CenterTerm,
    ContrastTerm,
    MetricTerm,
    SupConLoss,
    TripletLoss,
    TripletTerm,
)


class TestMetricTerms:
    @pytest.mark.parametrize(
        "factory", [CenterTerm, TripletTerm, partial(ContrastTerm, hidden_size=8, embedding_size=5)]
    )
    def test_is_born_with_the_classes_and_the_feature_size(self, factory):
        term = factory(3, 4)
        feature = random_feature().float().requires_grad_()
        loss = term(feature, torch.tensor(LABELS["all classes"]))
        loss.backward()
        assert isinstance(term, MetricTerm)
        assert loss.shape == ()
        assert feature.grad.isfinite().all() and (feature.grad != 0).any()

    def test_center_term_has_an_optimizer_of_its_own(self):
        term = CenterTerm(3, 4, init="normal", lr=0.25)
        feature, label = random_feature().float(), torch.tensor(LABELS["class absent"])
        before = term.loss.centers.detach().clone()
        optimizer = term.own_optimizer()
        for _ in range(2):  # a momentum would show in the second step
            optimizer.zero_grad()
            term(feature, label).backward()
            expected = term.loss.centers.detach() - 0.25 * term.loss.centers.grad
            optimizer.step()
            torch.testing.assert_close(term.loss.centers.detach(), expected)
        assert torch.equal(term.loss.centers[1], before[1])

    def test_terms_are_those_of_the_paper_by_default(self):
        assert CenterTerm(3, 4).own_optimizer().param_groups[0]["lr"] == 0.5
        assert TripletTerm(3, 4).loss.margin == 50
        term = ContrastTerm(3, 4)
        assert [layer.out_features for layer in term.modules() if isinstance(layer, torch.nn.Linear)] == [
            2048,
            2048,
            128,
        ]
        assert term.loss.temperature == 0.05

    def test_others_leave_their_parameters_to_the_network(self):
        assert TripletTerm(3, 4).own_optimizer() is None
        assert ContrastTerm(3, 4, hidden_size=8).own_optimizer() is None

    def test_center_term_is_the_center_loss(self):
        feature, label = random_feature().float(), torch.tensor(LABELS["all classes"])
        assert torch.equal(CenterTerm(3, 4)(feature, label), CenterLoss(3, 4)(feature, label))

    def test_triplet_term_is_the_triplet_loss(self):
        feature, label = random_feature(), torch.tensor(LABELS["all classes"])
        term = TripletTerm(3, 4, margin=2.0, squared=False, mining="hard")
        assert torch.equal(term(feature, label), TripletLoss(2.0, False, "hard")(feature, label))
        assert torch.equal(TripletTerm(3, 4)(feature, label), TripletLoss(50.0)(feature, label))

    def test_contrast_term_is_the_contrastive_loss_after_three_layers(self):
        term = ContrastTerm(3, 4, temperature=0.2, hidden_size=8, embedding_size=5)
        feature, label = random_feature().float(), torch.tensor(LABELS["all classes"])
        first, second, third = [module for module in term.modules() if isinstance(module, torch.nn.Linear)]
        embedding = F.normalize(third(second(first(feature).relu()).relu()), dim=1)
        assert [layer.out_features for layer in (first, second, third)] == [8, 8, 5]
        torch.testing.assert_close(term(feature, label), SupConLoss(0.2)(embedding, label))

    def test_is_abstract(self):
        with pytest.raises(TypeError, match="abstract"):
            MetricTerm(3, 4)
