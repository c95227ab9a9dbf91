"""Suspicious labels in the terminal: each class, the first of the list, and what must be known of both."""

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightning_imbal.stats.label_truth import truth_text
from lightning_imbal.stats.wrong_labels import Suspicions
from lightning_imbal.wording import score_text

FIRST = 10  # of the list


def print_labels(found: Suspicions, title: str, console: Console) -> None:
    """Prints how many labels of each class are suspicious, and the first of them.

    Args:
        found: What was found.
        title: What was looked at.
        console: Where to print.
    """
    console.print(_classes(found.classes, title))
    first = found.table[found.table["suspicious"]].head(FIRST)
    if len(first):
        console.print(_first(first, int(found.table["suspicious"].sum())))
    for sentence in found.notes:
        console.print(Text(sentence), soft_wrap=True)


def print_truth(found: pd.DataFrame, console: Console) -> None:
    """Prints how many wrong labels the list finds, of every class that was given wrongly; `found_of_truth` has it."""
    if len(found) > 1:
        table = _table(
            "Wrong labels by the label they have: found among as many of the most suspicious, and of the class"
        )
        for column in ("label", "known", "wrong", "found", "share", "of the class", "share"):
            table.add_column(column, justify="left" if column == "label" else "right")
        for _, row in found.iterrows():
            known, wrong, *of = (int(row[name]) for name in ("known", "wrong", "found", "found_in_class"))
            shares = [cell for number in of for cell in (f"{number:,}", f"{number / wrong:.0%}")]
            table.add_row(Text(row["label"]), f"{known:,}", f"{wrong:,}", *shares)
        console.print(table)
    console.print(Text(truth_text(found)), soft_wrap=True)


def _classes(classes: pd.DataFrame, title: str) -> Table:
    table = _table(title)
    for column in ("class", "images", "looked at", "recognised", "suspicious", "share", "taken for, most often"):
        table.add_column(column, justify="left" if column in ("class", "taken for, most often") else "right")
    for _, row in classes.sort_values("images", ascending=False, kind="stable").iterrows():
        images = f"{row['all_images']:,}" if row["all_images"] >= 0 else "?"
        shares = [f"{row[name] / row['images']:.0%}" for name in ("recognised", "suspicious")]
        counts = [f"{row['images']:,}", shares[0], f"{row['suspicious']:,}", shares[1]]
        table.add_row(Text(row["class"]), images, *counts, Text(row["taken_for"]))
    return table


def _first(rows: pd.DataFrame, number: int) -> Table:
    table = _table(f"The most suspicious of {number:,}" if number > len(rows) else "Suspicious labels")
    for column in ("image", "label", "probability", "rather", "probability", "times likelier"):
        left = column in ("image", "label", "rather")
        table.add_column(column, justify="left" if left else "right", overflow="fold")
    for _, row in rows.iterrows():
        classes = [
            cell
            for name in ("label", "suggested")
            for cell in (Text(row[name]), score_text(row[f"probability_{name}"]))
        ]
        table.add_row(Text(row["image"]), *classes, f"{row['odds']:,.{0 if row['odds'] >= 10 else 1}f}")
    return table


def _table(title: str) -> Table:
    return Table(title=Text(title, "table.title"), title_justify="left")
