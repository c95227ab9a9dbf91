"""What is written in two ways and meant as one, and what YAML makes of labels."""

import pandas as pd
import pytest

from lightning_imbal.data.index.spellings import as_labels, one_spelling, refuse_look_alikes
from lightning_imbal.errors import UserError


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (["nevus", "Nevus", "nevus"], r"'nevus' \(2 rows\) and 'Nevus' \(1 row\): mend"),
        (["a b", "a\u00a0b"], r"'a b' .* 'a\\xa0b'"),
        (["a b", "a  b"], "'a b' .* 'a  b'"),
        (["ab", "a\u200bb"], r"'ab' .* 'a\\u200bb'"),
        (["ä", "a\u0308"], r"'\\xe4' .* 'a\\u0308'"),
        (["ﬁn", "fin"], "'ﬁn' .* 'fin'"),
        (["ℌa", "ha"], "'ℌa' .* 'ha'"),
        (["groß", "GROSS"], "'groß' .* 'GROSS'"),
        (["1", "2", "1.0"], "'1' .* '1.0'"),
        (["01", "1"], "'01' .* '1'"),
        (["a", "A", "b", "B"], "'a' .* 'A' .*, and 1 further such label: mend"),
    ],
)
def test_look_alikes_are_refused_with_their_numbers(labels, shown):
    with pytest.raises(UserError, match=f"labels.csv has labels that differ only in how they are written, {shown}"):
        refuse_look_alikes(pd.Series(labels), "labels.csv", "row", "mend")


def test_other_labels_are_no_look_alikes():
    labels = ["1", "10", "1_0", "1e2", "1.5", "nan", "inf", "-1", "a", "ab", "a-b", "a b", "a_b", "ä"]
    refuse_look_alikes(pd.Series(labels), "labels.csv", "row", "mend")
    # As floating point numbers they would be equal.
    refuse_look_alikes(pd.Series(["12345678901234567", "12345678901234568"]), "labels.csv", "row", "mend")


def test_groups_that_look_alike_are_one_and_said(told):
    groups = one_spelling(pd.Series(["P1", "p1", None, "2", "2.0", "P3"]), "patient", "labels.csv")
    assert groups.fillna("").tolist() == ["P1", "P1", "", "2", "2", "P3"]
    assert "2 groups in its column 'patient' with several spellings, such as 'P1' and 'p1'" in told.text
    told.clear()
    assert one_spelling(pd.Series(["P1", "P2"]), "patient", "labels.csv").tolist() == ["P1", "P2"]
    assert not told.text


@pytest.mark.parametrize(
    ("given", "labels", "expected"),
    [
        ([2, 1, 0], ["0", "1", "2"], ["2", "1", "0"]),
        ([1, 0], ["0.0", "1.0"], ["1.0", "0.0"]),
        ([True, False], ["no", "yes"], ["yes", "no"]),
        ([True, 1], ["1", "on"], ["on", "1"]),
        ([None, 1000.0], ["null", "1e3"], ["null", "1e3"]),
        ([8, 1], ["01", "08"], ["08", "01"]),
        (["b", "a"], ["a", "b"], ["b", "a"]),
        ([7, True], ["a", "b"], ["7", "true"]),
    ],
)
def test_what_yaml_reads_is_the_label_that_was_written(given, labels, expected):
    assert as_labels(given, labels) == expected


def test_two_labels_that_yaml_reads_alike_must_be_given_in_quotes():
    with pytest.raises(UserError, match="True may mean the labels 'yes' and 'true': .* in quotes, such as \"yes\""):
        as_labels([True, "no"], ["yes", "true", "no"])
    assert as_labels(["true", False], ["yes", "true", "no"]) == ["true", "no"]
