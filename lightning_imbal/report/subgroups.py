"""Scores of the subgroups of the test images, in the terminal and as files."""

from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.report.tables.latex import sheets_to_latex
from lightning_imbal.report.tables.markdown import sheets_to_markdown
from lightning_imbal.report.tables.sheets_subgroups import (
    class_sheets,
    gap_notes,
    gap_sentences,
    gap_sheets,
    results_sheets,
    score_sheets,
    subgroup_tables,
)
from lightning_imbal.report.tables.terminal import print_sheet
from lightning_imbal.runs.spreadsheet import to_csv
from lightning_imbal.stats.results import Results, class_counts, classes_of


def print_subgroups(results: Results, console: Console) -> None:
    """Prints the subgroups of the runs of one column, where anything is known of the images.

    Of one method what each subgroup scores, in all and in the recall of every class; of several the worst of each.
    """
    [column] = results.spec.columns
    if (found := results.subgroups.get(column.title)) is None:
        return
    rows, decimals = list(dict.fromkeys(found.scores["row"])), results.spec.decimals
    if len(rows) == 1:
        counts = class_counts(classes_of(results, column))
        of_scores = score_sheets(found, rows[0], decimals)
        of_classes = class_sheets(found, rows[0], "recall", counts, decimals)
        made = [sheet for pair in zip(of_scores, of_classes, strict=True) for sheet in pair]
        sentences = list(gap_sentences(found, rows[0], decimals))
    else:
        made, sentences = gap_sheets(found, list(results.spec.rows), decimals=decimals), []
    for sheet in made:
        print_sheet(sheet, console)
    console.print()
    for sentence in [*sentences, *gap_notes(found)]:
        console.print(Text(sentence))


def write_subgroups(results: Results, place: Path) -> list[Path]:
    """Writes the subgroups of the runs of one column, where anything is known of the images.

    Args:
        results: Of a table with one column.
        place: Path of the files without their suffix: .md, .tex, and the numbers as .csv, _classes.csv and _gaps.csv.

    Returns:
        The files.
    """
    [column] = results.spec.columns
    title, notes = f"{results.spec.title}: subgroups", list(gap_notes(results.subgroups[column.title]))
    sheets = results_sheets(results)
    texts = {
        ".md": sheets_to_markdown(title, sheets, notes),
        ".tex": sheets_to_latex(title, sheets, notes),
        **{f"{end}.csv": to_csv(table, float_format="%.6g") for end, table in subgroup_tables(results).items()},
    }
    files = {place.with_name(place.name + suffix): text for suffix, text in texts.items()}
    for file, text in files.items():
        write_whole(file, partial(Path.write_text, data=text, encoding="utf-8", newline=""))
    return list(files)
