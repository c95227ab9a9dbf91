"""Writes a table as Markdown, LaTeX and CSV, draws its figure, and prints it."""

from functools import partial
from pathlib import Path

import pandas as pd
from rich.console import Console

from lightning_imbal.atomic_files import discard_halves_of, write_whole
from lightning_imbal.report.figures.of_table import draw
from lightning_imbal.report.tables.latex import to_latex
from lightning_imbal.report.tables.markdown import to_markdown
from lightning_imbal.report.tables.sheets_subgroups import subgroup_tables
from lightning_imbal.report.tables.terminal import render_terminal
from lightning_imbal.runs.spreadsheet import to_csv
from lightning_imbal.stats.results import Results


def write_and_print(results: Results, place: Path, console: Console) -> None:
    """Prints a table and writes it to `place`.md, .tex, .csv (with the origin of every number) and _classes.csv.

    What needs no training comes last in the CSV files, its `floor` is true. Where groups of several images are known,
    scores in which each group counts once go to `place`_groups.csv, also recall and F1 of each class. The difference of
    two columns, if it is asked for, also goes to `place`_gap.csv, how alike their orders are to `place`_rankings.csv;
    the subgroups, where anything is known of the images, to `place`_subgroups.csv, _subgroups_classes.csv and
    _subgroups_gaps.csv.

    Args:
        results: The table.
        place: Path of the files without their suffix; a figure is also drawn, to `place`.png.
        console: Where to print.
    """
    written = {
        ".md": lambda file: file.write_text(to_markdown(results)),
        ".tex": lambda file: file.write_text(to_latex(results)),
        ".csv": lambda file: to_csv(_with(results.cells, results.floors), file, float_format="%.6g"),
        "_classes.csv": lambda file: to_csv(_with(results.classes, results.floor_classes), file, float_format="%.6g"),
    }
    for end, table in subgroup_tables(results).items():
        written[f"_subgroups{end}.csv"] = partial(_numbers, table)
    if len(results.groups_once):
        written["_groups.csv"] = lambda file: to_csv(results.groups_once, file, float_format="%.6g")
    if results.spec.gap is not None:
        written["_gap.csv"] = lambda file: to_csv(results.gaps, file, float_format="%.6g")
    if results.spec.rankings is not None:
        written["_rankings.csv"] = lambda file: to_csv(results.rankings, file, float_format="%.6g")
    if results.spec.figure is not None:
        written[".png"] = lambda file: draw(results, file)
    for suffix, write in written.items():
        file = place.with_name(place.name + suffix)
        discard_halves_of(file)
        write_whole(file, write)
    render_terminal(results, console)
    console.print(f"Written: {place}{{{','.join(written)}}}", highlight=False, markup=False, soft_wrap=True)


def _numbers(table: pd.DataFrame, file: Path) -> None:
    to_csv(table, file, float_format="%.6g")


def _with(rows: pd.DataFrame, floors: pd.DataFrame) -> pd.DataFrame:
    """The rows that were trained, and behind them what needs no training."""
    return pd.concat([rows, floors], ignore_index=True) if len(floors) else rows
