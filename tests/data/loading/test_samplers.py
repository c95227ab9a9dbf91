"""Two samplers of one batch draw apart from each other, and know the length of the run."""

from functools import partial

import numpy as np
import pytest
import torch
from small_runs import digits
from torch.utils.data import Sampler

from lightning_imbal.data import ISIC2018, Holdout
from lightning_imbal.data.loading.samplers import build_samplers
from lightning_imbal.errors import UserError
from lightning_imbal.samplers import ClassPower, GroupBalanced, PKBatches


def test_each_draws_from_a_stream_of_its_own():
    first, second = build_samplers([ClassPower, ClassPower], np.arange(40) % 3, 8, 5)
    assert list(first) != list(second) and sorted(first) == sorted(second)
    assert first.max_epochs == second.max_epochs == 5


@pytest.mark.parametrize("sampler", [partial(ClassPower, q=0.0, seed=3), partial(ClassPower, seed=3)])
def test_the_samplers_of_a_module_draw_differently(sampler):
    data = digits(sampler=sampler, paired_sampler=sampler)
    first, second = map(list, data.train_samplers())
    assert first == list(digits(sampler=sampler).train_samplers()[0]), "a second sampler changes nothing of the first"
    assert len(first) == len(second) > 300 and np.mean(np.equal(first, second)) < 0.05
    batch = next(iter(data.train_dataloader()))
    assert batch["index"].tolist() == data.rows("train")[first[:64]].tolist()
    assert batch["other"]["index"].tolist() == data.rows("train")[second[:64]].tolist()


def test_batches_of_another_size_are_refused():
    with pytest.raises(UserError, match="PKBatches makes batches of 6 images: set data.batch_size to 6"):
        build_samplers([lambda labels: PKBatches(labels, 3, 2)], np.arange(40) % 3, 8, 5)


def lesions_of(data, positions):
    return data.index["group"].to_numpy()[data.rows("train")[positions]]


@pytest.mark.parametrize("group_by", [None, "lesion", "duplicates"])
def test_every_lesion_is_drawn_once_whatever_the_split_keeps_together(isic_root, group_by):
    data = ISIC2018(isic_root, split=Holdout(test=0.3), group_by=group_by, sampler=GroupBalanced, image_size=16)
    [sampler] = data.train_samplers()
    drawn = lesions_of(data, list(sampler))
    # The pictures of the layout are noise, so that no two lesions share a photograph.
    assert sorted(drawn) == sorted(set(data.table["group"][data.table["part"] == "train"]))
    assert len(drawn) < sum(data.class_counts) and not np.array_equal(drawn, lesions_of(data, list(sampler)))


def test_a_batch_holds_what_is_drawn_also_of_pairs_and_of_stored_features(isic_root):
    make = partial(ISIC2018, isic_root, image_size=16, batch_size=10, num_workers=0, sampler=GroupBalanced)
    data = make(paired_sampler=partial(GroupBalanced, q=0.0))
    first, second = map(list, data.train_samplers())
    assert len(first) == len(second) and first != second
    batch = next(iter(data.train_dataloader()))
    assert batch["index"].tolist() == data.rows("train")[first[:10]].tolist()
    assert batch["other"]["index"].tolist() == data.rows("train")[second[:10]].tolist()
    data = make()
    data.store_features(lambda loader: torch.cat([batch["index"][:, None].float() for batch in loader]), 1)
    batch = next(iter(data.train_dataloader()))
    assert batch["index"].tolist() == data.rows("train")[first[:10]].tolist() == batch["feature"].flatten().tolist()


def test_joined_groups_are_drawn_as_one(isic_root, monkeypatch):
    data = ISIC2018(isic_root, group_by="duplicates", sampler=GroupBalanced)
    monkeypatch.setattr(type(data), "groups", np.arange(72) // 3)
    [sampler] = data.train_samplers()
    groups = data.rows("train")[list(sampler)] // 3
    assert sorted(groups) == sorted(set(data.rows("train") // 3))


def test_an_image_without_a_group_is_one_of_its_own(isic_root):
    data = ISIC2018(isic_root, sampler=GroupBalanced)
    data.index.loc[data.rows("train")[:10], "group"] = None
    assert len(set(data.groups_of("train")[:10])) == 10
    data.index["group"] = None
    assert data.groups_of("train") is None


def test_without_groups_it_says_how_to_name_them():
    with pytest.raises(UserError, match="GroupBalanced needs to know which images .*--data.group_by duplicates"):
        digits(sampler=partial(GroupBalanced, q=0.5)).train_samplers()


class OfAnother(Sampler):
    """A sampler of someone else that takes groups if there are any."""

    def __init__(self, labels, groups=None):
        self.number, self.groups = len(labels), groups

    def __iter__(self):
        return iter(range(self.number))

    def __len__(self):
        return self.number


def test_groups_are_offered_by_name_and_not_asked_for_where_they_need_not_be_known(isic_root):
    [wrapped] = digits(sampler=OfAnother).train_samplers()
    assert wrapped.sampler.groups is None
    data = ISIC2018(isic_root, sampler=OfAnother)
    assert data.train_samplers()[0].sampler.groups.tolist() == data.groups_of("train").tolist()
