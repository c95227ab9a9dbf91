"""Suspicious labels: flipped ones come first, whatever frequencies a network believes in; and what limits the list."""

import sys

import numpy as np
import pandas as pd
import pytest
from made_folds import flipped, held
from made_predictions import NAMES

from lightning_imbal.errors import UserError
from lightning_imbal.stats.held_out import HeldOut
from lightning_imbal.stats.label_truth import found_of_truth
from lightning_imbal.stats.wrong_labels import suspicions

pytest.importorskip("cleanlab", reason="cleanlab is not installed: pip install 'lightning_imbal[labels]'")
SURE = np.array([[0.9, 0.1, 0, 0], [0.8, 0.2, 0, 0], [0.1, 0.9, 0, 0], [0.3, 0.7, 0, 0]] * 10)


def recall(probability, label, true):
    """Recall at as many inspected as there are wrong labels: of all, and of each class that was given."""
    image = [f"i{row:04d}" for row in range(len(label))]
    table = suspicions(held(probability, label)).table
    found = found_of_truth(table, pd.Series(np.array(NAMES)[true], index=image)).set_index("label")
    return found["found"] / found["wrong"], found


def test_of_flipped_labels_most_are_found_also_in_rare_classes():
    share, found = recall(*flipped())
    assert found.loc["all", "wrong"] == 198 and found.loc["all", "by_chance"] == pytest.approx(198**2 / 4000)
    assert share["all"] > 0.85 and share[["df", "bkl/lk", "mel"]].min() > 0.85
    assert (found["found_in_class"] / found["wrong"]).min() > 0.55 > share["nv"] > 0.45  # hidden by its size
    assert found.loc["all", "right_to_suspect"] / found.loc["all", "suspicious"] > 0.7
    print(f"{share['all']:.0%} of 198 flipped labels are found by looking at 198 of 4,000 images; by chance 5 %")


def test_a_network_that_believes_in_other_frequencies_finds_as_many():
    """As one that was trained with class weights: without the fit, all of the common classes would be suspicious."""
    plain, _ = recall(*flipped())
    bias = np.array([-4.0, 0.0, 1.0, 4.0])
    probability, label, true = flipped(bias=bias)
    for power in (1.0, 3.0):
        biased, _ = recall(*flipped(bias=bias, power=power))
        assert biased["all"] == pytest.approx(plain["all"], abs=0.01)
    rows, others = np.arange(len(label)), probability.copy()
    others[rows, label] = 0
    raw = np.argsort(probability[rows, label] / others.max(axis=1))[:198]
    assert (label != true)[raw].mean() < 0.5 < plain["all"] - 0.3


def test_the_list_by_hand():
    label = np.array([0, 0, 1, 1] * 10)
    label[[0, 6]] = 1, 0  # once taken for nv with 0.9, once for mel with 0.9
    table = suspicions(held(SURE, label)).table
    assert set(table["image"][:2]) == {"i0000", "i0006"} and table["rank"].tolist() == list(range(1, 41))
    assert table["suspicious"].tolist() == [True] * 2 + [False] * 38
    first = table.set_index("image").loc["i0000"]
    assert (first["label"], first["suggested"], first["rank_in_class"]) == ("mel", "nv", 1)
    assert first["odds"] == pytest.approx(first["probability_suggested"] / first["probability_label"])
    assert table["odds"].is_monotonic_decreasing
    sums = table["probability_label"] + table["probability_suggested"]
    assert np.allclose(sums, 1)  # there are only two classes
    nv = table["label"] == "nv"
    chance = np.where(nv, table["probability_label"], table["probability_suggested"])
    assert chance.mean() == pytest.approx(nv.mean(), abs=1e-3)  # as frequent as its labels
    of_class = table[nv]
    assert of_class["rank_in_class"].tolist() == list(range(1, len(of_class) + 1))


def test_classes_without_images_change_nothing():
    label = np.array([0, 0, 1, 1] * 10)
    label[[0, 6]] = 1, 0
    expected = suspicions(held(SURE, label)).table
    found = suspicions(held(SURE[:, [2, 0, 3, 1]], np.where(label == 0, 1, 3))).table
    named = {"nv": "mel", "mel": "df"}
    pd.testing.assert_frame_equal(found, expected.replace({"label": named, "suggested": named}))


def test_counts_of_the_classes():
    label = np.array([0, 0, 1, 1] * 10)
    label[[0, 6]] = 1, 0
    found = suspicions(HeldOut(held(SURE, label).images, np.array([30, 25, 3, 0]), ("First.",)))
    classes = found.classes.set_index("class")
    assert classes.loc["nv"].tolist() == [20, 30, 19, 1, "mel"] and classes.loc["mel"].tolist() == [20, 25, 19, 1, "nv"]
    assert found.notes[0] == "First." and "likeliest class of 95% of the images" in found.notes[1]
    assert found.notes[-1].startswith("Suspicion is no proof")
    assert "No image of bkl/lk, df was looked at, and none is suggested to be." in found.notes
    assert suspicions(held(SURE, label)).classes["all_images"].tolist() == [-1, -1]


def test_probabilities_of_other_frequencies_are_told():
    probability, label, _ = flipped(600)
    assert "its share" not in " ".join(suspicions(held(probability, label)).notes)
    probability, label, _ = flipped(600, bias=np.array([0, 0, 0, 4.0]))
    expected = probability[:, 3].mean() / (label == 3).mean()
    assert expected > 2 and f"of df is {expected:.2g} times its share" in " ".join(
        suspicions(held(probability, label)).notes
    )


def test_what_cannot_be_judged_is_told():
    probability, label, _ = flipped(600, share=0)
    probability[:, 3] = 1e-6  # never answered
    label[label == 2] = 0
    label[5] = 2  # a single image
    found = suspicions(held(probability / probability.sum(axis=1, keepdims=True), label))
    assert "learns too little to judge their labels: bkl/lk (1)." in " ".join(found.notes)
    assert found.classes["class"].tolist() == list(NAMES)
    assert not found.table.set_index("image").loc["i0005", "suspicious"]  # the last one is never taken away
    label[label == 3] = 0
    label[10:30], probability[10:30] = 3, [0.4, 0.4, 0.2, 0.0]  # nothing in common
    never = suspicions(held(probability / probability.sum(axis=1, keepdims=True), label)).notes
    assert "The networks recognise no image of df" in " ".join(never)


def test_groups_of_several_classes_and_grades_next_to_each_other_are_told():
    label = np.array([0, 0, 1, 1] * 10)
    label[[0, 6]] = 1, 0
    unit = [f"lesion {row // 2}" for row in range(40)]
    found = suspicions(held(SURE, label, unit=unit), ordered=True)
    notes = " ".join(found.notes)
    assert "2 groups (such as lesion 3) have images of several classes" in notes
    assert "2 of 2 suspicious labels are one grade off" in notes
    assert found.table.set_index("image").loc["i0007", "group"] == "lesion 3"
    assert "one grade" not in " ".join(suspicions(held(SURE, label, unit=unit)).notes)
    assert "group" not in suspicions(held(SURE, label)).table


def test_one_class_alone_is_refused():
    with pytest.raises(UserError, match="are of the class 'mel': there is nothing to compare"):
        suspicions(held(SURE, np.ones(40, dtype=int)))


def test_without_cleanlab_it_is_said_how_to_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    with pytest.raises(UserError, match=r"needs cleanlab: pip install 'lightning_imbal\[labels\]'"):
        suspicions(held(SURE, np.array([0, 0, 1, 1] * 10)))
