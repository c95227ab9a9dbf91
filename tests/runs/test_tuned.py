"""What a search has to do with the images of a run whose settings it has found."""

import pandas as pd
import pytest

from lightning_imbal.runs.caveats import caveats_of
from lightning_imbal.runs.tuned import images_digest, seen_in_search, told_of

PARTS = ["train"] * 4 + ["val"] * 2 + ["test"] * 4


def split(parts=PARTS, groups=None, images=range(10)):
    table = pd.DataFrame({"image": [f"i{number}" for number in images], "class": "a", "part": parts})
    if groups:
        table.insert(2, "group", groups)
    return table


@pytest.fixture
def search(tmp_path):
    """Writes the split of a search, and returns what `best.yaml` says of it."""

    def write(table):
        table[table["part"] != "test"].to_csv(tmp_path / "split.csv", index=False)
        return {"data": "ISIC2018", "images": images_digest(table), "folder": str(tmp_path)}

    return write


def test_the_same_split_has_nothing_to_be_said_of(search):
    assert seen_in_search(search(split()), split(), "ISIC2018") == {} and told_of({}) == ""
    # The test part, and what is left out, are not of the search.
    assert seen_in_search(search(split()), split(PARTS[:8] + ["", "test"]), "ISIC2018") == {}


def test_images_of_the_search_in_the_test_part_are_counted(search):
    turned = split(PARTS[::-1])
    assert seen_in_search(search(split()), turned, "ISIC2018") == {"other": True, "seen": 4}


def test_a_validation_image_counts_as_one_of_training_does(search):
    moved = split(["train"] * 5 + ["test"] * 5)
    assert seen_in_search(search(split()), moved, "ISIC2018") == {"other": True, "seen": 1}


def test_another_image_of_a_group_counts(search):
    groups = ["g0", "g1", "g2", "g3", "g4", "g5", "g0", "", "g6", "g6"]
    before, now = split(groups=groups), split(groups=groups, images=range(100, 110))
    assert seen_in_search(search(before), now, "ISIC2018") == {"other": True, "seen": 1}


def test_other_data_with_the_same_names_have_not_been_seen(search):
    assert seen_in_search(search(split()), split(PARTS[::-1]), "APTOS") == {"other": True}


def test_a_search_whose_folder_is_gone(search, tmp_path):
    tuned = search(split())
    (tmp_path / "split.csv").unlink()
    assert seen_in_search(tuned, split(PARTS[::-1]), "ISIC2018") == {"other": True}


def test_it_is_said_before_the_training(search):
    tuned = {"data": "ISIC2018", "folder": "runs/tune", "other": True}
    assert "tuned on other images than these (ISIC2018, runs/tune): whether they suit" in told_of(tuned)
    assert "seen 1 test image of this run, or others" in told_of(tuned | {"seen": 1})
    assert "whether they suit" in told_of(tuned | {"seen": 0})


def results(**tuned):
    identity = {"name": "run", "split": {}, "part": "test", "title": {"data": "ISIC2018"}}
    tuned = {"score": "val/f1", "trials": 20, "search": {"model.optimizer.lr": "log:1e-4:1"}, "seed": 0} | tuned
    return {"identity": identity | {"tuned": tuned}, "classes": [], "confusion": []}


def test_every_report_says_it():
    [said] = caveats_of(results())
    search = "tuned by val/f1 in 20 trials of model.optimizer.lr=log:1e-4:1 (seed 0)"
    assert said.endswith(f"{search}, without the test part.")
    assert caveats_of(results(other=True))[0].endswith("without the test part, but on other images.")
    assert "it has seen 3 test images of this run, or others of their groups, so" in caveats_of(results(seen=3))[0]
