"""Which scores a rule can be fitted to, and what is said of others."""

import numpy as np
import pytest
from made_labelled import long_tailed, make
from sklearn.metrics import f1_score, matthews_corrcoef

from lightning_imbal.decisions.scoring import check_score, score_answers
from lightning_imbal.errors import UserError


@pytest.mark.parametrize("name", ["f1", "mcc", "kendall_tau", "scr", "recall/nv", "group_f1/rare"])
def test_scores_of_answers_pass(name):
    check_score(name)


@pytest.mark.parametrize("name", ["auc", "ece"])
def test_scores_of_probabilities_are_refused(name):
    with pytest.raises(UserError, match=f"The score {name} does not depend on the answers"):
        check_score(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [("balanced_acuracy", "did you mean balanced_accuracy?"), ("xyz", "there are accuracy"), ("recall/", "no score")],
)
def test_unknown_score_is_refused(name, said):
    with pytest.raises(UserError, match=said):
        check_score(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("f1/me", "f1/me is of no class: did you mean mel?"),
        ("group_recall/xyz", "is of no group: there are rare."),
        ("recall/df", "recall/df is not defined: there is no validation image"),
    ],
)
def test_score_of_what_is_not_there(name, said):
    images = make([0, 1, 2], np.eye(4)[:3], groups={"rare": ("mel",)})
    with pytest.raises(UserError, match=said.replace("?", r"\?")):
        score_answers(images, np.array([[0, 1, 2]]), name)


def test_each_rule_is_scored_by_itself_and_with_weights():
    images = long_tailed(80, weighted=True)
    answers = np.stack([images.probability.argmax(axis=1), np.zeros(80, dtype=np.int64)])
    for name, of_others in {
        "f1": lambda *rows, **given: f1_score(*rows, average="macro", zero_division=0, **given),
        "mcc": matthews_corrcoef,
    }.items():
        expected = [of_others(images.label, each, sample_weight=images.weight) for each in answers]
        assert score_answers(images, answers, name) == pytest.approx(expected, abs=1e-12)
