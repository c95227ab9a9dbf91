"""What a search has found, as a table, a file and a picture."""

import io
from pathlib import Path

import pandas as pd
import pytest
from made_runs import write_run, write_split, write_stage
from rich.console import Console

from lightning_imbal.report.tuned import print_trials, said_of, trials_table, write_results
from lightning_imbal.tuning.about import about
from lightning_imbal.tuning.trial import Trial, folder_of

SEARCH = ["model.optimizer.lr=log:1e-4:1e-1", "model.loss=choice:CrossEntropy,LDAM", "trainer.max_epochs=int:1:9"]
OF = about(SEARCH, "val/f1", 0, "median", [], [])
STATES = ["complete"] * 5 + ["pruned", "failed", "complete"]


def trial(number, state):
    params = {"model.optimizer.lr": 0.01 / (number + 1), "model.loss": "LDAM", "trainer.max_epochs": 3}
    value = None if state == "failed" else 0.1 * number
    why = "It diverged." if state == "failed" else ""
    return Trial(number, params, number, state, value, None if value is None else 1, {0: 0.1, 1: 0.2}, why)


TRIALS = [trial(number, state) for number, state in enumerate(STATES)]


@pytest.fixture
def written(tmp_path):
    best = folder_of(tmp_path, 7)
    write_run(best, images=40, part="val", title={"data": "ISIC2018"})
    write_stage(best / "stage1")
    write_split(best)
    assert write_results(OF, TRIALS, tmp_path) == TRIALS[7]
    return tmp_path


def test_files_of_a_search(written):
    table = pd.read_csv(written / "trials.csv", keep_default_na=False)
    assert table["state"].tolist() == STATES and table["val/f1"].iloc[-1] == "0.7000000000000001"
    assert table.loc[6, ["val/f1", "epoch", "why"]].tolist() == ["", "", "It diverged."]
    assert table["epoch"].iloc[0] == "2" and (written / table["folder"].iloc[-1]).is_dir()
    assert (written / "split.csv").read_bytes() == (written / "trials/007/stage1/split.csv").read_bytes()
    assert (written / "best.yaml").is_file() and (written / "trials.png").read_bytes().startswith(b"\x89PNG")


def test_best_five_are_shown_and_the_others_are_counted():
    text = io.StringIO()
    print_trials(OF, TRIALS, Path("run"), Console(file=text, width=120))
    shown = [line.split("│")[1].strip() for line in text.getvalue().splitlines() if line.startswith("│")]
    assert shown == ["7", "4", "3", "2", "1"] and "run: the best of 8 trials" in text.getvalue()
    assert "6 trials complete, 1 pruned" in text.getvalue() and "trial 6: It diverged." in text.getvalue()


def test_without_a_complete_trial_there_is_a_list_alone(tmp_path):
    assert write_results(OF, TRIALS[6:7], tmp_path) is None and [file.name for file in tmp_path.iterdir()] == [
        "trials.csv"
    ]
    assert write_results(OF, [], tmp_path) is None and trials_table(OF, [], tmp_path).empty
    assert said_of([])[0].startswith("0 trials complete, 0 pruned")
