"""Which number of a line is bold: the best one, whichever way that is."""

from io import StringIO

import pytest
from rich.console import Console

from lightning_imbal.report.terminal import Line, comparison_tables, print_list, run_table


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


def test_names_are_printed_as_they_are():
    name = "[/a] x :heart: [b]"
    row = {"name": name, "train_images": 3, "images": 2, "f1": 0.5}
    results = {"identity": {"name": name, "part": "test"}, "classes": [row], "summary": {}}
    results["groups"] = {name: {"classes": [name], "f1": 0.5}}
    console = Console(width=200, record=True, file=StringIO())
    console.print(run_table(results))
    for table in comparison_tables([results, results], 200):
        console.print(table)
    print_list(console, name, [name])
    text = console.export_text()
    assert text.count(name) == 8, text


def test_scores_that_are_too_good_are_said_to_be_below_the_table():
    identity = {"name": "ce", "part": "val", "chosen_by": {"epoch": "val/f1"}, "trained_images": 1}
    row = {"name": "nv", "train_images": 3, "images": 2, "f1": 0.5}
    results = {"identity": identity, "classes": [row], "summary": {}, "groups": {}}
    console = Console(width=300, record=True, file=StringIO())
    console.print(run_table(results))
    for table in comparison_tables([results, results], 300):
        console.print(table)
    text = " ".join(console.export_text().split())
    assert text.count("by val/f1 on this very val part") == text.count("were trained on") == 3
