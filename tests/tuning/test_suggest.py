"""What is tried next depends on the seed, the number and the results that are known, and on nothing else."""

import math
import sys

import optuna
import pytest

from lightning_imbal.errors import UserError
from lightning_imbal.tuning.search import parse_search
from lightning_imbal.tuning.suggest import check_installed, is_hopeless, suggest
from lightning_imbal.tuning.trial import Trial, best_of

SPACE = parse_search(["model.optimizer.lr=log:1e-4:1e-1", "model.loss=choice:CrossEntropy,LDAM"])


def score(params):
    return (params["model.loss"] == "LDAM") - abs(math.log10(params["model.optimizer.lr"]) + 2)


def make(number, jobs=1, seed=0, better=1.0):
    """So many trials, each suggested by those before it; `better` is by how much the last one that is known is."""
    trials = []
    for n in range(number):
        knows = max(0, n + 1 - jobs)
        params = suggest(SPACE, trials, n, knows, seed, lower=False)
        value = score(params) * better
        trials.append(Trial(n, params, knows, "complete", value, 0, {0: value}))
    return trials


def params(trials):
    return [trial.params for trial in trials]


def test_the_same_trials_for_the_same_seed_and_number_at_once():
    made = make(13)
    assert params(make(13)) == params(made)
    assert params(make(12, seed=1)) != params(made)[:12]
    assert params(make(3, seed=0)) == params(made)[:3]


def test_what_is_not_known_yet_is_only_avoided():
    made = make(14)
    two = suggest(SPACE, made, 13, 12, 0, lower=False)
    hidden = [*made[:12], Trial(12, made[12].params, 11)]  # still running
    assert suggest(SPACE, hidden, 13, 12, 0, lower=False) == two
    known = [suggest(SPACE, made, 13, 13, seed, lower=False) for seed in range(8)]
    assert known != [suggest(SPACE, made, 13, 12, seed, lower=False) for seed in range(8)]


def test_the_search_finds_where_it_is_better():
    made = make(30)
    late = [trial.value for trial in made[15:]]
    assert sum(late) / 15 > sum(trial.value for trial in made[:10]) / 10 + 0.2
    worst = make(30, better=-1.0)
    assert best_of(made, lower=False).value > 0.9 and sum(score(trial.params) for trial in worst[15:]) / 15 < 0


def test_failed_and_pruned_trials_are_no_obstacle():
    made = make(11)
    mixed = [*made[:9], Trial(9, made[9].params, 9, "failed", why="no number")]
    mixed += [Trial(10, made[10].params, 10, "pruned", -2.0, 1, {0: -1.5, 1: -2.0})]
    assert set(suggest(SPACE, mixed, 11, 11, 0, lower=False)) == {each.name for each in SPACE}


def test_nothing_is_tried_twice_and_there_is_an_end():
    space, trials = parse_search(["model.a=choice:x,y", "model.b=int:1:2"]), []
    while (found := suggest(space, trials, len(trials), len(trials), 3, lower=True)) is not None:
        trials.append(Trial(len(trials), found, len(trials), "complete", 0.5, 0, {0: 0.5}))
    assert len({tuple(trial.params.items()) for trial in trials}) == len(trials) == 4


def known(*values):
    """Complete trials of five epochs with these scores after the third."""
    of_epochs = [{epoch: value + 0.01 * (epoch - 2) for epoch in range(5)} for value in values]
    return [
        Trial(n, {"model.optimizer.lr": 0.01, "model.loss": "LDAM"}, n, "complete", values[4], 4, values)
        for n, values in enumerate(of_epochs)
    ]


def hopeless(trials, values, epochs=5, lower=False):
    return is_hopeless(SPACE, trials, dict(enumerate(values)), epochs, lower)


def test_a_trial_below_the_median_is_given_up():
    others = known(0.1, 0.2, 0.3, 0.4, 0.5)  # 0.3 after the third epoch, 0.29 after the second
    assert hopeless(others, [0.0, 0.28]) and not hopeless(others, [0.0, 0.3])
    assert hopeless(others, [0.1, 0.2, 0.29]) and not hopeless(others, [0.1, 0.31, 0.0]), "its best epoch counts"
    assert not hopeless(others, [0.0, 0.28], lower=True) and hopeless(others, [0.31, 0.30], lower=True)


def test_a_trial_is_given_time():
    others = known(0.1, 0.2, 0.3, 0.4, 0.5)
    assert not hopeless(others[:4], [0.0, 0.0]), "there are too few to compare with"
    assert not hopeless(others, [0.0, 0.0], epochs=8) and hopeless(others, [0.0, 0.0, 0.0], epochs=8)
    assert not hopeless(others, [0.0] * 5), "it has trained to its end"
    assert not hopeless(others, [])


def test_without_optuna_it_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match=r"`tune` needs optuna: pip install 'lightning_imbal\[tune\]'\."):
        check_installed()


def test_optuna_says_nothing(capsys):
    suggest(SPACE, [], 0, 0, 0, lower=False)
    assert capsys.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == optuna.logging.ERROR
