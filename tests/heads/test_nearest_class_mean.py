"""The head nearest class mean: what it computes, loads and refuses."""

import pytest
import torch
import torch.nn.functional as F
from head_oracles import CLASSES, DIM, LABEL, cosine, random_feature

from lightning_imbal.heads import NearestClassMean


class TestNearestClassMean:
    def test_against_the_equation(self):
        train, feature = random_feature(), random_feature(5, seed=1)
        head = NearestClassMean(DIM, CLASSES, scale=10.0)
        head.solve((train, LABEL), None)
        means = []
        for c in range(CLASSES):
            members = [x for x, y in zip(train.tolist(), LABEL.tolist(), strict=True) if y == c]
            means.append([sum(column) / len(members) for column in zip(*members, strict=True)])
        expected = [[10 * cosine(x, mean) for mean in means] for x in feature.tolist()]
        torch.testing.assert_close(head(feature), torch.tensor(expected))

    def test_by_hand(self):
        # The features of class 0 are averaged as they are: (3, 4), of length 5.
        head = NearestClassMean(2, 2)
        head.solve((torch.tensor([[6.0, 0.0], [0.0, 8.0], [0.0, -1.0]]), torch.tensor([0, 0, 1])), None)
        torch.testing.assert_close(head.class_mean, torch.tensor([[0.6, 0.8], [0.0, -1.0]]))
        torch.testing.assert_close(head(torch.tensor([[2.0, 0.0]])), torch.tensor([[18.0, 0.0]]))

    def test_mean_of_many_features_is_exact(self):
        # Summed one by one in float32, 0.1 and 0.3 drift apart.
        feature = torch.tensor([[0.1, 0.3]]).repeat(100_000, 1)
        head = NearestClassMean(2, 1)
        head.solve((feature, torch.zeros(100_000, dtype=torch.long)), None)
        torch.testing.assert_close(head.class_mean, F.normalize(feature[:1]), rtol=1e-6, atol=0)

    def test_solves_anew(self):
        head, once = NearestClassMean(DIM, CLASSES), NearestClassMean(DIM, CLASSES)
        head.solve((random_feature(seed=1), LABEL), None)
        head.solve((random_feature(), LABEL), None)
        once.solve((random_feature(), LABEL), None)
        assert torch.equal(head.class_mean, once.class_mean)

    def test_has_no_parameters(self):
        assert list(NearestClassMean(DIM, CLASSES).parameters()) == []

    def test_half_precision_features(self):
        head, precise = NearestClassMean(DIM, CLASSES), NearestClassMean(DIM, CLASSES)
        feature = random_feature().half()
        head.solve((feature, LABEL), None)
        precise.solve((feature.float(), LABEL), None)
        assert torch.equal(head.class_mean, precise.class_mean)

    def test_class_without_feature_is_named(self):
        with pytest.raises(ValueError, match="class label 1:"):
            NearestClassMean(DIM, CLASSES).solve((random_feature(4), torch.tensor([0, 2, 2, 0])), None)
