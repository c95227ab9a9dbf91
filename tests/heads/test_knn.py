"""The head k nearest neighbours: what it computes, keeps, chooses and refuses."""

import math

import pytest
import torch
from head_oracles import CLASSES, DIM, LABEL, Classifier, cosine, random_feature
from sklearn.neighbors import KNeighborsClassifier

from lightning_imbal.heads import KNearest


def solved(train=None, label=LABEL, val=None, **kwargs):
    head = KNearest(DIM, CLASSES, **kwargs)
    head.solve((random_feature() if train is None else train, label), val)
    return head


def oracle(train, label, feature, k, temperature, weight):
    rows = []
    for x in feature.tolist():
        near = sorted(((cosine(x, t), y) for t, y in zip(train.tolist(), label.tolist(), strict=True)), reverse=True)
        votes = [0.0] * CLASSES
        for similarity, y in near[:k]:
            votes[y] += weight[y] * math.exp(similarity / temperature)
        rows.append([vote / sum(votes) for vote in votes])
    return torch.tensor(rows)


@pytest.mark.parametrize("k", [1, 3, 8, 50])
def test_against_the_equation(k):
    feature = random_feature(5, seed=1)
    share = solved(k=k, temperature=0.5)(feature).exp()
    expected = oracle(random_feature(), LABEL, feature, k, 0.5, [1.0] * CLASSES)
    torch.testing.assert_close(share, expected.clamp(min=1e-6), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(share.log().softmax(dim=1), expected, rtol=1e-4, atol=1e-5)


def test_votes_of_frequent_classes_count_less():
    feature = random_feature(5, seed=1)
    share = solved(k=8, temperature=0.5, exponent=2.0)(feature).exp()
    counts = LABEL.bincount().tolist()
    weight = [math.sqrt(min(counts) / count) for count in counts]
    expected = oracle(random_feature(), LABEL, feature, 8, 0.5, weight)
    torch.testing.assert_close(share, expected.clamp(min=1e-6), rtol=1e-4, atol=1e-6)


def test_with_equal_votes_it_is_that_of_scikit_learn():
    train, feature = random_feature(8, seed=2), random_feature(40, seed=3)
    theirs = KNeighborsClassifier(3, metric="cosine").fit(train, LABEL).predict_proba(feature)
    ours = solved(train, k=3, temperature=1e6)(feature).exp()
    torch.testing.assert_close(ours, torch.tensor(theirs).float().clamp(min=1e-6), rtol=1e-4, atol=1e-6)


def test_by_hand():
    train = torch.tensor([[2.0, 0.0], [0.0, 5.0], [-1.0, 0.0]])
    head = KNearest(2, 3, k=2, temperature=0.5)
    head.solve((train, torch.tensor([0, 1, 2])), None)
    near, far = math.exp(0.6 / 0.5), math.exp(0.8 / 0.5)
    expected = torch.tensor([[near / (near + far), far / (near + far), 1e-6]])
    torch.testing.assert_close(head(torch.tensor([[3.0, 4.0]])).exp(), expected)


def test_chooses_k_on_validation():
    # Class 1 lies in the middle of class 0, twelve images in all: ten neighbours hear nothing but class 0.
    angle = torch.cat([torch.linspace(-0.1, 0.1, 190), torch.linspace(1.0, 1.1, 12)])
    train, label = torch.stack([angle.cos(), angle.sin()], dim=1), torch.tensor([0] * 190 + [1] * 12)
    far = torch.tensor([1.05, 1.02, 0.0])
    val = torch.stack([far.cos(), far.sin()], dim=1), torch.tensor([1, 1, 0])
    head = KNearest(2, 2, k=None, temperature=1e6)
    head.solve((train, label), val)
    assert int(head.k) == head.nearest == 10, "with 100 or 200 neighbours, class 0 would have most votes"
    assert head.chosen_on_validation == {"k": "balanced accuracy"} and not KNearest(2, 2).chosen_on_validation


def test_is_saved_and_loaded_whatever_the_number_of_images():
    head = solved(k=3)
    other = Classifier(KNearest(DIM, CLASSES, k=7))
    other.load_state_dict(Classifier(head).state_dict())
    feature = random_feature(5, seed=1)
    assert torch.equal(other.head(feature), head(feature)) and other.head.nearest == 3
    other.load_state_dict(Classifier(KNearest(DIM, CLASSES)).state_dict())
    assert not other.head(feature).any(), "not solved"


def test_keeps_four_bytes_a_number():
    bank = solved().bank
    assert bank.dtype == torch.float32 and bank.shape == (len(LABEL), DIM) and not list(solved().parameters())


def test_half_precision_features():
    torch.testing.assert_close(
        solved(random_feature().half())(random_feature().half()), solved()(random_feature()), rtol=1e-2, atol=1e-2
    )


@pytest.mark.parametrize("wrong", [{"k": 0}, {"temperature": 0.0}, {"exponent": 1.0}])
def test_numbers_that_mean_nothing(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
        KNearest(DIM, CLASSES, **wrong)


def test_without_a_validation_part_it_needs_k():
    with pytest.raises(ValueError, match="no.*: give the split one .data.split.val=0.1., or the head its k"):
        KNearest(DIM, CLASSES, k=None).check(lambda part: 0)
    KNearest(DIM, CLASSES).check(lambda part: 0)
    with pytest.raises(ValueError, match="chooses k on a validation part"):
        solved(k=None)
