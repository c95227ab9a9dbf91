"""The hyper-parameters that finished runs differ in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lightning_imbal.stats.results import Results
from lightning_imbal.stats.settings import settings

CLASS = ".class_path"
SWEPT = ("f1", "balanced_accuracy")  # scores that are drawn over an option
WIDE = 20  # times: an option whose values span more has a logarithmic axis


@dataclass(frozen=True)
class Sweep:
    """A hyper-parameter that rows differ in while everything else is equal.

    Args:
        option: Its name, such as `model.loss.gamma`.
        curves: For each choice of everything else, named after what it differs in (such as "Focal" or "q=0"; "" if
            there is only one), the values that were run and their rows, by rising value.
    """

    option: str
    curves: dict[str, list[tuple[float, str]]]


def sweeps(results: Results) -> list[Sweep]:
    """The numeric options in which rows differ while all their other settings are equal.

    Rows are compared by the settings of their first run, in the column where most of them were run.
    """
    column = max(results.runs.values(), key=lambda rows: sum(map(bool, rows.values())), default={})
    asked = {row: settings(runs[0]) for row, runs in column.items() if runs}
    options = dict.fromkeys(option for of_row in asked.values() for option in of_row)
    found = [Sweep(option, _curves(option, asked)) for option in options]
    return [sweep for sweep in found if sweep.curves]


def _curves(option: str, asked: dict[str, dict[str, Any]]) -> dict[str, list[tuple[float, str]]]:
    values = {row: of_row[option] for row, of_row in asked.items() if _is_number(of_row.get(option))}
    if len(set(values.values())) < 2:
        return {}
    alike: dict[frozenset[tuple[str, Any]], list[tuple[float, str]]] = {}
    for row, value in values.items():
        others = frozenset((key, other) for key, other in asked[row].items() if key != option)
        alike.setdefault(others, []).append((value, row))
    curves = {others: sorted(points) for others, points in alike.items() if len({value for value, _ in points}) > 1}
    names = _names([dict(others) for others in curves])
    if len(names) > 1 and len(set(names) - {""}) < len(names):
        names = [points[0][1] for points in curves.values()]  # in words, they are the same
    return dict(zip(names, curves.values(), strict=True))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _names(curves: Sequence[dict[str, Any]]) -> list[str]:
    """In what each curve differs from others that have the same option: classes first, by their own names."""
    known = {key for curve in curves for key in curve}
    # Where another curve has a class, none is a choice as well.
    nothing = [{key + CLASS: None for key in curve if curve[key] is None and key + CLASS in known} for curve in curves]
    curves = [curve | none for curve, none in zip(curves, nothing, strict=True)]
    differing = [key for key in known if len({curve[key] for curve in curves if key in curve}) > 1]
    differing.sort(key=lambda key: (not key.endswith(CLASS), key))
    return [", ".join(_text(key, curve[key]) for key in differing if key in curve) for curve in curves]


def _text(key: str, value: Any) -> str:
    if not key.endswith(CLASS):
        return f"{key.rpartition('.')[2]}={value}"
    return value.rpartition(".")[2] if value else f"no {key.removesuffix(CLASS).rpartition('.')[2]}"
