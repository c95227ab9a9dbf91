"""Every group once in an epoch, whatever it has of images; classes balanced by their numbers of groups."""

import numpy as np
import pytest
import torch
from sampler_draws import GROUPS, LABELS, draw, frequencies

from lightning_imbal.samplers import ClassPower, GroupBalanced

NUMBER = len(GROUPS.unique())


def oracle(q):
    """The probability of every image by its definition, in loops: a class, one of its groups, one of its images."""
    labels, groups = LABELS.tolist(), GROUPS.tolist()
    size = {group: groups.count(group) for group in groups}
    images_of = {}
    for image, (label, group) in enumerate(zip(labels, groups, strict=True)):
        images_of.setdefault(label, {}).setdefault(group, []).append(image)
    number = {c: sum(len(of) / size[group] for group, of in by.items()) for c, by in images_of.items()}
    found = [0.0] * len(labels)
    for c, by in images_of.items():
        of_class = number[c] ** q / sum(each**q for each in number.values())
        for group, of in by.items():
            share = len(of) / size[group]
            for image in of:
                found[image] = of_class * share / number[c] / len(of)
    return torch.tensor(found, dtype=torch.float64)


def furthest(drawn, exact, number):
    """How many deviations a frequency is at most from its probability."""
    return ((drawn - exact).abs() / (exact * (1 - exact) / number).sqrt()).max()


@pytest.mark.parametrize("q", [0, 0.5, 1, 2])
def test_the_probability_of_an_image_is_that_of_the_definition(q):
    sampler = GroupBalanced(LABELS, GROUPS, q=q, length=100_000, seed=0)
    torch.testing.assert_close(sampler.image_probability, oracle(q), rtol=1e-12, atol=0)
    assert furthest(frequencies(draw(sampler, 0), len(LABELS)), oracle(q), 100_000) < 4


def test_in_each_epoch_every_group_is_drawn_once_by_one_of_its_images():
    sampler, epochs = GroupBalanced(LABELS, GROUPS, seed=0), 3000
    drawn = torch.stack([draw(sampler, epoch) for epoch in range(epochs)])
    assert drawn.shape == (epochs, NUMBER) and len(sampler) == NUMBER < len(LABELS)
    assert (GROUPS[drawn].sort(dim=1).values == GROUPS.unique()).all()
    # An image is in an epoch with the probability 1 / (images of its group); the order of the groups is any.
    exact = NUMBER * oracle(1)
    torch.testing.assert_close(exact, 1.0 / GROUPS.bincount()[GROUPS].double())
    several = exact < 1
    share = drawn.flatten().bincount(minlength=len(LABELS)) / epochs
    assert furthest(share[several], exact[several], epochs) < 4 and (share[~several] == 1).all()
    first = frequencies(torch.unique(GROUPS[drawn[:, 0]], return_inverse=True)[1], NUMBER)
    assert furthest(first, torch.full((NUMBER,), 1 / NUMBER), epochs) < 4


def test_classes_are_balanced_by_groups_not_by_images():
    # Class 1 has more images, but fewer lesions.
    labels, groups = torch.tensor([0] * 4 + [1] * 9), torch.tensor([0, 1, 2, 3, *[4] * 9])
    assert GroupBalanced(labels, groups).class_probability.tolist() == pytest.approx([0.8, 0.2])
    assert GroupBalanced(labels, groups, q=0.5).class_probability.tolist() == pytest.approx([2 / 3, 1 / 3])
    assert GroupBalanced(labels, groups, q=0).class_probability.tolist() == [0.5, 0.5]


def test_a_group_of_several_classes_counts_in_each_by_its_share():
    # Three patients of two eyes each: grades (0, 0), (0, 1), (1, 1): 1.5 patients of either grade.
    labels, groups = torch.tensor([0, 0, 0, 1, 1, 1, 1]), torch.tensor([5, 5, 6, 6, 7, 7, 7])
    sampler = GroupBalanced(labels, groups)
    assert sampler.class_probability.tolist() == pytest.approx([0.5, 0.5])
    assert sampler.image_probability.tolist() == pytest.approx([1 / 6] * 4 + [1 / 9] * 3)


@pytest.mark.parametrize("q", [0.0, 0.5, 1.0])
def test_where_every_image_is_a_group_it_is_class_power(q):
    alone = torch.arange(len(LABELS))
    sampler, other = GroupBalanced(LABELS, alone, q=q), ClassPower(LABELS, q=q)
    torch.testing.assert_close(sampler.class_probability, other.class_probability)
    if q == 1:
        assert sorted(sampler) == sorted(other)


@pytest.mark.parametrize("groups", [torch.arange(3), torch.arange(32.0), torch.arange(64).reshape(32, 2)])
def test_groups_must_be_a_number_for_each_image(groups):
    with pytest.raises(ValueError, match="groups must be 32 integers, one for each image"):
        GroupBalanced(LABELS, groups)


def test_length_and_exponent():
    assert len(list(GroupBalanced(LABELS, GROUPS, length=7))) == 7
    with pytest.raises(ValueError, match="length must be at least 1"):
        GroupBalanced(LABELS, GROUPS, length=0)
    with pytest.raises(ValueError, match="q must be an exponent of numbers of groups"):
        GroupBalanced(LABELS, GROUPS, q=float("nan"))


def test_a_draw_never_falls_behind_the_last_image(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda length, **_: torch.full((length,), 1 - 2**-53, dtype=torch.float64))
    assert list(GroupBalanced(LABELS, GROUPS, q=0, length=3)) == [len(LABELS) - 1] * 3
    assert np.isin(list(GroupBalanced(LABELS, GROUPS)), range(len(LABELS))).all()
