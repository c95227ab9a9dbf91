"""The trials of a search, whose runs are made up: killed and continued, several at once, failed."""

import io
from pathlib import Path

import pytest
from made_runs import write_run, write_stage
from rich.console import Console

from lightning_imbal.cli.parts.search import Search
from lightning_imbal.command_line import last_setting
from lightning_imbal.launch import runner
from lightning_imbal.launch.display import Display
from lightning_imbal.runs.folder import stages_in
from lightning_imbal.tuning.about import about
from lightning_imbal.tuning.trial import best_of, folder_of, read_trial

SEARCH = ["model.optimizer.lr=log:1e-4:1e-1", "data.sampler.q=0:1"]


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(runner, "SECONDS_BETWEEN_LOOKS", 0)


class Killed(Exception):
    pass


class Made:
    """A launcher whose jobs end in an order of their own, with a score by their settings.

    Args:
        room: How many there are at once.
        after: How many end before the program is killed; None: it is not.
        last_first: Whether of several the last that began ends first.
        failing: Exit statuses of trials by their numbers.
    """

    def __init__(self, room=1, after=None, last_first=False, failing=None):
        self.room, self.after, self.last_first, self.failing = room, after, last_first, failing or {}
        self.running, self.started, self.looks = [], [], 0

    def has_room(self):
        return len(self.running) < self.room

    def start(self, job):
        self.running.append(job)
        self.started.append(job)
        (job.folder / "stage1").mkdir(parents=True, exist_ok=True)  # a killed trial has begun

    def ended(self):
        if self.after is not None and len(self.started) > self.after:
            raise Killed
        self.looks += 1
        if self.last_first and len(self.running) < self.room and self.looks % 4:  # others may begin
            return []
        job = self.running.pop(-1 if self.last_first else 0)
        number = int(job.folder.name)
        if (status := self.failing.get(number)) is not None:
            (job.folder / "log.txt").write_text("$ lightning_imbal fit\nlightning_imbal: It diverged.\n")
            return [runner.Ended(job, status)]
        lr, q = (float(last_setting(job.arguments[1:], *name.partition("=")[0].split("."))) for name in SEARCH)
        write_run(job.folder, images=40, part="val", skill=2 - q + 10 * lr)
        write_stage(job.folder / "stage1", epochs=1)
        (job.folder / "stage1" / "checkpoints").mkdir()
        return [runner.Ended(job, 0)]

    def stop(self):
        pass


def make(folder, launcher, number=6, jobs=1, **more):
    """A search, as it is after it has ended or was killed, and what failed."""
    of = about(SEARCH, "val/f1", more.pop("seed", 0), "none", [], [])
    search = Search(of, folder, ["--trainer.max_epochs", "1"], number, jobs, **more)
    search.begin()
    try:
        return search, runner.run([], launcher, Display(Console(file=io.StringIO())), search.further)
    except Killed:
        search = Search(of, folder, [], number, jobs)
        search.begin()
        return search, []


def test_each_trial_is_a_fit_that_does_not_know_the_test_part(tmp_path):
    launcher = Made()
    search, failures = make(tmp_path, launcher, 2)
    assert not failures and [trial.state for trial in search.trials] == ["complete"] * 2 and not search.left
    for job, trial in zip(launcher.started, search.trials, strict=True):
        assert job.arguments[:3] == ("fit", "--trainer.max_epochs", "1") and job.folder == folder_of(
            tmp_path, trial.number
        )
        assert last_setting(job.arguments[1:], "data", "lock_test") == "true"
        assert float(last_setting(job.arguments[1:], "model", "optimizer", "lr")) == trial.params["model.optimizer.lr"]
        assert read_trial(job.folder) == trial


@pytest.mark.parametrize(("jobs", "last_first"), [(1, False), (2, False), (3, True)])
def test_killed_and_continued_gives_the_same_trials(jobs, last_first, tmp_path):
    whole, _ = make(tmp_path / "whole", Made(jobs, last_first=last_first), jobs=jobs)
    left = []
    for after in (1, 2, 4, None):  # of those that each start makes
        broken, _ = make(tmp_path / "broken", Made(jobs, after, last_first), jobs=jobs)
        left.append(broken.left)
    assert left[0] and left[1] and not left[-1]
    assert broken.trials == whole.trials and len(whole.trials) == 6


def test_a_trial_knows_those_that_many_before_it_whichever_ends_first(tmp_path):
    first, last = (make(tmp_path / str(last), Made(3, last_first=last), 5, jobs=3)[0] for last in (False, True))
    assert first.trials == last.trials and [trial.knows for trial in last.trials] == [0, 0, 0, 1, 2]


def test_a_trial_that_was_begun_goes_on_and_what_has_ended_is_kept(tmp_path):
    make(tmp_path, Made(after=2))
    launcher = Made()
    make(tmp_path, launcher)
    assert [int(job.folder.name) for job in launcher.started] == [2, 3, 4, 5]
    assert launcher.started[0].command()[-2:] == ["--ckpt_path", "last"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_planned_is_what_it_begins_with_and_nothing_is_written(jobs, tmp_path):
    make(tmp_path, Made(jobs, after=2), 3, jobs)
    search = Search(about(SEARCH, "val/f1", 0, "none", [], []), tmp_path, ["--trainer.max_epochs", "1"], 6, jobs)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}
    planned = [(job.folder, job.arguments) for job in search.planned()]
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")} == before
    launcher = Made(jobs)
    make(tmp_path, launcher, 6, jobs)
    assert planned == [(job.folder, job.arguments) for job in launcher.started[: len(planned)]]
    assert len(planned) == jobs


def test_more_trials_go_on_and_fewer_change_nothing(tmp_path):
    first, _ = make(tmp_path / "one", Made(), 3)
    more, _ = make(tmp_path / "one", Made(), 5)
    assert more.trials[:3] == first.trials and make(tmp_path / "two", Made(), 5)[0].trials == more.trials
    launcher = Made()
    assert make(tmp_path / "one", launcher, 2)[0].trials == more.trials and not launcher.started


def test_what_fails_by_itself_is_noted_and_the_others_go_on(tmp_path):
    search, failures = make(tmp_path, Made(failing={1: 2}))
    assert len(failures) == 1 and [trial.state for trial in search.trials].count("failed") == 1
    assert search.trials[1].why == "It diverged." and search.trials[1].value is None
    launcher = Made()
    assert make(tmp_path, launcher)[0].trials == search.trials and not launcher.started, "it would fail again"


def test_what_was_killed_ends_the_search_and_is_run_again(tmp_path):
    whole, _ = make(tmp_path / "whole", Made())
    search, failures = make(tmp_path / "broken", Made(failing={1: -9}))
    assert [trial.state for trial in search.trials] == ["complete", "running"] and len(failures) == 1
    assert make(tmp_path / "broken", Made())[0].trials == whole.trials


def test_a_search_of_which_nothing_comes_ends(tmp_path):
    search, failures = make(tmp_path, Made(failing=dict.fromkeys(range(6), 2)))
    assert len(search.trials) == len(failures) == 3


def test_no_trial_is_begun_when_the_time_is_over(tmp_path):
    assert not make(tmp_path, Made(), minutes=0)[0].trials
    assert len(make(tmp_path, Made(), minutes=5)[0].trials) == 6


def test_only_the_best_keeps_its_checkpoints(tmp_path):
    search, _ = make(tmp_path, Made())
    kept = [n for n in range(6) if (folder_of(tmp_path, n) / "stage1" / "checkpoints").is_dir()]
    assert kept == [best_of(search.trials, lower=False).number]
    assert all(stages_in(Path(folder_of(tmp_path, n))) for n in range(6))
