"""`lightning_imbal decide`: from probabilities to answers, by a rule that is fitted on the validation part."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from lightning_imbal.atomic_files import refuse_unwritable, write_whole
from lightning_imbal.cli.parts.closing import next_command
from lightning_imbal.cli.parts.rules import rules_of
from lightning_imbal.cli.parts.verb_options import decide as decide_parser
from lightning_imbal.decisions.abstain import Abstain
from lightning_imbal.decisions.base import Decision, Rule
from lightning_imbal.decisions.file import write_decision
from lightning_imbal.errors import UserError
from lightning_imbal.report.decided import print_abstained, print_rules, print_sets
from lightning_imbal.runs.run import Run
from lightning_imbal.runs.spreadsheet import to_csv
from lightning_imbal.stats.abstained import abstained
from lightning_imbal.stats.decided import Shares, about, decisions_of, fitted_on, predictions_of
from lightning_imbal.stats.prevalences import ESTIMATE, Prevalences
from lightning_imbal.stats.read_runs import methods_of
from lightning_imbal.stats.rule_results import rule_results
from lightning_imbal.stats.set_coverage import sets_of
from lightning_imbal.stats.tried_rules import DEFAULT

SETS = {"one threshold\nfor all": False, "one for\neach class": True}


def run(args: list[str]) -> int:
    """Runs `decide` and returns the exit status."""
    given = decide_parser().parse_args(args[1:])
    asked = rules_of(given)
    methods = methods_of(given.runs)
    runs = [run for of_row in methods.values() for run in of_row]
    _check(given, asked, runs)
    console, shares = Console(), None
    if given.prevalence:
        prevalences = Prevalences(given.prevalence, runs[0].class_names)
        _tell_prevalence(methods, prevalences, console)
        shares = prevalences.of
    rules = asked or ({} if given.sets else DEFAULT)
    decisions = _tell_rules(methods, rules, shares, given.csv, console)
    for name, of_row in methods.items() if given.sets else ():
        _tell_sets(name, of_row, given.sets, console)
    if len(asked) == 1:
        [(title, rule)] = asked.items()
        for name, of_row in methods.items():
            if (name, title) in decisions:
                _write(of_row, rule, decisions[name, title], given.output, console)
    elif rules:
        console.print("No decision.json is written: ask for one rule, such as --rule PriorAdjusted.", highlight=False)
    return 0


def _check(given: argparse.Namespace, asked: Mapping[str, Rule], runs: Sequence[Run]) -> None:
    """Refuses, before anything is fitted, what could not be written."""
    if given.sets is not None and not 0 < given.sets < 1:
        raise UserError(f"--sets is {given.sets:g}: give a share above 0 and below 1, such as 0.9.")
    if given.csv is not None:
        if given.abstain is not None and len(asked) == 1 or (given.sets and not asked):
            raise UserError("--csv is for the scores of rules that answer every image: add --rule Offsets, or another.")
        refuse_unwritable("--csv", given.csv)
    for of_run in runs:
        predictions_of(of_run)
    if given.output is not None:
        if len(runs) > 1 or len(asked) != 1:
            raise UserError("--output is for the decision of one run by one rule: give one of each.")
        if Path(given.output).suffix != ".json" or Path(given.output).is_dir():
            raise UserError(f"--output {given.output} is no JSON file: name one such as decision.json.")
        refuse_unwritable("--output", given.output)


def _tell_prevalence(methods: Mapping[str, Sequence[Run]], prevalences: Prevalences, console: Console) -> None:
    """Prints how frequent the classes are where rules are to be used."""
    fitted = [each for runs in methods.values() for each in fitted_on(runs)]
    for sentence in dict.fromkeys(sentence for each in fitted for sentence in prevalences.sentences(each)):
        console.print(Text(sentence), soft_wrap=True)
    if prevalences.given != ESTIMATE:
        told = "The scores below are at the prevalence of the test images; `report --html` shows them at others."
        console.print(told, highlight=False)


def _tell_rules(
    methods: Mapping[str, Sequence[Run]],
    rules: Mapping[str, Rule],
    shares: Shares | None,
    csv: str | None,
    console: Console,
) -> dict[tuple[str, str], list[Decision]]:
    """Prints what rules change, and returns the decisions of the runs, by the names of method and rule.

    Raises:
        UserError: None of the rules can be fitted.
    """
    found: dict[tuple[str, str], list[Decision]] = {}
    if scored := {title: rule for title, rule in rules.items() if not isinstance(rule, Abstain)}:
        results = rule_results(methods, scored, shares)
        if not results.decisions:
            raise UserError(next(iter(results.refused.values())))
        print_rules(results, console, list(scored) if len(scored) == 1 else [])
        if csv is not None:
            write_whole(Path(csv), lambda path: to_csv(results.scores, path))
            console.print(Text(f"Scores: {csv}"), soft_wrap=True)
        found |= results.decisions
    for title, rule in rules.items():
        for name, runs in methods.items() if isinstance(rule, Abstain) else ():
            decisions = found[name, title] = decisions_of(runs, rule, shares)
            print_abstained(f"{name}, {title}", abstained(runs, decisions), runs[0].class_names, console)
    return found


def _tell_sets(name: str, runs: Sequence[Run], promised: float, console: Console) -> None:
    """Prints how often prediction sets hold the true class, and how large they are."""
    found = {}
    for kind, per_class in SETS.items():
        sets = sets_of(runs, per_class, 1 - promised)
        if sets is None:
            fitted_on(runs)  # says what is missing, if no fold could stand for it
            raise UserError(f"{name}: sets are calibrated on a validation part, and these folds have none.")
        found[kind] = sets
    print_sets(name, found, runs[0].class_names, promised, console)


def _write(
    runs: Sequence[Run], rule: Rule, decisions: Sequence[Decision], output: str | None, console: Console
) -> None:
    """Writes the decision of each run of a method."""
    for each, decision in zip(fitted_on(runs), decisions, strict=True):
        file = Path(output or each.run.folder / "decision.json")
        write_decision(file, decision, type(rule).__name__, rule.settings, about(each))
        console.print(Text(f"Decision: {file}"), soft_wrap=True)
        where = [each.run.folder, "--onnx", each.run.folder / "model.onnx", "--decision", file]
        console.print(Text(next_command("export", *where)), soft_wrap=True)
