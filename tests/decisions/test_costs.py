"""Expected cost: a loop over answers, the file in any order, and what is refused."""

import numpy as np
import pytest
from made_labelled import NAMES, long_tailed

from lightning_imbal.decisions.costs import ExpectedCost
from lightning_imbal.errors import UserError

COSTS = {
    "nv": {"nv": 0.0, "mel": 1.0, "bcc": 2.0},
    "mel": {"nv": 20.0, "mel": -1.0, "bcc": 5.0},
    "bcc": {"nv": 7.5, "mel": 1.0, "bcc": 0.0},
}


@pytest.fixture
def written(tmp_path):
    def write(text, **given):
        file = tmp_path / "costs.csv"
        file.write_text(text, **({"encoding": "utf-8"} | given))
        return str(file)

    return write


def as_text(rows=("nv", "mel", "bcc"), columns=("nv", "mel", "bcc"), separator=","):
    lines = [["", *columns], *([row, *(f"{COSTS[row][column]}" for column in columns)] for row in rows)]
    return "\n".join(separator.join(line) for line in lines) + "\n"


def test_answers_are_those_of_a_loop(written):
    images = long_tailed(200, skill=2.5)
    expected = [
        min(range(3), key=lambda i: sum(row[j] * COSTS[NAMES[j]][NAMES[i]] for j in range(3)))
        for row in images.probability
    ]
    assert len(set(expected)) == 3
    decision = ExpectedCost(written(as_text())).fit(images)
    assert decision.answer(images.probability).tolist() == expected


@pytest.mark.parametrize(
    "text",
    [
        as_text(("bcc", "nv", "mel"), ("mel", "bcc", "nv")),
        as_text(separator=";"),
        as_text(separator="\t").replace("\n", "\r\n"),
        "\ufeff" + as_text(separator=" , ") + "\n\n",
    ],
)
def test_order_and_separators_do_not_matter(written, text):
    decision = ExpectedCost(written(text)).fit(long_tailed(9))
    assert (-decision.gain).tolist() == [list(row.values()) for row in COSTS.values()]


def test_by_hand(written):
    # One melanoma taken for a nevus costs as much as nine nevi taken for melanoma: answered from 10 % on.
    decision = ExpectedCost(written(",mel,nv\nmel,0,9\nnv,1,0\n")).fit(long_tailed(9, classes=2))
    assert decision.answer(np.array([[0.89, 0.11], [0.91, 0.09]])).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (as_text(("nv", "mel", "bcc"), ("nv", "mel")), "class 'bcc' must be the head of one row and of one column"),
        (as_text(("nv", "mel")), "class 'bcc' must be the head"),
        (as_text(("nv", "mel", "bcc", "mel")), "class 'mel' must be the head"),
        (as_text().replace("5.0", "five"), "answering bcc where mel is true is 'five': write a number"),
        (as_text().replace("5.0", ""), "is '': write a number"),
        (as_text().replace("5.0", "inf"), "is 'inf': write a number"),
        (as_text().replace("7.5,", ""), "is not square"),
        ("", "is not square"),
        (as_text().replace("7.5", "-7.5"), "where bcc is true, answering nv costs less than the right answer"),
    ],
)
def test_file_is_refused_at_once(written, text, said):
    with pytest.raises(UserError, match=said):
        ExpectedCost(written(text))


def test_no_file_and_no_text(tmp_path, written):
    with pytest.raises(UserError, match="none.csv cannot be read: name a CSV file"):
        ExpectedCost(str(tmp_path / "none.csv"))
    with pytest.raises(UserError, match="cannot be read"):
        ExpectedCost(written("é,a\n", encoding="latin-1"))


def test_other_classes_are_refused(written):
    rule = ExpectedCost(written(as_text()))
    with pytest.raises(UserError, match="names the class 'bcc', but the classes are nv, mel"):
        rule.fit(long_tailed(9, classes=2))
    with pytest.raises(UserError, match="has no row of the class df: add its row and its column"):
        rule.fit(long_tailed(9, classes=4))
