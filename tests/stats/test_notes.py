"""What is said below a table: each sentence from numbers by hand, and its absence."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lightning_imbal.stats.column_scores import Winner
from lightning_imbal.stats.notes import notes_of
from lightning_imbal.tables.spec import Column, Metric, Row, Spec
from lightning_imbal.wording import signed_text

ROWS = ["LDAM", "RS", "CE"]
COLUMN = Column(dataset="skin")
ABOUT = {"dataset": "skin", "backbone": "", "metric": "F1", "best": "LDAM", "value": [0.75, 0.5, 0.25]}
ABOUT |= {"runs": 1, "rounds": 1, "units": "images", "networks": "resnet18", "commits": "abc", "versions": "torch 2"}
ABOUT |= {"published": np.nan, "calibrated": np.nan, "p_value": np.nan, "p_best": np.nan}
ABOUT |= {"learned": True, "remark": ""}


def block_of(column=COLUMN, images=(), floors=None, **few):
    """What the notes ask a column for."""
    known = {"CE": [SimpleNamespace(image=np.array(images))]}
    return SimpleNamespace(
        column=column, few=few, known=known, done={}, refused={}, overlap=None, compared=SimpleNamespace(floors=floors)
    )


def notes(blocks=(), winners=None, metrics=None, gap=None, average="mean", decimals=3, columns=(COLUMN,), **cells):
    """The notes of three rows with one metric, of which `cells` says something else."""
    metrics = metrics or {"F1": Metric(score="f1")}
    rows = {name: Row() for name in ROWS}
    spec = Spec(title="", columns=[*columns], rows=rows, metrics=metrics, gap=gap, average=average, decimals=decimals)
    table = pd.DataFrame({"row": ROWS} | ABOUT | cells)
    return notes_of(table, [], "CE", spec, blocks, winners or {})


def only(said, *words):
    [found] = [note for note in said if all(word in note for word in words)]
    return found


def test_nothing_was_run():
    assert notes(runs=0) == []


@pytest.mark.parametrize(
    ("cells", "average", "chance"),
    [
        ({}, "", ", not for the chance of training"),
        (
            {"rounds": 2},
            "median ± standard deviation (ddof 0) over the runs; ",
            " and the chance of training",
        ),
        (
            {"rounds": [2, 1, 1]},
            "median ± standard deviation (ddof 0) over the runs; ",
            " and the chance of training where there are several seeds",
        ),
    ],
)
def test_what_was_measured(cells, average, chance):
    [measured] = notes(average="median", **cells)
    assert measured == (
        f"Measured: {average}in brackets the 95 % interval for the choice of the images of the test set"
        f"{chance}. It is Wilson's of accuracy and of recall, precision and F1 of a class, and of other scores "
        "that of 2,000 bootstrap resamples."
    )


def test_runs_are_no_unit_of_their_own():
    units = ["groups of images and runs", "images and runs", "groups of images"]
    assert "for the choice of the groups of images and images of the test set" in notes(units=units)[0]


def test_folds_are_said_to_be_joined():
    [_, joined] = notes(runs=5)
    assert joined.startswith("The folds of a cross-validation are one test: their predictions are joined before")
    assert "as it may be published" not in joined
    assert notes(runs=5, published=[np.nan, 0.5, np.nan])[1].endswith(
        "An average over folds, as it may be published, is another number."
    )
    assert not [note for note in notes(runs=5, rounds=5, published=0.5) if "folds" in note], "five seeds"


def test_classes_with_few_units_are_named():
    assert not [note for note in notes([block_of()]) if "fewer than 10" in note]
    assert notes([block_of(df=4), block_of(vasc=9)])[1] == (
        "Tested with fewer than 10 images: df (4), vasc (9). Resamples cannot stand for so few: intervals of means "
        "over such classes are put together from Wilson's of the classes."
    )
    many = notes([block_of(**dict.fromkeys("abcdefg", 1))], units="groups of images and runs")[1]
    assert many.startswith("Tested with fewer than 10 groups of images: a (1), b (1), c (1), d (1), e (1) and 2 more. ")


def test_what_stands_below_a_calibration_error_is_explained():
    assert "what a perfectly calibrated network would not exceed" in notes(calibrated=[0.02, np.nan, np.nan])[1]
    assert len(notes()) == 1


SEEDS = "* differs from CE by more than the choice of the test images and the chance of training explain, "
ONCE = "says that the networks of this row and those of CE differ by more than the choice of the test images explains, "
HOW = "at 5 % (paired bootstrap, Holm-corrected for the number of rows)"


def test_a_star_of_single_runs_is_one_of_networks():
    [_, star] = notes(p_value=[0.01, 0.5, np.nan])
    assert star == (
        f"* {ONCE}{HOW}: of the two methods it says nothing, another training may turn it round. Several seeds tell."
    )


def test_a_star_of_several_seeds_is_one_of_methods():
    [_, star] = notes(p_value=[0.01, 0.5, np.nan], rounds=3)
    assert star == f"{SEEDS}{HOW}."


def test_both_stars_are_told_apart():
    [_, several, once] = notes(p_value=[0.01, 0.5, np.nan], rounds=[3, 1, 1])
    assert several == f"{SEEDS}{HOW}, where there are several seeds."
    assert once.startswith(f"With one seed, * {ONCE}")
    # The baseline is not tested, and a row that was not tested has no star.
    assert notes(p_value=[0.01, np.nan, np.nan], rounds=[3, 1, 1])[1:] == [f"{SEEDS}{HOW}."]


def test_rows_that_cannot_be_told_from_the_best_are_named():
    said = ["skin: rows that cannot be told from LDAM, the best in F1: RS."]
    assert notes(p_best=[np.nan, 0.06, 0.01])[1:] == notes(p_best=[np.nan, 0.05, 0.04])[1:] == said
    error = {"F1": Metric(score="ece", title="ECE")}
    assert notes(metrics=error, value=[0.1, 0.3, 0.2], p_best=[np.nan, 0.3, 0.01])[1:] == [
        "skin: rows that cannot be told from LDAM, the best in ECE: RS."
    ]


def test_where_no_row_can_be_told_from_the_best_one_sentence_says_so():
    assert notes(p_best=[np.nan, 0.5, 0.5])[1:] == ["skin: no row can be told from the best in F1 (LDAM)."]
    # A row that was not compared is not told apart either.
    assert notes(p_best=[np.nan, 0.5, np.nan])[1:] == ["skin: no row can be told from the best in F1 (LDAM)."]


def test_ties_are_those_of_the_column():
    columns = COLUMN, Column(dataset="eye")
    cells = {"dataset": ["skin", "skin", "eye"], "p_best": [np.nan, 0.5, np.nan]}
    assert notes(columns=columns, **cells)[1:] == ["skin: no row can be told from the best in F1 (LDAM)."]


@pytest.mark.parametrize("p_best", [[np.nan, 0.049, 0.01], [np.nan, np.nan, np.nan]])
def test_nothing_is_said_where_all_are_told_apart(p_best):
    assert len(notes(p_best=p_best)) == 1


def test_metrics_without_marks_have_no_best():
    assert len(notes(p_best=[np.nan, 0.06, 0.01], metrics={"F1": Metric(score="f1", mark=0)})) == 1


def test_winners_are_told_with_what_they_owe_to_being_chosen():
    winners = {
        ("skin", "F1"): Winner("LDAM", 1.25, -0.04, 2),
        ("skin", "acc"): Winner("RS", 0.5, 0.25, 3),
        ("eye", "F1"): Winner("RS", 9.0, 9.0, 2),
    }
    metrics = {"F1": Metric(score="f1"), "acc": Metric(score="accuracy", title="Accuracy")}
    said = notes(winners=winners, metrics=metrics, decimals=1)
    assert said[1:] == [
        "skin: the best row less CE, as observed and as corrected for being chosen from 3 rows: F1 LDAM +1.2 and +0.0; "
        "Accuracy RS +0.5 and +0.2."
    ]


def test_a_difference_of_nothing_has_no_minus():
    assert [signed_text(number, 2) for number in (-0.004, 0.0, -0.006, 0.5)] == ["+0.00", "+0.00", "-0.01", "+0.50"]


def test_test_images_of_both_columns_are_counted():
    columns = COLUMN, Column(dataset="eye")
    skin, eye = block_of(columns[0], ["a", "b", "c"]), block_of(columns[1], ["c", "d", "a", "e"])
    apart = block_of(columns[1], ["d"])
    gap = {"columns": columns, "gap": ["skin", "eye"]}
    assert notes([skin, eye], **gap)[1:] == [
        "2 of the 4 test images of eye are test images of skin too: the intervals of the difference take them for "
        "others, and are rather too wide."
    ]
    assert "2 of the 3 test images of skin are" in notes([skin, eye], columns=columns, gap=["eye", "skin"])[1]
    assert len(notes([skin, apart], **gap)) == len(notes([skin, eye], columns=columns)) == 1
