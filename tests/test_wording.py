"""How numbers are written for people."""

from math import nan

import pytest

from lightning_imbal.wording import interval_text, score_text


@pytest.mark.parametrize("value, said", [(0.5, "0.500"), (None, "n/a"), (nan, "n/a"), (0.0, "0.000")])
def test_score(value, said):
    assert score_text(value) == said


def test_score_with_other_decimals():
    assert score_text(71.26, 1) == "71.3"


def test_interval():
    assert interval_text(0.5, 0.8, digits=2) == "[0.50, 0.80]"
    assert interval_text(0.5, 0.8, 3, "{} to {}") == "0.500 to 0.800"
    assert interval_text(nan, nan, digits=2) == ""
