"""What came of a trial, from the files of its run."""

import pandas as pd
import pytest
from made_runs import write_run, write_stage

from lightning_imbal.runs.run import Run
from lightning_imbal.tuning.about import about
from lightning_imbal.tuning.outcome import by_epoch, given_up, kept_epoch, outcome
from lightning_imbal.tuning.trial import Trial, best_of, folder_of, read_trial, read_trials

SEARCH = ["model.optimizer.lr=log:1e-4:1e-1"]


def search(score="val/f1", pruner="median"):
    return about(SEARCH, score, 0, pruner, ["demo.yaml"], [])


def begun(number=5, **more):
    return Trial(number, {"model.optimizer.lr": 0.01}, number, **more)


def known(*values, epochs=5):
    return [
        Trial(n, {"model.optimizer.lr": 0.01}, n, "complete", value, 4, dict.fromkeys(range(epochs), value))
        for n, value in enumerate(values)
    ]


@pytest.fixture
def run(tmp_path):
    """A run of five epochs whose F1 on the validation part rises from 0 to 0.4."""
    folder = folder_of(tmp_path, 5)
    write_run(folder, images=40, part="val")
    write_stage(folder / "stage1")
    return folder


def test_a_complete_trial_has_the_score_of_its_results(run):
    found = outcome(begun(), run, search(), [])
    assert (found.state, found.epoch, found.value) == ("complete", 4, Run(run).score("f1"))
    assert found.values == pytest.approx({0: 0, 1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4})
    assert outcome(begun(), run, search("val/f1/mel"), []).value == Run(run).score("f1/mel")


def test_a_loss_is_that_of_the_kept_epoch(run):
    assert outcome(begun(), run, search("val/loss"), []).value == pytest.approx(1 / 5)
    monitored = (run / "stage1" / "config.yaml").read_text() + "monitor: val/f1\nmonitor_mode: min\n"
    (run / "stage1" / "config.yaml").write_text(monitored)
    found = outcome(begun(), run, search("val/loss"), [])
    assert (found.epoch, found.value) == (0, 1.0)


def test_a_trial_that_was_hopeless_is_pruned_there_whether_it_went_on_or_not(run):
    others = known(*[0.25] * 5)
    found = outcome(begun(), run, search(), others)
    assert (found.state, found.epoch) == ("pruned", 1) and found.value == pytest.approx(0.1)
    assert found.values == pytest.approx({0: 0, 1: 0.1})
    assert outcome(begun(), run, search(pruner="none"), others).state == "complete"
    assert outcome(begun(), run, search(), others[:4]).state == "complete"


def test_the_epoch_that_was_hopeless_does_not_depend_on_what_came_later():
    values, others = {0: 0.1, 1: 0.2, 2: 0.15, 3: 0.9}, known(*[0.5] * 5)
    assert given_up(values, 5, search(), others) == 1
    assert given_up({0: 0.1, 1: 0.2}, 5, search(), others) == 1 and given_up({0: 0.1}, 5, search(), others) is None


def test_a_score_that_is_no_number_has_failed(run):
    write_stage(run / "stage1", **{"lr": 0.1})
    curves = pd.read_csv(run / "stage1" / "metrics.csv")
    curves["val/loss"] = curves["val/loss"].where(curves["val/loss"].isna(), float("inf"))
    curves.to_csv(run / "stage1" / "metrics.csv", index=False)
    found = outcome(begun(), run, search("val/loss"), [])
    assert (found.state, found.value, found.why) == ("failed", None, "its score is no number")


def test_an_epoch_that_was_begun_twice_counts_once():
    curves = pd.DataFrame({"epoch": [0, 0, 1, 1, None], "val/f1": [0.1, 0.2, 0.3, None, None]})
    assert by_epoch(curves, "val/f1") == {0: 0.2, 1: 0.3} and by_epoch(curves, "val/auc") == {}


def test_the_kept_epoch():
    scores = {0: 0.1, 1: 0.4, 2: 0.4, 3: 0.2}
    assert [kept_epoch(scores, mode) for mode in ("max", "min", None)] == [1, 0, 3]
    assert kept_epoch({}, "max") is None


def test_trials_are_read_as_they_were_written(tmp_path):
    written = [begun(n, state="complete", value=0.1 * n, values={0: 0.5}) for n in (0, 1)] + [begun(2, why="no")]
    for trial in written:
        trial.write(folder_of(tmp_path, trial.number))
    assert read_trials(tmp_path) == written and read_trial(tmp_path) is None
    assert best_of(written, lower=False).number == 1 and best_of(written, lower=True).number == 0
    assert best_of(written[2:], lower=True) is None
