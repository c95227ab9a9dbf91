"""The sizes of classes."""

import numpy as np
import pandas as pd
import pytest

from lightning_imbal.data.sample_table import count_images, count_training_images, sample_table
from lightning_imbal.errors import UserError


@pytest.mark.parametrize(
    "label, counts",
    [([1, 0, 1, 3, 1], {"a": 1, "b": 3, "c": 0, "d": 1}), ([], {"a": 0, "b": 0, "c": 0, "d": 0})],
)
def test_classes_are_counted_by_name_in_label_order(label, counts):
    found = count_images(np.array(label, dtype=int), "abcd")
    assert list(found.items()) == list(counts.items()) and all(type(images) is int for images in found.values())


def test_training_part_without_an_image_of_a_class_is_refused():
    assert count_training_images(np.array([1, 0, 1]), "ab") == [1, 2]
    with pytest.raises(UserError, match="The training part has no image of: a, c. Choose another split"):
        count_training_images(np.array([1, 1, 3]), "abcd")


def test_every_bad_picture_and_every_thinned_one_is_left_out():
    index = pd.DataFrame({"image": list("uvwxyz"), "label": [0, 1, 0, 1, 0, 1]})
    part = np.array(["train", "test", "train", "val", "train", ""], dtype=object)
    table = sample_table(index, part, {0: "gone", 3: "damaged"}, lambda label, rows: rows[1:], ["nv", "mel"])
    assert table["part"].tolist() == ["unreadable", "test", "", "unreadable", "train", ""]
    assert table["class"].tolist() == ["nv", "mel"] * 3
