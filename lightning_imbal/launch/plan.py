"""Which runs fill the cells of a table, and where they lie."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from lightning_imbal.command_line import last_setting, parse_options, to_options
from lightning_imbal.errors import UserError, refuse_below
from lightning_imbal.launch.features import feature_job, trained_on
from lightning_imbal.launch.job import Job
from lightning_imbal.tables.cell import Cell, repeat_title
from lightning_imbal.tables.spec import Column, Spec
from lightning_imbal.tables.tags import Labels
from lightning_imbal.wording import did_you_mean


@dataclass(frozen=True)
class _Line:
    """What the repeats of a row and a column have in common.

    Args:
        before: Command line before the option of the repeat.
        after: What follows that option.
        stem: Name of the folder without the repeat.
        labels: What they are in the table.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    stem: str
    labels: Labels


class Plan:
    """The cells of a table, and the jobs behind them: cells with the same command line share a job.

    Args:
        spec: The table.
        runs: Folder of all runs.
        overlays: Configurations over those of every cell.
        options: Further command line of every cell, such as `["--data.root", "images"]`.
        repeats: Seeds or folds to run; by default those of the table.
        only: Names (or patterns with `*`) of rows, data sets or backbones to run; by default all.

    Raises:
        UserError: A name is not in the table.
    """

    def __init__(
        self,
        spec: Spec,
        runs: Path,
        overlays: Sequence[str] = (),
        options: Sequence[str] = (),
        repeats: Sequence[int] | None = None,
        only: Sequence[str] = (),
    ) -> None:
        self.spec, self.runs, self.overlays, self.options = spec, runs, list(overlays), list(options)
        self._jobs: dict[Path, Job] = {}
        self._lines: dict[tuple[str, str], _Line] = {}
        chosen = _chosen(spec, only)
        self.cells = [
            self._cell(name, column, repeat)
            for column in spec.columns
            for name, row in spec.rows.items()
            if not row.quoted and (name, column.title) in chosen
            for repeat in _repeats(column, repeats)
        ]

    @property
    def name(self) -> str:
        """Name of the table, and of the configurations over its cells."""
        return "-".join([self.spec.name, *(Path(file).stem for file in self.overlays)])

    @property
    def jobs(self) -> list[Job]:
        """Every job once, after those that it waits for."""
        return list(self._jobs.values())

    def check_settings(self) -> None:
        """Refuses to mix results of several settings in a folder of runs.

        Raises:
            UserError: A run was begun with other settings.
        """
        for job in self.jobs:
            if not job.is_recorded:
                raise UserError(
                    f"{job.folder} was run with other settings ({job.record} has them): give the options it was run "
                    "with, or another --runs folder."
                )

    def check_root(self) -> None:
        """Refuses one folder for several data sets.

        Raises:
            UserError: --data.root is given for columns whose data lie in different places.
        """
        if all(name != "data.root" for name, _ in parse_options(self.options)):
            return
        options = map(parse_options, {job.arguments[1:] for job in self.jobs})
        files = {tuple(value for name, value in of_job if name == "config") for of_job in options}
        roots = {last_setting(_with_configs(of_job), "data", "init_args", "root") for of_job in files} - {None}
        if len(roots) > 1:
            raise UserError(
                "--data.root is one folder, but this table has several data sets: choose one with --only, or put each "
                f"where its protocol looks for it ({', '.join(sorted(roots))})."
            )

    def _cell(self, name: str, column: Column, repeat: tuple[str, int]) -> Cell:
        row = self.spec.rows[name]
        job = self._fit(name, column, repeat)
        if (test := row.test or column.test) is not None:
            arguments = ("test", *_with_configs(test.configs), *to_options(test.options), *self.options)
            job = self._job(f"{job.name}, {test.name}", job.folder / test.name, arguments, job, job.labels)
        return Cell(name, column, "{} {}".format(*repeat), job, job.folder / row.report)

    def _fit(self, name: str, column: Column, repeat: tuple[str, int]) -> Job:
        row, (kind, number) = self.spec.rows[name], repeat
        start = self._fit(row.start, column, repeat) if row.start else None
        if (name, column.title) not in self._lines:
            self._lines[name, column.title] = self._line(name, column)
        line = self._lines[name, column.title]
        option = "--data.split.fold" if kind == "fold" else "--seed_everything"
        folder = self.runs / f"{line.stem}{kind}{number}"
        several = [column.title] if len(self.spec.columns) > 1 else []
        title = ", ".join([name, *several, repeat_title(kind, number, column)])
        arguments = (*line.before, option, str(number), *line.after)
        # What is not augmented is the same for all seeds.
        shared = kind == "seed" and self.spec.features is True
        called = ", ".join(["features", column.title, *([] if shared else [repeat_title(kind, number, column)])])
        stem = self.runs / f"{_part(column.configs, column.options)}+features{'' if shared else f'+{kind}{number}'}"
        features: Job | None = feature_job(self.spec.features, called, stem, arguments, start)
        if features is not None:
            features = self._jobs.setdefault(features.folder, features)
            arguments = trained_on(features, arguments)
        return self._job(title, folder, arguments, start, line.labels, features)

    def _line(self, name: str, column: Column) -> _Line:
        row = self.spec.rows[name]
        files = [*column.configs, *row.configs]
        before = (
            "fit",
            *_with_configs(files),
            *to_options(row.options),
            *to_options(column.options),
            *_with_configs(self.overlays),
            *self.options,
        )
        after: tuple[str, ...] = ()
        share = {}
        if row.epochs != 1:
            share = {"epochs": row.epochs}
            whole = last_setting(before[1:], "trainer", "max_epochs")
            if whole is None:
                raise UserError(f"{name} runs a share of the epochs, but no configuration sets trainer.max_epochs.")
            if not str(whole).isdigit():
                raise UserError(
                    f"{name} runs a share of the epochs, but trainer.max_epochs is {whole!r}: give a number."
                )
            after = ("--trainer.max_epochs", str(max(1, round(row.epochs * int(whole)))))
        parts = [
            _part(column.configs, column.options),
            _part(row.configs, row.options | share) or _slug(_runs_of(name, self.spec)),
        ]
        # The folder's name is the name of the run, so it says all.
        stem = "".join(f"{part}+" for part in parts if part)
        return _Line(before, after, stem, Labels(self.name, name, column.title))

    def _job(
        self,
        title: str,
        folder: Path,
        arguments: tuple[str, ...],
        after: Job | None,
        labels: Labels | None,
        features: Job | None = None,
    ) -> Job:
        job = self._jobs.setdefault(folder, Job(title, folder, arguments, after, labels, features))
        if job.arguments != arguments:
            raise UserError(f"Two rows run differently in the same folder {folder}: use configurations of other names.")
        return job


def _with_configs(files: Iterable[str]) -> list[str]:
    return [part for file in files for part in ("--config", file)]


def _repeats(column: Column, chosen: Sequence[int] | None) -> list[tuple[str, int]]:
    refuse_below(0, **{"--seeds": min(chosen or [0])})
    kind, numbers = ("seed", column.seeds) if column.folds is None else ("fold", column.folds)
    if chosen is not None:
        if kind == "fold" and (unknown := sorted(set(chosen) - set(numbers))):
            raise UserError(f"{column.title} has no fold {unknown[0]}: its folds are {numbers}.")
        numbers = list(dict.fromkeys(chosen))
    return [(kind, number) for number in numbers]


def _chosen(spec: Spec, only: Sequence[str]) -> set[tuple[str, str]]:
    """Row name and column title of the cells that `only` leaves."""

    def fits(name: str, patterns: Iterable[str]) -> bool:
        return any(name.lower() == pattern.lower() or fnmatch(name.lower(), pattern.lower()) for pattern in patterns)

    kinds = [list(spec.rows), [c.dataset for c in spec.columns], [c.backbone for c in spec.columns]]
    of_kind = [[pattern for pattern in only if any(fits(name, [pattern]) for name in names)] for names in kinds]
    if unknown := sorted(set(only) - set().union(*of_kind)):
        known = list(dict.fromkeys(name for names in kinds for name in names if name))
        hint = did_you_mean(unknown[0], known) or f"it has {', '.join(known)}."
        raise UserError(f"The table has no row, data set or backbone {unknown[0]!r}: {hint}")

    def left(row: str, column: Column) -> bool:
        called = (row, column.dataset, column.backbone)
        return all(not of or fits(name, of) for name, of in zip(called, of_kind, strict=True))

    return {(name, column.title) for name in spec.rows for column in spec.columns if left(name, column)}


def _runs_of(name: str, spec: Spec) -> str:
    """The row whose runs a row has: of one that is pooled or decided, the first with the same settings."""
    row = spec.rows[name]
    if row.pool is None and row.decision is None:
        return name
    same = (row.configs, row.options, row.epochs, row.start)
    return next(
        other
        for other, each in spec.rows.items()
        if (each.configs, each.options, each.epochs, each.start) == same and not each.quoted
    )


def _part(configs: Iterable[str], options: dict[str, Any]) -> str:
    """Part of a folder's name that says what was run."""
    names = [Path(file).stem for file in configs]
    return _slug("+".join(names + [f"{name.rpartition('.')[2]}={value}" for name, value in options.items()]))


def _slug(name: str) -> str:
    return re.sub(r"[^\w.=+-]+", "_", name).strip("_")
