"""Which subgroups an attribute makes: numbers and words, thirds and given edges, and what is not known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_predictions import predicted

from lightning_imbal.errors import UserError
from lightning_imbal.runs.attributes import (
    NOT_KNOWN,
    Attribute,
    attributes_of,
    check_edges,
    parse_edges,
    values_of,
)
from lightning_imbal.runs.pooling import pooled
from lightning_imbal.runs.predictions import as_predictions, column_values
from lightning_imbal.stats.rounds import Round


def texts(*values):
    return np.array([str(value) for value in values], dtype=object)


def attribute(*values, edges=None):
    [found] = attributes_of({"age": texts(*values)}, {"age": edges} if edges else {})
    return found


def test_more_than_ten_numbers_are_divided_at_thirds_of_the_images():
    values = [*range(20, 32), 25, 25, 25]  # 15 images: 5 up to 24, 5 of them 25
    found = attribute(*values)
    assert found == Attribute("age", ("up to 24", "25 to 26", "over 26"), (24.0, 26.0))
    # By hand: how many are at most 24, at most 26, and above.
    assert np.bincount(found.places(texts(*values))).tolist() == [5, 5, 5]


def test_ten_numbers_or_fewer_are_words_in_their_order():
    assert attribute(*[10, 2, 9, 1, 3, 4, 5, 6, 7, 8] * 2).subgroups == tuple(map(str, range(1, 11)))
    assert attribute(*range(11)).edges is not None


def test_words_are_in_the_order_of_their_sizes_and_what_is_missing_comes_last():
    found = attribute("b", "", "a", "c", "", "", "", "c")
    assert found.subgroups == ("c", "a", "b", NOT_KNOWN) and found.edges is None
    assert found.places(texts("", "b", NOT_KNOWN, "c")).tolist() == [3, 2, 3, 0]


def test_one_word_among_numbers_makes_words_of_all():
    assert attribute(*range(20), "old").edges is None


def test_subgroups_end_with_their_edges():
    found = attribute(39, 40, 41, 60, 61, "", edges=(40.0, 60.0))
    assert found.subgroups == ("up to 40", "41 to 60", "over 60", NOT_KNOWN)
    assert found.places(texts(39, 40, 41, 60, 61, "")).tolist() == [0, 0, 1, 1, 2, 3]
    assert attribute(1.5, 2, edges=(0.5, 1.75)).subgroups == ("up to 0.5", "over 0.5 to 1.75", "over 1.75")
    assert attribute(1, 2, 3, edges=(1.0, 2.0)).subgroups == ("up to 1", "2", "over 2")


def test_thirds_that_fall_together_are_one_edge():
    assert attribute(*[0] * 30, *range(1, 12)).subgroups == ("up to 0", "over 0")
    assert attribute(*range(11), *[11] * 40).subgroups == ("up to 10", "over 10")


def test_nothing_known_is_no_attribute():
    assert attributes_of({"age": texts("", ""), "sex": texts("f", "")})[0].name == "sex"
    assert attributes_of({}) == []


@pytest.mark.parametrize("text", ["age", "age=", "=40", "age=60,40", "age=40,40", "age=a", "age=nan", "age=40,,60"])
def test_edges_that_are_none_are_refused(text):
    with pytest.raises(UserError, match=r"ascending numbers, such as age=40,60\.$"):
        parse_edges([text])


def test_edges_are_read_and_given_once():
    assert parse_edges(["age=40,60", "bmi=25"]) == {"age": (40.0, 60.0), "bmi": (25.0,)}
    with pytest.raises(UserError, match="age is given twice"):
        parse_edges(["age=40", "age=60"])


def test_edges_of_what_is_not_there_or_no_number_are_refused():
    values = {"age": texts(40, ""), "sex": texts("female", "")}
    check_edges({"age": (40.0,)}, values)
    with pytest.raises(UserError, match="no attribute 'agee': did you mean age?"):
        check_edges({"agee": (40.0,)}, values)
    with pytest.raises(UserError, match="no attribute 'q': there are age, sex"):
        check_edges({"q": (40.0,)}, values)
    with pytest.raises(UserError, match="'female' is no number"):
        check_edges({"sex": (40.0,)}, values)
    with pytest.raises(UserError, match="--data.metadata_columns"):
        check_edges({"age": (40.0,)}, {})


def about(*ages, first=0):
    image = [f"i{row + first}" for row in range(len(ages))]
    found = predicted(np.zeros(len(ages), dtype=int), np.zeros(len(ages), dtype=int), image=image)
    return replace(found, attributes={"age": texts(*ages)})


def test_every_image_counts_once():
    runs = [about(1, 2), about(1, 2), about(3, "", first=2), replace(about(9), attributes={})]
    assert values_of(runs)["age"].tolist() == ["1", "2", "3", ""]


def test_attributes_go_with_their_images():
    first, second = about(1, 2), about(3, first=2)
    assert first.only(np.array([False, True])).attributes["age"].tolist() == ["2"]
    assert Round((first, second)).joined.attributes["age"].tolist() == ["1", "2", "3"]
    assert Round((first, replace(second, attributes={}))).joined.attributes == {}


def test_columns_of_predictions_are_read_as_text():
    table = pd.DataFrame({"image": ["a", "b"], "label": "x", "meta/age": ["30", None], "probability/x": 1.0})
    results = {"classes": [{"name": "x", "train_images": 1}], "groups": {}}
    assert as_predictions(table, results, None).attributes["age"].tolist() == ["30", ""]
    assert column_values(table.drop(columns="meta/age")) == {}


def test_what_the_images_of_a_lesion_do_not_share_is_not_known_of_it():
    images = replace(about(1, 1, 2, 3, "", 4), unit=np.array(["a", "a", "b", "b", "c", "image i5"]))
    together = pooled(images, "mean")
    assert together.image.tolist() == ["a", "b", "c", "i5"]
    assert together.attributes["age"].tolist() == ["1", "", "", "4"]
