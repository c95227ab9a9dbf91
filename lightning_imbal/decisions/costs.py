"""The class whose expected cost is smallest."""

import csv
from pathlib import Path

import numpy as np

from lightning_imbal.decisions.base import Decision, Labelled, Rule, check_known
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import beside


class ExpectedCost(Rule):
    """Answers the class that costs least on average, over what the probabilities say may be true.

    Elkan 2001, "The Foundations of Cost-Sensitive Learning", Eq. 1: the sum over the true classes j of p_j * cost(j, i)
    is smallest. Only differences within a row matter, so that a right answer may also have a negative cost, a gain.
    Nothing is fitted: probabilities that are not calibrated give the wrong expectations.

    Args:
        costs: A CSV file: the first line names the answered classes and the first column the true ones, in any order;
            the cells are costs, in any unit.

    Raises:
        UserError: The file is not there, or is no square of numbers with the same classes in rows and columns, or a
            wrong answer costs less than the right one.
    """

    def __init__(self, costs: str) -> None:
        self.costs = costs
        self._cost = _read(costs)

    def fit(self, validation: Labelled) -> Decision:
        names = validation.class_names
        check_known(list(self._cost), names, self.costs)
        if missing := [name for name in names if name not in self._cost]:
            raise UserError(f"{self.costs} has no row of the class {missing[0]}: add its row and its column.")
        return Decision(names, gain=-np.array([[self._cost[true][answer] for answer in names] for true in names]))


def _read(file: str) -> dict[str, dict[str, float]]:
    """Cost of each answered class by the true one."""
    try:
        text = Path(file).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        mend = beside(file) if isinstance(error, FileNotFoundError) else ""
        mend = mend or "name a CSV file of costs, with true classes in rows and answered ones in columns."
        raise UserError(f"{file} cannot be read: {mend}") from error
    head = text.partition("\n")[0]
    lines = csv.reader(text.splitlines(), delimiter=max(",;\t", key=head.count))
    rows = [[cell.strip() for cell in line] for line in lines if any(cell.strip() for cell in line)]
    answered, true = (rows[0][1:] if rows else []), [row[0] for row in rows[1:]]
    for name in (*answered, *true):
        if answered.count(name) != 1 or true.count(name) != 1:
            raise UserError(f"{file}: the class {name!r} must be the head of one row and of one column.")
    if not answered or any(len(row) != len(rows[0]) for row in rows):
        raise UserError(f"{file} is not square: write one row and one column for each class.")
    costs = {
        line[0]: {name: _number(file, line[0], name, cell) for name, cell in zip(answered, line[1:], strict=True)}
        for line in rows[1:]
    }
    for name, row_costs in costs.items():
        cheapest = min(row_costs, key=row_costs.__getitem__)
        if row_costs[cheapest] < row_costs[name]:
            raise UserError(
                f"{file}: where {name} is true, answering {cheapest} costs less than the right answer: write costs, "
                "not gains."
            )
    return costs


def _number(file: str, true: str, answered: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise UserError(f"{file}: the cost of answering {answered} where {true} is true is {cell!r}: write a number.")
    return value
