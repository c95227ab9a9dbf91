"""What is said about decision rules: numbers by hand, and nothing that chance explains."""

import numpy as np
import pandas as pd
import pytest
from made_runs import write_run, write_validation

from lightning_imbal.runs.run import Run
from lightning_imbal.stats.advice_rules import advise_rules
from lightning_imbal.stats.read_runs import read_runs
from lightning_imbal.stats.rule_results import SCORE_COLUMNS, RuleResults
from lightning_imbal.stats.tried_rules import DEFAULT, tried_rules


def results_of(*rows, refused=None):
    """Differences of rules, each (method, rule, score, difference, p-value)."""
    found = [
        (row, rule, score, 0.5, 0.4, 0.6, difference, difference - 0.01, difference + 0.01, p_value)
        for row, rule, score, difference, p_value in rows
    ]
    return RuleResults(pd.DataFrame(found, columns=SCORE_COLUMNS), pd.DataFrame(), refused=refused or {})


def test_what_a_rule_gains_and_costs():
    said = advise_rules(
        results_of(
            ("CE", "argmax", "f1", np.nan, np.nan),
            ("CE", "Offsets", "f1", -0.05, 0.01),
            ("CE", "Offsets", "balanced_accuracy", 0.06, 0.001),
            ("CE", "Offsets", "accuracy", -0.12, 0.001),
            ("RS", "Offsets", "f1", -0.08, 0.02),
            ("RS", "Offsets", "balanced_accuracy", 0.02, 0.3),
            ("RS", "Offsets", "accuracy", -0.02, 0.2),
        )
    )
    assert said == [
        "No decision rule (Offsets) raises the macro F1 of a method distinguishably, without training it again.",
        "Without training again, a decision rule raises the balanced accuracy of CE by Offsets (+0.06 [0.05, 0.07]).",
        "Offsets costs: it lowers the macro F1 of 2 of 2 methods by 0.05 to 0.08 and the accuracy of 1 of 2 methods by "
        "0.12.",
    ]


def test_the_largest_gains_are_named_first_and_the_others_counted():
    rows = [(f"M{place}", "Offsets", "f1", place / 100, 0.001) for place in range(1, 6)]
    rows += [("M1", "Offsets", "balanced_accuracy", 0.0, 1.0)]
    first = advise_rules(results_of(*rows))[0]
    assert first.startswith("Without training again, a decision rule raises the macro F1 of M5 by Offsets (+0.05")
    assert first.index("M5") < first.index("M4") < first.index("M3") and first.endswith("and 2 more.")
    assert "M2" not in first


def test_what_could_not_be_tried_is_said():
    rows = [("CE", "Offsets", score, 0.0, 1.0) for score in ("f1", "balanced_accuracy", "accuracy")]
    said = advise_rules(results_of(*rows, refused={("CE", "Sensitivity"): "too few images."}))
    assert said[-1] == "CE with Sensitivity was not tried: too few images."
    assert advise_rules(results_of(("CE", "argmax", "f1", np.nan, np.nan))) == []


def test_rules_are_tried_on_what_has_learned_and_has_validation_images(tmp_path):
    folders = {name: tmp_path / f"{name}_seed0" for name in ("ce", "chance", "old")}
    for number, (name, folder) in enumerate(folders.items()):
        write_run(folder, images=400, skill=0.0 if name == "chance" else 1.5, noise=number)
    for name in ("ce", "chance"):
        write_validation(folders[name])
    found = tried_rules(read_runs(list(folders.values())))
    assert set(found.scores["row"]) == {"ce"} and set(found.scores["rule"]) == {"argmax", *DEFAULT}
    assert found.scores["value"].iloc[0] == pytest.approx(Run(folders["ce"]).score("f1"), abs=1e-6)
    assert tried_rules(read_runs([folders["old"]])) is None
