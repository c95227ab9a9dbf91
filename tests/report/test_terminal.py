"""Which number of a line is bold: the best one, where it can be told from the others."""

from io import StringIO

import pytest
from made_runs import write_run
from rich.console import Console

from lightning_imbal.errors import UserError
from lightning_imbal.report.terminal import (
    NO_BEST,
    TOLD_BEST,
    UNKNOWN_BEST,
    Beside,
    Line,
    check_classes,
    comparison_tables,
    never_found,
    print_list,
    print_runs,
    run_table,
)
from lightning_imbal.runs.run import Run
from lightning_imbal.score_names import SHOWN_OF_ANY
from lightning_imbal.stats.told_best import Told, told_best


@pytest.mark.parametrize(
    ("values", "best", "cells"),
    [
        ([0.25, 0.5, None], 1, ["0.250", "[bold]0.500[/]", "n/a"]),
        ([0.25, 0.5, None], 0, ["[bold]0.250[/]", "0.500", "n/a"]),
        ([0.25, 0.5], None, ["0.250", "0.500"]),
    ],
)
def test_the_best_of_a_line_is_bold(values, best, cells):
    assert Line("score", "", values, best).cells() == cells


def results_of(f1, accuracy):
    row = {"name": "nv", "train_images": 3, "images": 2, "f1": f1}
    identity = {"name": "ce", "part": "test"}
    return {"identity": identity, "classes": [row], "confusion": [[2]], "summary": {"accuracy": accuracy}}


@pytest.mark.parametrize(
    ("best", "bold", "told"),
    [
        ({"f1/nv": 1, "accuracy": 0}, {"0.500", "0.750"}, TOLD_BEST),
        ({"accuracy": 0}, {"0.750"}, TOLD_BEST),
        ({}, set(), NO_BEST),
        (None, set(), UNKNOWN_BEST),
    ],
)
def test_the_best_is_marked_where_it_is_known(best, bold, told):
    known = None if best is None else Told(best, {}, ["", ""])
    beside = Beside(["a", "b"], told=known)
    [table] = comparison_tables([results_of(0.25, 0.75), results_of(0.5, 0.625)], 300, beside)
    cells = [cell for column in table.columns[2:] for cell in column.cells]
    assert {cell for cell in cells if "bold" in cell} == {f"[bold]{text}[/]" for text in bold} and "0.250" in cells
    assert table.caption.plain == told


def test_runs_on_the_same_images_have_the_best_of_them_in_bold(tmp_path, capsys):
    """One that is right as often as the other cannot be told from it; one that has far more skill can."""
    for name, skill in {"ce": 0.6, "cl": 3.0, "rs": 0.6, "cl2": 3.0}.items():
        write_run(tmp_path / name, images=80, skill=skill)
    write_run(tmp_path / "other", images=80, first=80)
    write_run(tmp_path / "unknown", images=80, predictions=False)
    for others, told in {("ce", "cl"): TOLD_BEST, ("rs", "ce"): NO_BEST}.items():
        print_runs([str(tmp_path / name) for name in others])
        said = " ".join(capsys.readouterr().out.split())
        assert told in said and "Without any training: majority class and draw from the prior." in said
    best = told_best([Run(tmp_path / name) for name in ("rs", "cl", "ce")]).best
    assert {"f1", "accuracy"} <= best.keys() and set(best.values()) == {1}
    assert told_best([Run(tmp_path / name) for name in ("cl", "cl2", "ce")]).best == {}, "not from its double"
    for name in ("other", "unknown"):
        assert told_best([Run(tmp_path / each) for each in ("ce", "cl", name)]) is None


def test_scores_of_an_order_are_of_ordered_classes_alone(tmp_path, capsys):
    write_run(tmp_path / "grades", images=80, ordered=True)
    write_run(tmp_path / "others", images=80)
    for names, printed in {("grades",): True, ("others",): False, ("grades", "others"): False}.items():
        print_runs([str(tmp_path / name) for name in names])
        told = capsys.readouterr().out
        assert ("Quadratic kappa" in told) == ("Kendall tau-b" in told) == printed and "MCC" in told
    assert "kappa" in Run(tmp_path / "others").results["summary"]


def test_what_runs_share_is_said_once_and_long_words_break_behind_hyphens(tmp_path, capsys):
    for method in ("Balanced-MixUp", "CE"):
        title = {"method": method, "predictor": "", "data": "skin_pictures"}
        write_run(tmp_path / method, images=80, title=title, fitted={"temperature": 1.5})
    print_runs([str(tmp_path / "Balanced-MixUp"), str(tmp_path / "CE")])
    told = capsys.readouterr().out
    assert told.startswith("F1 per class: skin_pictures, seed 0") and told.count("skin_pictures") == told.count(
        "F1 per"
    )
    assert " Balanced- " in told and " MixUp " in told
    print_runs([str(tmp_path / "CE")])
    told = capsys.readouterr().out
    assert told.startswith("CE, skin_pictures, seed 0: test part") and "validation part: temperature 1.5." in told


def test_runs_of_other_classes_are_refused(tmp_path):
    runs = [results_of(0.25, 0.75), results_of(0.25, 0.75)]
    runs[1]["classes"][0]["name"] = "mel"
    with pytest.raises(UserError, match="The runs have different classes and cannot be compared"):
        check_classes(runs)


def test_names_are_printed_as_they_are():
    name = "[/a] x :heart: [b]"
    row = {"name": name, "train_images": 3, "images": 2, "f1": 0.5}
    results = {"identity": {"name": name, "part": "test"}, "classes": [row], "confusion": [[2]], "summary": {}}
    results["groups"] = {name: {"classes": [name], "f1": 0.5}}
    console = Console(width=200, record=True, file=StringIO())
    console.print(run_table(results))
    for table in comparison_tables([results, results], 200, Beside([name, name])):
        console.print(table)
    print_list(console, name, [name])
    text = console.export_text()
    assert text.count(name) == 8, text


def test_classes_that_were_never_found_are_named():
    def results(confusion):
        rows = [(f"k{place}", sum(row), row[place]) for place, row in enumerate(confusion)]
        classes = [{"name": name, "images": images, "recall": hits / images} for name, images, hits in rows]
        return {"classes": classes, "confusion": confusion}

    assert list(never_found(results([[3, 0, 1], [4, 0, 0], [2, 0, 0]]))) == [
        "Never found: k1 (0 of 4), k2 (0 of 2). Never even answered: k1."
    ]
    assert not list(never_found(results([[3, 0], [1, 1]])))


def test_scores_that_are_too_good_are_said_to_be_below_the_table():
    identity = {"name": "ce", "part": "val", "chosen_by": {"epoch": "val/f1"}, "trained_images": 1}
    row = {"name": "nv", "train_images": 3, "images": 2, "f1": 0.5}
    results = {"identity": identity, "classes": [row], "confusion": [[2]], "summary": {}, "groups": {}}
    console = Console(width=300, record=True, file=StringIO())
    console.print(run_table(results))
    for table in comparison_tables([results, results], 300, Beside(["ce", "ce"])):
        console.print(table)
    text = " ".join(console.export_text().split())
    assert text.count("by val/f1 on this very val part") == text.count("were trained on") == 2


def test_floors_and_what_has_not_left_them_stand_beside_the_runs():
    results = results_of(0.25, 0.75) | {"groups": {}}
    floor = {"majority class": {"f1/nv": 0.125} | dict.fromkeys(SHOWN_OF_ANY, 0.0625)}
    told = Told({}, floor, ["", "not above the floor"])
    [table] = comparison_tables([results, results], 300, Beside(["ce", "ce"], told=told))
    assert [str(column.header) for column in table.columns][2:] == ["ce", "ce", "majority class"]
    cells = list(table.columns[-1].cells)
    assert cells[0] == "0.125" and set(cells[1:]) == {"0.062"}
    assert table.caption.plain.split("\n")[0] == "ce: not above the floor."


def test_a_run_with_one_answer_is_told_also_without_predictions():
    rows = [{"name": name, "train_images": 3, "images": 2, "f1": 0.5} for name in ("nv", "mel")]
    results = results_of(0.25, 0.75) | {"classes": rows, "groups": {}}
    for confusion, told in {((2, 0), (2, 0)): 1, ((2, 0), (1, 1)): 0, ((2, 0), (0, 0)): 0}.items():
        console = Console(width=300, record=True, file=StringIO())
        console.print(run_table(results | {"confusion": confusion}))
        for table in comparison_tables([results | {"confusion": confusion}] * 2, 300, Beside(["ce", "ce"])):
            console.print(table)
        assert console.export_text().count('ce: answers only "nv".') == 3 * told
