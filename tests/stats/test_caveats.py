"""What limits the numbers of a run, by hand."""

import pandas as pd
import pytest

from lightning_imbal.stats.caveats import few_test_images, shared_groups


def test_ten_images_are_not_few():
    assert list(few_test_images({"nv": 400, "mel": 10})) == []
    [said] = few_test_images({"nv": 400, "mel": 10, "df": 9, "vasc": 1, "none": 0})
    assert said == (
        "Too few test images for an F1 that means much: df (9 images, one more or less moves it by about 0.11), vasc "
        "(1 image, one more or less moves it by about 1.00), none (0 images, one more or less moves it by about 1.00)."
    )
    [said] = few_test_images(dict.fromkeys("abcdefg", 9))
    assert said.count("9 images") == 5 and said.endswith("0.11) and 2 more.")


@pytest.mark.parametrize("split", [{"part": ["train", "test"]}, {"part": ["train", "test"], "group": ["", ""]}])
def test_a_split_without_groups_is_said_to_be_one_of_images(split):
    [said] = shared_groups(pd.DataFrame(split), "test")
    assert said.startswith("No group (lesion, patient) of the images is known: it was split image by image")


@pytest.mark.parametrize(("part", "shared", "of"), [("test", 2, 3), ("val", 1, 2)])
def test_groups_are_shared_with_all_that_was_trained_or_chosen_on(part, shared, of):
    parts = {"train": ["a", "b"], "val": ["b", "c"], "test": ["a", "c", ""], "": ["d"]}
    rows = [(part, group) for part, groups in parts.items() for group in groups]
    said, *more = shared_groups(pd.DataFrame(rows, columns=["part", "group"]), part)
    assert said.startswith(f"{shared} of {of} {part} images are of a group") and "too good" in said
    assert more == (["Of 1 test images no group is known."] if part == "test" else [])
