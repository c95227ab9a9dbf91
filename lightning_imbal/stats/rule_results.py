"""What decision rules change: every method with every rule, beside the same networks where nothing is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lightning_imbal.decisions.base import Decision, Rule
from lightning_imbal.errors import UserError
from lightning_imbal.runs.run import Run
from lightning_imbal.score_names import OF_CLASS
from lightning_imbal.stats.bootstrap import holm
from lightning_imbal.stats.compared import Compared, Difference
from lightning_imbal.stats.decided import Fitted, Shares, answering, decisions_of, fitted_on
from lightning_imbal.stats.proportions import MANY, student
from lightning_imbal.stats.rounds import Round, predicted_rounds
from lightning_imbal.stats.spread import ROUNDING, p_value_of, spread
from lightning_imbal.stats.training_chance import moderated

ARGMAX = "argmax"
SCORES = ("f1", "balanced_accuracy", "accuracy")  # that rules are told by
SCORE_COLUMNS = ["row", "rule", "score", "value", "low", "high", "difference", "from", "to", "p_value"]
CLASS_COLUMNS = ["row", "rule", "class", "images", "score", "argmax", "value", "difference", "from", "to"]


@dataclass(frozen=True, eq=False)
class RuleResults:
    """What rules make of the answers of finished runs.

    Args:
        scores: One row per method, rule and score: its `value` and 95 % interval (`low`, `high`), averaged over the
            rounds; `difference` to the same networks without a rule, with its paired 95 % interval (`from`, `to`), and
            `p_value`, corrected for the number of rows and rules (Holm 1979). The rule `argmax` has no difference.
        classes: One row per method, rule, class and recall, precision or F1: what it is with `argmax`, its `value` with
            the rule, and the `difference` with its paired interval.
        decisions: Those of the runs of a method, by the names of method and rule.
        fitted: What they are fitted on, by the name of the method.
        refused: Why a rule could not be fitted, by the same names as `decisions`.
    """

    scores: pd.DataFrame
    classes: pd.DataFrame
    decisions: dict[tuple[str, str], list[Decision]] = field(default_factory=dict)
    fitted: dict[str, list[Fitted]] = field(default_factory=dict)
    refused: dict[tuple[str, str], str] = field(default_factory=dict)


def rule_results(
    methods: Mapping[str, Sequence[Run]], rules: Mapping[str, Rule], shares: Shares | None = None
) -> RuleResults:
    """Fits rules to the validation images of runs, and scores what they answer on the test.

    Args:
        methods: The runs of each, all with predictions.
        rules: By what they are called; each answers every image.
        shares: The share of each class where the rules are to be used; by default that of the validation images.

    Raises:
        UserError: A run has no predictions of validation images, and no other fold.
    """
    scores: list[tuple[object, ...]] = []
    classes: list[tuple[object, ...]] = []
    found = RuleResults(pd.DataFrame(), pd.DataFrame())
    for name, runs in methods.items():
        found.fitted[name] = fitted_on(runs)
        rows = {ARGMAX: predicted_rounds(runs)}
        for title, rule in rules.items():
            try:
                decisions = found.decisions[name, title] = decisions_of(runs, rule, shares)
            except UserError as error:
                found.refused[name, title] = str(error)
            else:
                rows[title] = predicted_rounds(answering(runs, decisions))
        compared = Compared(rows, _keys(runs[0].class_names))
        scores += _scores(name, compared)
        classes += _classes(name, compared, rows[ARGMAX])
    table = pd.DataFrame(scores, columns=SCORE_COLUMNS)
    table["p_value"] = table.groupby("score")["p_value"].transform(holm)
    return RuleResults(
        table, pd.DataFrame(classes, columns=CLASS_COLUMNS), found.decisions, found.fitted, found.refused
    )


def _keys(names: Sequence[str]) -> list[str]:
    return [*SCORES, *(f"{score}/{name}" for score in OF_CLASS for name in names)]


class _Paired:
    """Differences of rules to the same networks without one: each round is compared with itself.

    Two rows of networks of their own vary by the training of both; here only what is decided is another. How much that
    varies from training to training is drawn together over the rules.
    """

    def __init__(self, compared: Compared) -> None:
        self.compared, self.before = compared, compared.rows[ARGMAX]
        self.rules = [title for title in compared.rows if title != ARGMAX]

    def difference(self, title: str, key: str) -> tuple[Difference, float]:
        """How far a rule is from none in a score, with its 95 % interval, and the p-value."""
        row, of_rounds, freedom = self.compared.rows[title], 0.0, MANY
        rounds = len(row.rounds)
        if rounds > 1 and not np.array_equal(row.averages(key), self.before.averages(key), equal_nan=True):
            changes = [self.compared.rows[rule].observed[key] - self.before.observed[key] for rule in self.rules]
            variances, freedom = moderated(np.var(changes, axis=1, ddof=1), rounds - 1)
            of_rounds = float(variances[self.rules.index(title)] / rounds)
        deviation, freedom = spread(key, row, self.before, of_rounds, freedom)
        observed = row.value(key) - self.before.value(key)
        reach = float(student(np.array(freedom)) * deviation) if deviation > ROUNDING else np.nan
        return Difference(observed, observed - reach, observed + reach), p_value_of(observed, deviation, freedom)


def _scores(name: str, compared: Compared) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    paired = _Paired(compared)
    for title, row in compared.rows.items():
        for key in SCORES:
            difference, p_value = Difference(np.nan, np.nan, np.nan), np.nan
            if title != ARGMAX:
                difference, p_value = paired.difference(title, key)
            rows.append((name, title, key, row.value(key), *row.interval(key), *difference, p_value))
    return rows


def _classes(name: str, compared: Compared, rounds: Sequence[Round]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    before, paired, first = compared.rows[ARGMAX], _Paired(compared), rounds[0].joined
    images = np.bincount(first.label, minlength=len(first.class_names))
    for title, row in compared.rows.items():
        for c in np.argsort(-np.array(first.class_counts), kind="stable") if title != ARGMAX else ():
            of_class = first.class_names[c]
            for score in OF_CLASS:
                key = f"{score}/{of_class}"
                if score == "f1":
                    difference = compared.class_difference(title, ARGMAX, [of_class])
                else:
                    difference, _ = paired.difference(title, key)
                values = (before.value(key), row.value(key))
                rows.append((name, title, of_class, int(images[c]), score, *values, *difference))
    return rows
