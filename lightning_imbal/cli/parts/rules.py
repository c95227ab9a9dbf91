"""Decision rules that a command line asks for."""

import argparse
from collections.abc import Sequence

from lightning_imbal.decisions.abstain import Abstain
from lightning_imbal.decisions.argmax import Argmax
from lightning_imbal.decisions.base import Rule
from lightning_imbal.decisions.costs import ExpectedCost
from lightning_imbal.decisions.offsets import Offsets
from lightning_imbal.decisions.prior_adjusted import PriorAdjusted
from lightning_imbal.decisions.sensitivity import Sensitivity
from lightning_imbal.decisions.specificity import Specificity
from lightning_imbal.errors import UserError
from lightning_imbal.wording import did_you_mean

SURE = 0.95  # of a promise
BY_SCORE = {"PriorAdjusted": PriorAdjusted, "Offsets": Offsets}
OTHERS = {
    "ExpectedCost": "--costs",
    "Sensitivity": "--sensitivity",
    "Specificity": "--specificity",
    "Abstain": "--abstain",
}


def rules_of(given: argparse.Namespace) -> dict[str, Rule]:
    """The rules that a command line asks for, by what they are called; none if it asks for none.

    Raises:
        UserError: A rule or setting is unknown, lacks something, or does not fit.
    """
    rules: dict[str, Rule] = dict(_by_score(name, given.score) for name in given.rule)
    if given.score is not None and not rules:
        raise UserError(f"--score {given.score} says what a rule is best in: add --rule Offsets, or PriorAdjusted.")
    sure = SURE if given.confidence is None else given.confidence
    if given.costs:
        rules["ExpectedCost"] = ExpectedCost(given.costs)
    if given.sensitivity:
        rules["Sensitivity"] = Sensitivity(_targets(given.sensitivity, "--sensitivity"), sure)
    if given.specificity:
        rules["Specificity"] = Specificity(_targets(given.specificity, "--specificity"), sure)
    if given.confidence is not None and not (given.sensitivity or given.specificity):
        raise UserError("--confidence is that of a promise: add --sensitivity CLASS=0.9, or --specificity CLASS=0.9.")
    if given.abstain is not None:
        rules["Abstain"] = Abstain(coverage=given.abstain)
    return rules


def _by_score(name: str, score: str | None) -> tuple[str, Rule]:
    if name == "Argmax":
        return name, Argmax()
    if name in OTHERS:
        raise UserError(f"--rule {name} is asked for by {OTHERS[name]}, which says what it needs.")
    if name not in BY_SCORE:
        known = [*BY_SCORE, "Argmax"]
        hint = did_you_mean(name, known) or f"choose from {', '.join(known)}."
        raise UserError(f"There is no rule {name!r}: {hint}")
    return f"{name} for {score}" if score else name, BY_SCORE[name](score or "f1")


def _targets(texts: Sequence[str], option: str) -> dict[str, float]:
    """Shares by class, of texts such as `melanoma=0.9`."""
    found = {}
    for text in texts:
        name, _, share = text.rpartition("=")
        try:
            found[name] = float(share)
        except ValueError:
            name = ""
        if not name:
            raise UserError(f"{option} {text} is no share of a class: write {option} melanoma=0.9.")
    return found
