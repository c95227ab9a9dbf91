"""Columns of label files by their names and contents; several findings per image are refused."""

import pandas as pd
import pytest

from lightning_imbal.data.look.columns import (
    IMAGE_COLUMNS,
    LABEL_COLUMNS,
    OF_LABELS,
    columns_called,
    join_findings,
    labels_of_columns,
    one_hot_columns,
)
from lightning_imbal.errors import UserError


@pytest.mark.parametrize(
    ("header", "image", "label"),
    [
        (["lesion_id", "image_id", "dx", "dx_type", "age"], ["image_id"], ["dx"]),
        (["Image Index", "Finding Labels", "Patient ID"], ["Image Index"], ["Finding Labels"]),
        (["id_code", "diagnosis"], ["id_code"], ["diagnosis"]),
        (["md5hash", "label", "nine_partition_label"], ["md5hash"], ["label", "nine_partition_label"]),
        (["a", "b"], [], []),
    ],
)
def test_usual_names(header, image, label):
    assert columns_called(header, IMAGE_COLUMNS) == image
    assert columns_called(header, LABEL_COLUMNS, OF_LABELS) == label


def text(**columns):
    return pd.DataFrame(columns, dtype=object)


def test_columns_of_0_and_1():
    table = text(image=["x", "y", "z"], smoker=["0", "0", "1"], age=["1", "50", "7"], MEL=["1.0", "0.0", "0.0"])
    table = table.assign(NV=["0.0", "1.0", "0.0"], UNK=["0.0", "0.0", "1.0"], site=["a", "b", "c"])
    assert one_hot_columns(table) == ["MEL", "NV", "UNK"]
    assert labels_of_columns(table[["MEL", "NV", "UNK"]], False, "f").tolist() == ["MEL", "NV", "UNK"]
    assert one_hot_columns(table[["image", "smoker", "site"]]) == []
    assert one_hot_columns(text(image=["x", "y"], smoker=["1", "1"], healthy=["0", "0"])) == []


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"A": ["1", "1"], "B": ["0", "1"]}, r"f has several findings per image, such as 'A\|B' \(1 of 2 rows\)"),
        ({"A": ["1.0", "1.0"], "B": ["-1.0", "1.0"]}, r"f has several findings per image, such as 'A\|B'"),
        ({"A": ["1", "0"], "B": ["0", "0"]}, "gives the image in line 3 none of the classes A, B"),
        ({"A": ["1", "2"], "B": ["0", "0"]}, "has '2' in its column 'A', line 3"),
    ],
)
def test_rows_without_one_class_are_refused(columns, sentence):
    with pytest.raises(UserError, match=sentence):
        labels_of_columns(text(**columns), False, "f")


def test_sets_of_findings_may_be_classes():
    table = text(A=["1", "1", "0"], B=["0", "1", "0"])
    assert labels_of_columns(table, True, "f").tolist() == ["A", "A|B", "no finding"]
    table = text(image=["x", "y", "z", "z", "v"], label=["b|a", "a", "a", "c", "b"])
    joined = join_findings(table, True, "f")
    assert dict(joined.to_numpy()) == {"x": "a|b", "y": "a", "z": "a|c", "v": "b"}
    assert joined.index.tolist() == [0, 1, 2, 4]


@pytest.mark.parametrize(
    "labels", [["a", "b", "a|b"], ["a", "b", "a, b"], ["['a']", "['a', 'b']", "['b']"], ["a", "b", "b;a"]]
)
def test_sets_of_findings_are_refused(labels):
    with pytest.raises(UserError, match="several findings per image.*make one class of each set with"):
        join_findings(text(image=list("xyz"), label=labels), False, "f")


def test_rows_of_one_image_with_different_labels_are_refused():
    with pytest.raises(UserError, match=r"several findings per image, such as 'a\|b' \(2 of 3 rows\)"):
        join_findings(text(image=["x", "x", "y"], label=["a", "b", "a"]), False, "f")


@pytest.mark.parametrize("labels", [["carcinoma, NOS", "nevus"], ["grade 1+2", "grade 3"], ["n/a", "a"], ["1", "2"]])
def test_labels_with_separators_of_their_own_are_classes(labels):
    table = text(image=["x", "y"], label=labels)
    assert join_findings(table, False, "f")["label"].tolist() == labels
