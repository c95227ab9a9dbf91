"""What decision rules change, in the terminal."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightning_imbal.score_names import SCORES
from lightning_imbal.stats.abstained import Abstained
from lightning_imbal.stats.bootstrap import SIGNIFICANT
from lightning_imbal.stats.rule_results import ARGMAX, RuleResults
from lightning_imbal.stats.rule_results import SCORES as TOLD
from lightning_imbal.stats.set_scores import SetsOfRuns
from lightning_imbal.wording import interval_text, score_text, signed_text

FEW = 10  # validation images of a class, on which little can be fitted
NOTE = (
    "In brackets 95 % intervals; differences are to the same networks without a rule, on the same test images. "
    "* differs by more than the choice of the test images{} explains, at 5 %, corrected for the number of rules. "
    "Rules are fitted on {}, never on the test part; the epoch may have been chosen on the same images."
)


def print_rules(results: RuleResults, console: Console, classes_of: Sequence[str]) -> None:
    """Prints each method with every rule, then the classes, and what must be known of both.

    Args:
        results: What was found.
        console: Where to print.
        classes_of: The rules whose classes are printed.
    """
    for row, scores in results.scores.groupby("row", sort=False):
        console.print(_scores(str(row), scores))
        for rule, classes in results.classes[results.classes["row"] == row].groupby("rule", sort=False):
            if rule in classes_of:
                console.print(_classes(f"{row}, {rule}", classes))
    for sentence in notes(results):
        console.print(Text(sentence), soft_wrap=True)


def notes(results: RuleResults) -> Iterator[str]:
    """Sentences below the tables."""
    fitted = [each for of_row in results.fitted.values() for each in of_row]
    seeds = any(len(of_row) > 1 for of_row in results.fitted.values())
    yield NOTE.format(" and the chance of training" if seeds else "", " or ".join(dict.fromkeys(e.of for e in fitted)))
    few: dict[str, int] = {}
    for images in (each.images for each in fitted):
        units = [len(np.unique(images.unit[images.label == c])) for c in range(len(images.class_names))]
        few |= {name: number for name, number in zip(images.class_names, units, strict=True) if number < FEW}
    if few:
        named = ", ".join(f"{name} ({number})" for name, number in few.items())
        yield f"Little can be fitted on so few validation images or groups of them: {named}."
    for (row, rule), why in results.refused.items():
        yield f"{row}, {rule}: {why}"


def print_abstained(name: str, found: Abstained, class_names: Sequence[str], console: Console) -> None:
    """Prints which images of each class are answered, and how often rightly."""
    table = _titled(f"{name}: {found.covered:.1%} of the test images are answered")
    for column in ("class", "answered", "recall of these"):
        table.add_column(column, justify="left" if column == "class" else "right")
    for c, of_class in enumerate(class_names):
        table.add_row(Text(of_class), score_text(found.answered[c]), score_text(found.recall[c]))
    console.print(table)
    wrong = f"Of what is answered {found.wrong:.1%} is wrong; of all images {found.wrong_of_all:.1%} would be."
    console.print(wrong, highlight=False)


def print_sets(
    name: str, marginal: SetsOfRuns, of_class: SetsOfRuns, class_names: Sequence[str], console: Console
) -> None:
    """Prints how often prediction sets hold the true class, promised of all images together and of each class."""
    table = _titled(f"{name}: sets that hold the true class of {marginal.promised:.0%} of the images")
    table.add_column("class")
    table.add_column("test images", justify="right")
    for heading in ("promised of\nall together", "promised of\neach class"):
        table.add_column(heading, justify="right")
    for c, label in enumerate(class_names):
        shares = [score_text(each.coverage[c]) for each in (marginal, of_class)]
        table.add_row(Text(label), str(marginal.images[c]), *shares)
    table.add_section()
    for what, values in {
        "all": [score_text(each.covered) for each in (marginal, of_class)],
        "classes per set": [f"{each.mean_size:.2f}" for each in (marginal, of_class)],
        "referred": [score_text(each.referred) for each in (marginal, of_class)],
    }.items():
        table.add_row(what, "", *values)
    console.print(table)
    for sentence in dict.fromkeys([*marginal.notes, *of_class.notes]):
        console.print(Text(f"{name}: {sentence}."), soft_wrap=True)
    console.print("Referred: images whose set is not a single class, which are left to a person.", highlight=False)


def _scores(row: str, scores: pd.DataFrame) -> Table:
    table = _titled(f"{row}: test part, by rule")
    table.add_column("rule")
    for key in TOLD:
        table.add_column(SCORES[key].in_words, justify="right")
        table.add_column(f"against {ARGMAX}", justify="right")
    for rule, of_rule in scores.groupby("rule", sort=False):
        cells = []
        for key in TOLD:
            found = of_rule[of_rule["score"] == key].iloc[0]
            cells.append(f"{score_text(found['value'])}\n{interval_text(found['low'], found['high'], 3)}")
            cells.append(_difference(found) if rule != ARGMAX else "")
        table.add_row(Text(str(rule)), *map(Text, cells))
    return table


def _classes(title: str, classes: pd.DataFrame) -> Table:
    table = _titled(title)
    table.add_column("class", no_wrap=True)
    table.add_column("test images", justify="right")
    scores = list(dict.fromkeys(classes["score"]))
    for score in scores:
        table.add_column(f"{score.capitalize()}\n{ARGMAX}", justify="right")
        table.add_column("\nrule", justify="right")
        table.add_column("\ndifference", justify="right")
    for name, of_class in classes.groupby("class", sort=False):
        cells = []
        for score in scores:
            found = of_class[of_class["score"] == score].iloc[0]
            cells += [score_text(found["argmax"]), score_text(found["value"]), _difference(found)]
        table.add_row(Text(str(name)), str(of_class["images"].iloc[0]), *map(Text, cells))
    return table


def _difference(found: pd.Series) -> str:
    star = "*" if found.get("p_value", np.nan) < SIGNIFICANT else ""
    text = signed_text(found["difference"], 3) + star
    return f"{text}\n{interval_text(found['from'], found['to'], 3)}".rstrip("\n")


def _titled(title: str) -> Table:
    return Table(title=Text(title, "table.title"), title_justify="left")
