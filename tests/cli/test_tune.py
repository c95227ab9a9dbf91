"""`lightning_imbal tune` with real, short trainings on pictures whose test part nobody can read."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from made_pictures import write_protocol
from opened_files import opened_below
from small_runs import refused

from lightning_imbal.cli import main, tune
from lightning_imbal.cli.parts import running
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.stages import layers, merged
from lightning_imbal.launch import runner
from lightning_imbal.runs.run import Run
from lightning_imbal.tuning.trial import read_trials

SEARCH = ["--search", "model.optimizer.lr=log:1e-3:1e-1", "--search", "data.sampler.q=0:1"]
SPLIT = ["--data.split.test", "0.2", "--data.split.val", "0.25", "--data.image_size", "16", "--data.num_workers", "0"]
HERE = [*SPLIT, "--laptop", "false", "--trainer.max_epochs", "2", "--monitor", "val/f1"]


class Here:
    """Runs each job in this process."""

    def __init__(self, *_):
        self.ended_jobs = []

    def has_room(self):
        return not self.ended_jobs

    def start(self, job):
        job.folder.mkdir(parents=True, exist_ok=True)
        self.ended_jobs.append(runner.Ended(job, main(job.command())))

    def ended(self):
        found, self.ended_jobs = self.ended_jobs, []
        return found

    def stop(self):
        pass


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A configuration of few pictures, those of the test part unreadable; and the names of these."""
    folder = tmp_path_factory.mktemp("tune")
    protocol = write_protocol(folder)
    cli = ImbalCLI("fit")
    data = cli.build(cli.read(["--config", str(protocol), *HERE])).data
    test = data.table["path"].iloc[data.rows("test")].tolist()
    kept = {path: Path(path).read_bytes() for path in test}
    for path in test:
        Path(path).write_bytes(b"no picture")
    return protocol, kept


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(running, "FORKS", False)
    monkeypatch.setattr(tune, "local_launcher", Here)
    monkeypatch.setattr(runner, "SECONDS_BETWEEN_LOOKS", 0)


@pytest.fixture(scope="module")
def searched(images):
    """A search of two trials, whose opened pictures are counted."""
    protocol, _ = images
    run = protocol.parent / "search"
    args = ["tune", "--config", str(protocol), *HERE, *SEARCH, "--trials", "2", "--run_dir", str(run)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "FORKS", False)
        patch.setattr(tune, "local_launcher", Here)
        patch.setattr(runner, "SECONDS_BETWEEN_LOOKS", 0)
        with opened_below(protocol.parent / "data") as opened:
            assert main(args) == 0
    return protocol, run, args, {*opened}


def test_the_test_part_is_never_opened(searched, images):
    (_, kept), opened = images, searched[3]
    assert kept.keys().isdisjoint(opened) and len(opened) == 68 - len(kept)
    for number in range(2):
        trial = searched[1] / "trials" / f"{number:03d}"
        assert set(Run(trial).stages[0].split()["part"]) == {"train", "val"}
        assert Run(trial).identity["part"] == "val" and Run(trial).identity["chosen_by"] == {"epoch": "val/f1"}
        assert not (trial / "predictions_val.parquet").exists()


def test_trials_have_the_score_of_the_epoch_that_was_kept(searched):
    for trial in read_trials(searched[1]):
        assert trial.state == "complete" and [*trial.values] == [0, 1]
        assert trial.value == pytest.approx(max(trial.values.values()), abs=1e-6)
        assert trial.value == pytest.approx(trial.values[trial.epoch], abs=1e-6)


def test_best_settings_lie_over_the_same_configurations(searched):
    protocol, run, *_ = searched
    best = yaml.safe_load((run / "best.yaml").read_text())["tuned"]["trial"]
    made = yaml.safe_load((run / f"trials/{best:03d}/stage1/config.yaml").read_text())
    cli = ImbalCLI("fit")
    read = cli.read(["--config", str(protocol), *HERE, "--config", str(run / "best.yaml")])
    whole = yaml.safe_load(cli.parser.dump(read, skip_unset=False))
    made["data"]["init_args"]["lock_test"] = False
    for config in (whole, made):  # that are taken from the weights, as soon as a run begins
        del config["data"]["init_args"]["mean"], config["data"]["init_args"]["std"]
    assert (whole["model"], whole["data"]) == (made["model"], made["data"]) and whole["tuned"]["trial"] == best


def test_a_tuned_run_says_how_and_a_search_on_other_parts_is_noticed(searched, images, capsys):
    protocol, run, *_ = searched
    for path, picture in images[1].items():
        Path(path).write_bytes(picture)
    fit = ["fit", "--config", str(protocol), *HERE, "--config", str(run / "best.yaml"), "--trainer.max_epochs", "1"]
    other = ["--data.split.seed", "1", "--run_dir", str(protocol.parent / "other")]
    with pytest.warns(UserWarning, match="tuned on other images than these .* it has seen 1[0-9] test images"):
        assert main([*fit, *other]) == 0
    identity = json.loads((protocol.parent / "other/metrics.json").read_text())["identity"]
    assert identity["tuned"]["trials"] == 2 and identity["tuned"]["other"] and identity["tuned"]["seen"] >= 10
    assert identity["tuned"]["search"] == {"model.optimizer.lr": "log:1e-3:1e-1", "data.sampler.q": "0:1"}
    capsys.readouterr()
    assert main(["report", str(protocol.parent / "other")]) == 0
    assert "tuned by val/f1 in 2 trials" in " ".join(capsys.readouterr().out.split())


def test_the_same_command_goes_on(searched, here, capsys):
    _, run, args, _ = searched
    before = (run / "trials.csv").read_bytes()
    assert main(args) == 0
    said = capsys.readouterr().out
    assert (run / "trials.csv").read_bytes() == before and f"--config {run / 'best.yaml'}" in said.replace("\n", "")


def test_a_dry_run_tells_what_is_left_and_writes_nothing(searched, here, capsys):
    _, run, args, _ = searched
    before = sorted(run.rglob("*"))
    assert main([*args, "--trials", "4", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert f"{run}: 4 trials of model.optimizer.lr=log:1e-3:1e-1, data.sampler.q=0:1, by val/f1 (seed 0" in said
    [command] = [line for line in said.splitlines() if line.startswith("lightning_imbal fit ")]
    assert command.endswith(f"--run_dir {run}/trials/002")
    assert "--data.lock_test true --model.optimizer.lr 0.0" in command
    assert "2 of 4 trials have ended" in said and "2 runs to train: " in said
    assert sorted(run.rglob("*")) == before


def test_configurations_that_say_something_else_by_now_are_refused(searched, here, capsys):
    protocol, run, args, _ = searched
    (protocol.parent / "changed").mkdir()
    changed = protocol.parent / "changed" / protocol.name
    changed.write_text(protocol.read_text().replace("lr: 0.02", "lr: 0.02, momentum: 0.5"))
    said = refused(capsys, *(str(changed) if arg == str(protocol) else arg for arg in args), "--trials", "4")
    assert "trials/000/stage1 was begun with model.optimizer.momentum 0" in said and ", not 0.5: go on with" in said
    assert not (run / "trials" / "002").exists()


CRW = ["--config", "experiments/methods/ce_crw.yaml"]
REFUSED = [
    ([], "needs what it is to search"),
    (["--search", "model.optimiser.lr=0:1"], "model.optimizer"),
    ([*SEARCH, "--ckpt_path", "last"], "no --ckpt_path"),
    ([*SEARCH, "--seed_everything", "true"], "another seed for each trial"),
    ([*SEARCH, "--score", "val/f2"], "is no score"),
    (["--search", "model.loss=choice:CrossEntropy,LDAN"], "LDAN"),
    (["--search", "trainer.max_epochs=0:9"], "give --search trainer.max_epochs=int:0:9"),
    ([*CRW, "--search", "then.data.batch_size=log:4:8"], "give --search then.data.batch_size=int:4:8"),
    ([*SEARCH, "--data.split.val", "0"], "no validation part"),
    ([*SEARCH, "--launcher", "ray"], "needs Ray"),
]


@pytest.mark.parametrize(("more", "said"), REFUSED)
def test_what_cannot_be_searched_is_refused_before_anything_is_written(
    more, said, images, here, capsys, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "lightning_imbal.launch.cluster", raising=False)
    args = ["tune", "--config", str(images[0]), *HERE, *more, "--run_dir", str(tmp_path / "run")]
    assert said in refused(capsys, *args)
    assert not (tmp_path / "run").exists()


def test_a_second_stage_is_searched_as_the_first_is(images):
    options = ["--then.model.optimizer.lr", "0.03", "--then.trainer.max_epochs", "2"]
    whole = ["--config", str(images[0]), "--config", "experiments/methods/ce_crw.yaml", *options]
    then = merged(layers(whole))
    assert then["model"]["init_args"]["optimizer"]["init_args"]["lr"] == 0.03 and then["trainer"]["max_epochs"] == 2


def test_trials_table_is_of_both(searched):
    assert pd.read_csv(searched[1] / "trials.csv")["state"].tolist() == ["complete", "complete"]
