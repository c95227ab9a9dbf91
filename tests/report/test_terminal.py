"""Which number of a line is bold: the best one, whichever way that is."""

import pytest

from lightning_imbal.report.terminal import Line


@pytest.mark.parametrize(
    ("values", "lower_is_better", "cells"),
    [
        ([0.25, 0.5, None], False, ["0.250", "[bold]0.500[/]", "n/a"]),
        ([0.25, 0.5, None], True, ["[bold]0.250[/]", "0.500", "n/a"]),
        ([0.5, 0.5], False, ["[bold]0.500[/]", "[bold]0.500[/]"]),
        ([None, None], False, ["n/a", "n/a"]),
        ([0.5], False, ["0.500"]),
    ],
)
def test_the_best_of_a_line_is_bold(values, lower_is_better, cells):
    assert Line("score", "", values, lower_is_better).cells() == cells
