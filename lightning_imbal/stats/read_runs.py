"""Reads finished runs as the rows of a table: runs that differ in seed or fold alone are one row."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning_imbal.errors import UserError
from lightning_imbal.runs.attributes import NO_EDGES, Edges
from lightning_imbal.runs.run import Run
from lightning_imbal.runs.title import SEED_OR_FOLD, data_title, shown_scores
from lightning_imbal.stats.results import Results, collect
from lightning_imbal.stats.run_names import row_names
from lightning_imbal.tables.cell import Cell
from lightning_imbal.tables.spec import Column, Metric, Row, Spec
from lightning_imbal.wording import number_of


def read_runs(folders: Sequence[str | Path], edges: Edges = NO_EDGES) -> Results:
    """Collects finished runs of one data set: scores with intervals and tests, against the first row.

    Args:
        folders: What `fit`, `test` or `table` wrote to, in any order.
        edges: As for `collect`.

    Raises:
        UserError: A folder holds no finished run, or the runs have different classes or parts; or the edges are wrong.
    """
    methods, shared = _named_rows(folders)
    runs = [run for of_row in methods.values() for run in of_row]
    identities = [run.identity for run in runs]
    data, part = " and ".join(dict.fromkeys(map(data_title, identities))), identities[0]["part"]
    column = Column(dataset=f"{data}, {part} part")
    title = runs[0].title if len(runs) == 1 else f"{number_of(len(runs), 'run')} of {shared or data}"
    cells = [Cell(name, column, run.repeat, None, run.folder) for name, of_row in methods.items() for run in of_row]
    spec = Spec(
        title=title,
        columns=[column],
        rows={name: Row() for name in methods},
        metrics={key: Metric(score=key, title=title) for key, title in shown_scores(identities).items()},
    )
    return collect(spec, cells, [], _parent([run.folder for run in runs]), next(iter(methods)), edges)


def methods_of(folders: Sequence[str | Path]) -> dict[str, list[Run]]:
    """Finished runs by the name of their method: those whose folders differ in seed or fold alone are of one.

    Raises:
        UserError: As for `read_runs`.
    """
    return _named_rows(folders)[0]


def _named_rows(folders: Sequence[str | Path]) -> tuple[dict[str, list[Run]], str]:
    """The same, and what the titles of all have in common."""
    places = list(dict.fromkeys(Path(folder).absolute() for folder in folders))
    _check(places, [Run(place).results for place in places])
    rows: dict[str, list[Run]] = {}
    for of_row, place in zip(_rows(places), places, strict=True):
        rows.setdefault(of_row, []).append(Run(place, _repeat(Run(place).identity)))
    names, shared = row_names(list(rows.values()))
    return dict(zip(names, rows.values(), strict=True)), shared


def _check(places: Sequence[Path], found: Sequence[dict[str, Any]]) -> None:
    for place, results in zip(places, found, strict=True):
        if [row["name"] for row in results["classes"]] != [row["name"] for row in found[0]["classes"]]:
            raise UserError(
                f"{place} has other classes than {places[0]}: give runs on the same data set, one page for each."
            )
        if results["identity"]["part"] != found[0]["identity"]["part"]:
            raise UserError(
                f"{place} was evaluated on the {results['identity']['part']} part, {places[0]} on the "
                f"{found[0]['identity']['part']} part: give runs on the same part."
            )


def _repeat(identity: dict[str, Any]) -> str:
    fold = identity["split"].get("fold")
    if fold is not None:
        return f"fold {fold}"
    return "ensemble" if identity.get("members") else f"seed {identity['seed']}"


def _parent(places: Sequence[Path]) -> Path:
    return Path(os.path.commonpath([place.parent for place in places]))


def _rows(places: Sequence[Path]) -> list[str]:
    """Where each run lies, without seed and fold."""
    return [SEED_OR_FOLD.sub("", place.relative_to(_parent(places)).as_posix()) or place.name for place in places]
