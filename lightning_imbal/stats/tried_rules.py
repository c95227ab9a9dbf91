"""Decision rules that need no setting, tried on the methods of a table."""

from lightning_imbal.decisions.base import Rule
from lightning_imbal.decisions.offsets import Offsets
from lightning_imbal.decisions.prior_adjusted import PriorAdjusted
from lightning_imbal.stats.results import Results, learned_rows
from lightning_imbal.stats.rule_results import RuleResults, rule_results

# By what they are called.
DEFAULT: dict[str, Rule] = {
    "PriorAdjusted": PriorAdjusted(),
    "Offsets": Offsets(),
    "Offsets for balanced_accuracy": Offsets("balanced_accuracy"),
}


def tried_rules(results: Results) -> RuleResults | None:
    """What the rules make of the methods that learned something; None if none has validation images to fit them on.

    Args:
        results: Of a table with one column.
    """
    [column] = results.spec.columns
    runs, learned = results.runs[column.title], learned_rows(results, column)
    known = {name: runs[name] for name in learned if all(run.predictions and run.validation for run in runs[name])}
    return rule_results(known, DEFAULT) if known else None
