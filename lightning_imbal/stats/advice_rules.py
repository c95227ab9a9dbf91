"""Says in a few sentences what decision rules gain and cost the methods of a comparison."""

from collections.abc import Iterator

import pandas as pd

from lightning_imbal.score_names import SCORES
from lightning_imbal.stats.bootstrap import SIGNIFICANT
from lightning_imbal.stats.rule_results import ARGMAX, RuleResults
from lightning_imbal.wording import interval_text, number_of, signed_text

RAISED = ("f1", "balanced_accuracy")  # scores that rules are tried for
MAX_NAMED = 3


def advise_rules(found: RuleResults) -> list[str]:
    """Sentences on what rules change beside the same networks without a rule, at 5 %, corrected for their number.

    No rule is recommended for being the best on the test part: which one to use is to be known before.

    Args:
        found: Of methods that have learned something; nothing is said if there are none.
    """
    tried = found.scores[found.scores["rule"] != ARGMAX]
    if tried.empty:
        return []
    said = [_raised(tried, score) for score in RAISED]
    said += _costs(tried)
    said += [f"{row} with {rule} was not tried: {why}" for (row, rule), why in found.refused.items()]
    return said


def _raised(tried: pd.DataFrame, score: str) -> str:
    """Where a rule raises a score, and how far."""
    name, of_score = _name(score), tried[tried["score"] == score]
    known = of_score[(of_score["p_value"] < SIGNIFICANT) & (of_score["difference"] > 0)]
    if known.empty:
        rules = ", ".join(dict.fromkeys(of_score["rule"]))
        return f"No decision rule ({rules}) raises the {name} of a method distinguishably, without training it again."
    best = known.sort_values("difference", ascending=False)
    named = ", ".join(map(_change, best.head(MAX_NAMED).to_dict("records")))
    more = f" and {len(best) - MAX_NAMED} more" if len(best) > MAX_NAMED else ""
    return f"Without training again, a decision rule raises the {name} of {named}{more}."


def _costs(tried: pd.DataFrame) -> Iterator[str]:
    """Which rules lower the macro F1 or the accuracy of how many methods."""
    for rule, of_rule in tried.groupby("rule", sort=False):
        lowered = []
        for score in ("f1", "accuracy"):
            of_score = of_rule[of_rule["score"] == score]
            known = of_score[(of_score["p_value"] < SIGNIFICANT) & (of_score["difference"] < 0)]
            if len(known):
                least, most = -known["difference"].max(), -known["difference"].min()
                by = f"{least:.2f}" if round(least, 2) == round(most, 2) else f"{least:.2f} to {most:.2f}"
                lowered.append(f"the {_name(score)} of {len(known)} of {number_of(len(of_score), 'method')} by {by}")
        if lowered:
            yield f"{rule} costs: it lowers {' and '.join(lowered)}."


def _change(found: dict[str, object]) -> str:
    low, high = (float(str(found[end])) for end in ("from", "to"))
    by = f"{signed_text(float(str(found['difference'])), 2)} {interval_text(low, high, 2)}"
    return f"{found['row']} by {found['rule']} ({by})"


def _name(score: str) -> str:
    words = SCORES[score].in_words
    return words[0].lower() + words[1:]
