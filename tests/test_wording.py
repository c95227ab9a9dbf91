"""How numbers are written for people."""

from math import nan

import pytest

from lightning_imbal.wording import did_you_mean, interval_text, score_text


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
