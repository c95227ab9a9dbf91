"""What decision rules change, in the terminal."""

from collections.abc import Iterator, Mapping, Sequence

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
from lightning_imbal.stats.set_coverage import SetsOfRow
from lightning_imbal.wording import NOT_MEASURED, interval_text, score_text, signed_text

OVERVIEW = ("f1", "balanced_accuracy")
FEW = 10  # validation images of a class, on which little can be fitted
NOTE = (
    "Differences are to the same networks without a rule ({}) on the same test images, in brackets 95 % intervals. "
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
    methods = results.scores.groupby("row", sort=False)
    if len(methods) > 1:
        console.print(_overview(results.scores))
    for row, scores in methods:
        if len(methods) == 1:
            console.print(_scores(str(row), scores))
        for rule, classes in results.classes[results.classes["row"] == row].groupby("rule", sort=False):
            if rule in classes_of:
                console.print(_classes(f"{row}, {rule}", classes))
    for sentence in rule_notes(results):
        console.print(Text(sentence), soft_wrap=True)


def rule_notes(results: RuleResults) -> Iterator[str]:
    """Sentences below the tables."""
    fitted = [each for of_row in results.fitted.values() for each in of_row]
    seeds = any(len(of_row) > 1 for of_row in results.fitted.values())
    yield NOTE.format(
        ARGMAX, " and the chance of training" if seeds else "", " or ".join(dict.fromkeys(e.of for e in fitted))
    )
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
    name: str, kinds: Mapping[str, SetsOfRow], class_names: Sequence[str], promised: float, console: Console
) -> None:
    """Prints how often prediction sets hold the true class, and how large they are.

    Args:
        name: Of the method.
        kinds: The sets, by what they promise.
        class_names: In label order.
        promised: How often they are to hold the true class.
        console: Where to print.
    """
    table = _titled(f"{name}: sets that are to hold the true class of {promised:.0%} of the images")
    table.add_column("class", overflow="fold")
    for kind in kinds:
        table.add_column(Text(kind), justify="right")
        table.add_column("classes\nin a set", justify="right")
    for c, label in enumerate([*class_names, "all"]):
        if c == len(class_names):
            table.add_section()
        cells = []
        for found in kinds.values():
            share = score_text(found.coverage.value[c])
            ends = interval_text(found.coverage.low[c], found.coverage.high[c], 3)
            cells += [f"{share}\n{ends}".rstrip(), score_text(found.mean_size[c], 2)]
        table.add_row(Text(label), *map(Text, cells))
    console.print(table)
    for kind, found in kinds.items():
        referred = (
            f"{' '.join(kind.split())}: {found.referred[-1]:.0%} of the images have none or several classes in their"
        )
        console.print(f"Referred, {referred} set, and are left to a person.", soft_wrap=True, highlight=False)
        if found.in_every:
            few = ", ".join(class_names[c] for c in found.in_every)
            console.print(Text(f"Too few validation images to promise that of {few}: in every set."), soft_wrap=True)


def _overview(scores: pd.DataFrame) -> Table:
    """Of every method and rule the macro F1, and below it the balanced accuracy, with differences."""
    f1, balanced = (SCORES[key].in_words for key in OVERVIEW)
    table = _titled(f"{f1}, below it {balanced.lower()}, by decision rule")
    table.add_column("method", overflow="fold")
    rules = list(dict.fromkeys(scores["rule"]))
    for rule in rules:
        table.add_column(Text(rule), justify="right", overflow="fold")
    for row, of_row in scores.groupby("row", sort=False):
        found = of_row.set_index(["rule", "score"])
        cells = []
        for rule in rules:
            known = [found.loc[(rule, key)] for key in OVERVIEW if (rule, key) in found.index]
            cells.append("\n".join(_short(each, rule) for each in known) or NOT_MEASURED)
        table.add_row(Text(str(row)), *map(Text, cells))
    return table


def _short(found: pd.Series, rule: str) -> str:
    star = "*" if found["p_value"] < SIGNIFICANT else ""
    beside = "" if rule == ARGMAX else f" ({signed_text(found['difference'], 3)}{star})"
    return f"{score_text(found['value'])}{beside}"


def _scores(row: str, scores: pd.DataFrame) -> Table:
    table = _titled(f"{row}: test part, by rule")
    table.add_column("rule", min_width=13, overflow="fold")
    for key in TOLD:
        table.add_column(SCORES[key].in_words, justify="right")
    for rule, of_rule in scores.groupby("rule", sort=False):
        cells = []
        for key in TOLD:
            found = of_rule[of_rule["score"] == key].iloc[0]
            low, high = ("low", "high") if rule == ARGMAX else ("from", "to")
            cells.append(f"{_short(found, str(rule))}\n{interval_text(found[low], found[high], 3)}".rstrip())
        table.add_row(Text(str(rule)), *map(Text, cells))
    return table


def _classes(title: str, classes: pd.DataFrame) -> Table:
    """Of every class its scores without and with a rule, and below them the interval of their difference."""
    table = _titled(f"{title}: without -> with the rule")
    table.add_column("class", overflow="fold")
    table.add_column("images", justify="right")
    scores = list(dict.fromkeys(classes["score"]))
    for score in scores:
        table.add_column(score.capitalize(), justify="right")
    for name, of_class in classes.groupby("class", sort=False):
        cells = []
        for score in scores:
            found = of_class[of_class["score"] == score].iloc[0]
            both = f"{score_text(found['argmax'], 2)} -> {score_text(found['value'], 2)}"
            cells.append(f"{both}\n{interval_text(found['from'], found['to'], 2)}".rstrip())
        table.add_row(Text(str(name)), str(of_class["images"].iloc[0]), *map(Text, cells))
    return table


def _titled(title: str) -> Table:
    return Table(title=Text(title, "table.title"), title_justify="left")
