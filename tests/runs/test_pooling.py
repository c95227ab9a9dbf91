"""The images of a lesion as one, by hand; what cannot be pooled is refused by its name."""

from dataclasses import replace

import numpy as np
import pytest
from made_predictions import make

from lightning_imbal.errors import UserError
from lightning_imbal.runs.pooling import pooled, pooled_probability

PROBABILITY = [[0.6, 0.2, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.2, 0.2, 0.5, 0.1], [0.0, 0.4, 0.3, 0.3]]
UNIT = ["z", "image b", "a", "z"]


def four(label=(0, 1, 2, 0), unit=UNIT, image="kbcd"):
    return make(label, PROBABILITY, unit, list(image))


def test_mean_by_hand():
    found = pooled(four(), "mean")
    assert found.image.tolist() == ["z", "b", "a"]  # as they come; the image without a lesion keeps its own name
    assert found.unit.tolist() == ["z", "image b", "a"]
    assert found.label.tolist() == [0, 1, 2]
    expected = [[0.3, 0.3, 0.2, 0.2], PROBABILITY[1], PROBABILITY[2]]
    assert np.allclose(found.probability, expected, rtol=0, atol=1e-15)


def test_maximum_by_hand():
    found = pooled(four(), "max")
    expected = [[0.375, 0.25, 0.1875, 0.1875], PROBABILITY[1], PROBABILITY[2]]  # 0.6, 0.4, 0.3, 0.3 of 1.6
    assert np.allclose(found.probability, expected, rtol=0, atol=1e-15)


def test_what_a_rule_answered_for_the_images_is_no_answer_for_the_lesion():
    decided = replace(four(), decided=np.array([3, 3, 3, 3]))
    assert pooled(decided, "max").answers.tolist() == [0, 1, 2]


def test_what_is_pooled_stays_as_it_is():
    once = pooled(four(), "mean")
    again = pooled(once, "mean")
    assert again.image.tolist() == once.image.tolist()
    assert np.array_equal(again.probability, once.probability)


def test_rows_are_in_the_order_in_which_they_come():
    table = pooled_probability(np.array([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]]), np.array(["b", "a", "b"]), "mean")
    assert table.index.tolist() == ["b", "a"] and table.to_numpy().tolist() == [[0.25, 0.75], [1.0, 0.0]]


def test_a_lesion_of_two_labels_is_refused():
    with pytest.raises(UserError, match=r"^z has images of nv and of df, so that they cannot be pooled: .*one eye"):
        pooled(four(label=(0, 1, 2, 3)), "mean")


def test_images_without_lesions_are_refused():
    with pytest.raises(UserError, match=r"no lesion or patient .*--data\.group_column"):
        pooled(make([0, 1], PROBABILITY[:2]), "max")


def test_an_image_called_as_a_lesion_is_refused():
    with pytest.raises(UserError, match=r"^z is the name of a group and of an image"):
        pooled(four(unit=["z", "image z", "a", "z"], image="kzcd"), "mean")
