"""How numbers and values are written for people."""

from math import nan

import pytest

from lightning_imbal.wording import did_you_mean, interval_text, object_text, score_text, value_text


@pytest.mark.parametrize("value, said", [(0.5, "0.500"), (None, "n/a"), (nan, "n/a"), (0.0, "0.000")])
def test_score(value, said):
    assert score_text(value) == said


def test_score_with_other_decimals():
    assert score_text(71.26, 1) == "71.3"


def test_interval():
    assert interval_text(0.5, 0.8, digits=2) == "[0.50, 0.80]"
    assert interval_text(0.5, 0.8, 3, "{} to {}") == "0.500 to 0.800"
    assert interval_text(nan, nan, digits=2) == ""


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("LDM", ["LDAM", "Focal"], "did you mean LDAM?"),
        ("ldam", ["LDAM", "Focal"], "did you mean LDAM?"),
        ("FOCAL", ["LDAM", "focal"], "did you mean focal?"),
        ("lightning_imbal.losses.LDM", ["LDAM", "Focal"], "did you mean LDAM?"),
        ("/home/me/somewhere/lda.yaml", ["methods/ldam.yaml", "demo.yaml"], "did you mean methods/ldam.yaml?"),
        ("/home/me/somewhere/q.yaml", ["methods/ldam.yaml"], ""),
        ("xyz", ["LDAM"], ""),
        ("", ["LDAM"], ""),
        ("LDAM", [], ""),
    ],
)
def test_what_was_meant(name, known, said):
    assert did_you_mean(name, known) == said


def test_several_may_be_meant_and_are_shown_as_one_likes():
    assert did_you_mean("ab", ["abc", "abd", "x"], most=2, show=lambda name: f"--{name}") in (
        "did you mean --abc or --abd?",
        "did you mean --abd or --abc?",
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (0.1, "0.1"),
        ("", '""'),
        ("val/f1", "val/f1"),
        ({"class_path": "lightning_imbal.losses.Deferred", "dict_kwargs": {"a": 1}}, "Deferred(a=1)"),
        ([0.5, 1], "[0.5, 1]"),
        ({"a": ["x y"], "b": None}, "{a: [x y], b: null}"),
        ([{"class_path": "a.B", "init_args": {"c": {"class_path": "D"}, "e": False}}, "F"], "[B(c=D, e=false), F]"),
    ],
)
def test_values_are_written_short(value, text):
    assert value_text(value) == text


def test_a_class_without_arguments_is_its_name():
    assert object_text("a.b.C", {}) == "C" and object_text("C", {"d": "1"}) == "C(d=1)"
