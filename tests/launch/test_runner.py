"""The jobs of a table: several at once, one after the one it needs, none lost by another's failure."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from forked import wait_for
from rich.console import Console

from lightning_imbal.command_line import parse_options, to_options
from lightning_imbal.launch import local, runner
from lightning_imbal.launch.display import Display, epochs_of
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.process import BUSY, lock_of
from lightning_imbal.runs.stage import Stage
from lightning_imbal.tables.tags import Labels


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(runner, "SECONDS_BETWEEN_LOOKS", 0.01)


@pytest.fixture
def job(tmp_path):
    def make(name, *arguments, after=None):
        return Job(name, tmp_path / name, arguments or ("report", "--nothing"), after)

    return make


def finish(job):
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / "metrics.json").write_text("{}")


class Made:
    """A launcher whose jobs end at the second look; those that are named fail."""

    machine = ""

    def __init__(self, room, **failing):
        self.room, self.failing, self.started, self.most = room, failing, [], 0
        self.running = {}

    def has_room(self):
        return len(self.running) < self.room

    def start(self, job):
        self.started.append(job.name)
        self.running[job] = 2
        self.most = max(self.most, len(self.running))

    def ended(self):
        self.running = {job: looks - 1 for job, looks in self.running.items()}
        ended = [job for job, looks in self.running.items() if not looks]
        for job in ended:
            del self.running[job]
            if job.name not in self.failing:
                finish(job)
        return [runner.Ended(job, self.failing.get(job.name, 0), self.machine) for job in ended]

    def stop(self):
        self.stopped = True


def run(jobs, launcher):
    text = io.StringIO()
    return runner.run(jobs, launcher, Display(Console(file=text, width=200))), text.getvalue()


def test_every_job_is_run_once_and_no_more_than_there_is_room(job):
    launcher = Made(room=2)
    failures, shown = run([job(name) for name in "abcde"], launcher)
    assert not failures and launcher.started == list("abcde") and launcher.most == 2 and launcher.stopped
    assert "finished e" in shown and "5 of 5" in shown


def test_finished_job_is_not_run_again(job):
    first, second = job("a"), job("b")
    finish(first)
    launcher = Made(room=2)
    assert run([first, second], launcher)[0] == [] and launcher.started == ["b"]


def test_job_waits_for_the_one_that_it_needs(job):
    first = job("a")
    later = job("b", after=first)
    launcher = Made(room=3)
    run([first, later, job("c")], launcher)
    assert launcher.started == ["a", "c", "b"]


def test_failure_does_not_stop_the_others_but_those_that_need_it(job):
    first = job("a")
    first.folder.mkdir(parents=True)
    (first.folder / "log.txt").write_text("\n".join(f"line {number}" for number in range(100)))
    jobs = [first, job("b", after=first), job("c")]
    failures, shown = run(jobs, Made(room=1, a=-9))
    assert [(failure.job.name, failure.log[-1:]) for failure in failures] == [("a", ["line 99"]), ("b", [])]
    assert "killed by SIGKILL" in failures[0].reason and "it needs a, which failed" in failures[1].reason
    assert jobs[2].finished and "failed (killed by SIGKILL" in shown


@pytest.mark.parametrize(
    ("status", "reason"),
    [(1, "ended with status 1"), (0, "ended without results"), (-15, "SIGTERM"), ("lost by Ray", "lost by Ray")],
)
def test_reason_says_how_a_job_ended(status, reason, job):
    assert reason in run([job("a")], Made(room=1, a=status))[0][0].reason


def test_job_of_another_program_is_left_to_it(job):
    elsewhere, here = job("a"), job("b")
    lock = lock_of(elsewhere.folder)
    lock.acquire()

    class Other(Made):
        def ended(self):
            ended = super().ended()
            if ended:
                finish(elsewhere)
                lock.release()
            return ended

    launcher = Other(room=2)
    failures, shown = run([elsewhere, here], launcher)
    assert failures == [] and launcher.started == ["b"] and "finished a elsewhere" in shown


def test_waiting_for_another_program_is_said_once(job):
    elsewhere = job("a")
    lock = lock_of(elsewhere.folder)
    lock.acquire()

    class Other(Made):
        looks = 0

        def ended(self):
            self.looks += 1
            if self.looks == 5:
                finish(elsewhere)
                lock.release()
            return super().ended()

    failures, shown = run([elsewhere], Other(room=2))
    assert failures == [] and shown.count("waiting for another program, which runs 1") == 1


def test_job_that_another_program_gave_up_is_run(job):
    given_up, here = job("a"), job("b")
    lock = lock_of(given_up.folder)
    lock.acquire()

    class Other(Made):
        def start(self, job):
            super().start(job)
            lock.release()

    launcher = Other(room=1)
    assert run([given_up, here], launcher)[0] == [] and launcher.started == ["b", "a"]


def test_job_that_was_taken_at_the_last_moment_is_not_a_failure(job):
    class Taken(Made):
        def ended(self):
            ended = super().ended()
            return [runner.Ended(job, BUSY) for job, *_ in ended]

    assert run([job("a")], Taken(room=1))[0] == []


def test_job_that_another_program_took_and_left_is_tried_again(job):
    class TakenOnce(Made):
        def ended(self):
            ended = super().ended()
            if self.started != ["a"]:
                return ended
            for job, *_ in ended:
                (job.folder / "metrics.json").unlink()
            return [runner.Ended(job, BUSY) for job, *_ in ended]

    launcher = TakenOnce(room=1)
    assert run([job("a")], launcher)[0] == [] and launcher.started == ["a", "a"]


def test_interruption_stops_what_is_running(job):
    class Interrupted(Made):
        def ended(self):
            raise KeyboardInterrupt

    launcher = Interrupted(room=1)
    with pytest.raises(KeyboardInterrupt):
        run([job("a")], launcher)
    assert launcher.stopped


def test_the_machine_is_said_of_what_ends_on_another(job):
    launcher = Made(room=2, b=-9)
    launcher.machine = "node-b"
    [failure], shown = run([job("a"), job("b")], launcher)
    assert "finished a on node-b after 0:00:0" in shown
    assert failure.reason == "on node-b: killed by SIGKILL, as the system does when memory runs out"


def test_a_launcher_that_has_gone_leaves_what_is_finished(job):
    class Fails(Made):
        def ended(self):
            if "b" in self.started:
                raise runner.Gone("the cluster at there:1 has gone")
            return super().ended()

    launcher = Fails(room=1)
    failures, shown = run([job(name) for name in "abc"], launcher)
    assert [(failure.job.name, failure.reason) for failure in failures] == [("b", "the cluster at there:1 has gone")]
    assert shown.count("the same command goes on") == 1 and launcher.stopped


def test_process_that_fails_is_reported_with_what_it_printed(job):
    failing = job("a")
    [failure], _ = run([failing], local.LocalLauncher(1))
    assert failure.reason == "ended with status 2"
    assert (
        failure.log[0].startswith("$ lightning_imbal report --nothing")
        and "unrecognized arguments: --nothing" in failure.log[-1]
    )
    assert json.loads(failing.record.read_text())["seconds"] >= 0


def test_process_leaves_a_folder_alone_that_another_has(job):
    taken = job("a")
    lock = lock_of(taken.folder)
    with lock.acquire():
        assert local.start_process(taken, 1).wait(60) == BUSY
    assert not (taken.folder / "command.json").exists()


def test_process_does_not_run_what_has_finished(job):
    done = job("a")
    finish(done)
    assert local.start_process(done, 1).wait(60) == 0
    assert (done.folder / "log.txt").read_text() == ""


START_AND_DIE = """
import os, sys, time
from pathlib import Path
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.local import start_process
process = start_process(Job("a", Path(sys.argv[1]), ("fit", "--config", "experiments/demo.yaml")), 1)
print(process.pid, flush=True)
child = Path(sys.argv[1], "child")
while not child.is_file() or not child.read_text():
    time.sleep(0.02)
os.kill(os.getpid(), 9)
"""


def has_ended(number):
    process = Path("/proc", number)
    return not process.exists() or "Z" in process.joinpath("stat").read_text().rsplit(")", 1)[1].split()[0]


# Python reads it when it starts: the job has a process of its own instead of training.
WITH_A_CHILD = """
import subprocess, sys, time
from pathlib import Path
from types import ModuleType

def run(args):
    child = subprocess.Popen(["sleep", "300"])
    Path(args[args.index("--run_dir") + 1], "child").write_text(str(child.pid))
    time.sleep(300)

sys.modules["lightning_imbal.cli.fit"] = fit = ModuleType("fit")
fit.run = run
"""


@pytest.fixture
def with_a_child(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(WITH_A_CHILD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)


def test_process_ends_with_the_one_that_started_it(tmp_path, with_a_child):
    died = subprocess.run([sys.executable, "-c", START_AND_DIE, str(tmp_path)], stdout=subprocess.PIPE, timeout=60)
    wait_for(lambda: has_ended(died.stdout.decode().strip()))
    wait_for(lambda: has_ended((tmp_path / "child").read_text()))


def test_a_job_that_is_stopped_leaves_no_process_behind(job, with_a_child):
    training, launcher = job("a", "fit"), local.LocalLauncher(1)
    launcher.start(training)
    child = training.folder / "child"
    wait_for(lambda: child.is_file() and child.read_text())
    launcher.stop()
    wait_for(lambda: has_ended(child.read_text()))


def test_a_job_that_is_killed_leaves_no_process_behind(job, with_a_child):
    training, launcher = job("a", "fit"), local.LocalLauncher(1)
    launcher.start(training)
    child = training.folder / "child"
    wait_for(lambda: child.is_file() and child.read_text())
    [(process, _)] = launcher._running.values()
    process.kill()
    wait_for(launcher.ended)
    wait_for(lambda: has_ended(child.read_text()))


def test_devices_are_shared_out(job, monkeypatch):
    given = []
    monkeypatch.setattr(local, "start_process", lambda job, processors, environment, server: given.append(environment))
    launcher = local.LocalLauncher(3, ["4", "7"])
    for name in "abc":
        launcher.start(job(name))
    assert [environment["CUDA_VISIBLE_DEVICES"] for environment in given] == ["4", "7", "4"]
    given.clear()
    local.LocalLauncher(1, ["4", "7"]).start(job("d"))
    assert given == [{}]


def test_the_device_that_has_become_free_is_taken(job, monkeypatch):
    given, ended = [], []

    def start(job, processors, environment, server):
        given.append(environment["CUDA_VISIBLE_DEVICES"])
        return SimpleNamespace(poll=lambda: 0 if job.name in ended else None)

    monkeypatch.setattr(local, "start_process", start)
    monkeypatch.setattr(local, "end", lambda process: None)
    launcher = local.LocalLauncher(3, ["4", "7", "9"])
    for name in "abc":
        launcher.start(job(name))
    ended.append("b")
    assert [(ended.name, status) for ended, status, _ in launcher.ended()] == [("b", 0)]
    launcher.start(job("d"))
    assert given == ["4", "7", "9", "7"]


def test_the_environment_of_a_job_wins_over_that_of_the_table(job, monkeypatch):
    asked = {}
    monkeypatch.setattr(local.subprocess, "Popen", lambda command, **settings: asked.update(settings["env"]))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    monkeypatch.setenv("WANDB_TAGS", "mine")
    labels = Labels("table", "CE", "Skin7")
    labelled = Job("a", job("a").folder, ("report",), labels=labels)
    local.start_process(labelled, 2, {"CUDA_VISIBLE_DEVICES": "7"})
    assert (asked["CUDA_VISIBLE_DEVICES"], asked["WANDB_RUN_GROUP"], asked["WANDB_TAGS"]) == ("7", "table: CE", "mine")


def test_processors_are_shared_out(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    assert [local.processors(jobs) for jobs in (1, 3, 16)] == [8, 2, 1]


def test_processors_are_shared_out_on_macos(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert [local.processors(jobs) for jobs in (1, 3, 16)] == [8, 2, 1]


CONFIG = "trainer: {{max_epochs: {}}}\nmodel: {{}}\ndata: {{}}\nckpt_path: null\n"


def test_epochs_are_read_while_they_are_written(tmp_path):
    assert epochs_of(tmp_path) == ("", 0, 0)
    stage = tmp_path / "stage1"
    stage.mkdir()
    (stage / "config.yaml").write_text(CONFIG.format(7))
    assert epochs_of(tmp_path) == ("stage1", 0, 0)
    (stage / "metrics.csv").write_text("epoch,step,train/loss\n")
    assert epochs_of(tmp_path) == ("stage1", 0, 7)
    (stage / "metrics.csv").write_text("epoch,step,train/loss\n0,9,1.0\n1,19,0.9\n1,19,\n")
    assert epochs_of(tmp_path) == ("stage1", 2, 7)
    (stage / "config.yaml").write_text("")
    assert epochs_of(tmp_path) == ("stage1", 0, 0)


def test_epochs_are_those_of_the_stage_that_was_begun_last(tmp_path):
    for stage, epochs in {"stage1": 7, "stage2": 3}.items():
        (tmp_path / stage).mkdir()
        (tmp_path / stage / "config.yaml").write_text(CONFIG.format(epochs))
        (tmp_path / stage / "metrics.csv").write_text("epoch\n0\n")
    assert epochs_of(tmp_path) == ("stage2", 1, 3)


def test_display_in_a_terminal_says_how_long_the_rest_takes(job, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    text = io.StringIO()
    display = Display(Console(file=text, width=150, force_terminal=True))
    display.begin(4)
    now[0] = 60.0
    display.ended(job("a"), None)
    display.update([], 0)
    display.progress.refresh()
    display.close()
    assert "about 0:03:00 left" in text.getvalue()


def test_rest_is_not_taken_for_longer_as_several_run_at_once(job, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    display = Display(Console(file=io.StringIO(), force_terminal=True))
    display.begin(11)
    for name in ("a", "b", "c"):
        display.started(job(name))
    now[0] = 60.0
    display.ended(next(iter(display._lines)), None)
    # One and a half are done, as the other two are halfway, or one and none where runs follow each other.
    assert display._remaining() == "about 0:06:20 left"
    display.close()


def began(job, name, epochs, last):
    """A running job whose files say how many epochs it has, and the last finished one."""
    running = job(name)
    (running.folder / "stage1").mkdir(parents=True)
    (running.folder / "stage1" / "config.yaml").write_text(CONFIG.format(epochs))
    (running.folder / "stage1" / "metrics.csv").write_text(f"epoch,step,train/loss\n{last},9,1.0\n")
    return running


def test_display_in_a_terminal_shows_epochs(job):
    text = io.StringIO()
    display = Display(Console(file=text, width=150, force_terminal=True))
    running = began(job, "demo/ce", 7, 4)
    display.begin(2)
    display.started(running)
    display.update([running], 1)
    display.progress.refresh()
    display.ended(running, None)
    display.update([], 1)
    display.progress.refresh()
    display.close()
    assert "5/7" in text.getvalue() and "epochs of stage1" in text.getvalue() and "1 run elsewhere" in text.getvalue()


def test_files_of_a_run_are_read_every_few_seconds_and_only_if_they_are_others(job, monkeypatch):
    now, read = [0.0], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    whole = Stage.config
    monkeypatch.setattr(Stage, "config", lambda stage: read.append(stage.folder) or whole(stage))
    display = Display(Console(file=io.StringIO(), force_terminal=True))
    running = began(job, "demo/ce", 7, 4)
    display.begin(1)
    display.started(running)

    def shown():
        display.update([running], 0)
        return display.progress.tasks[1].completed

    assert shown() == 5
    with (running.folder / "stage1" / "metrics.csv").open("a") as file:
        file.write("5,19,0.9\n")
    now[0] = 1.0
    assert shown() == 5
    now[0] = 3.0
    assert shown() == 6 and len(read) == 1
    display.close()


def test_more_running_jobs_than_the_terminal_has_lines_are_counted(job):
    display = Display(Console(file=io.StringIO(), width=80, height=10, force_terminal=True))
    display.begin(40)
    for number in range(20):
        display.started(job(f"{'a_long_name+' * 4}seed{number}"))
    text = io.StringIO()
    Console(file=text, width=80).print(display.progress.get_renderable())
    display.close()
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    assert len(lines) == 9 and "0/40" in lines[0] and lines[-1] == "  and 13 more"
    assert "seed6" in lines[-2] and "starting" in lines[-2]


def test_options_are_read_as_they_are_written():
    options = {"model": "PerturbedClassifier", "model.mixer.alpha": 0.2, "model.more_epsilons": [0.1, 0.2], "a": None}
    written = to_options(options)
    assert written[-2:] == ["--a", "null"] and written[:2] == ["--model", "PerturbedClassifier"]
    assert parse_options(written) == [
        ("model", "PerturbedClassifier"),
        ("model.mixer.alpha", "0.2"),
        ("model.more_epsilons", "[0.1, 0.2]"),
        ("a", "null"),
    ]
    assert parse_options(["--a=-1", "--b", "-1", "--c"]) == [("a", "-1"), ("b", "-1"), ("c", "")]


# The first is of process 1, which is there always.
@pytest.mark.parametrize("left", [".command.json.1", ".shared-0123"])
def test_what_a_killed_program_left_beside_its_results_goes(left, job):
    done, busy, begun = job("done"), job("busy"), job("begun")
    finish(done)
    finish(busy)
    begun.folder.mkdir()
    halves = [each.folder / left for each in (done, busy, begun)]
    for half in halves:
        half.touch()
    with lock_of(busy.folder):
        runner.discard_left_halves([done, busy, begun])
    assert [half.exists() for half in halves] == [False, True, True]
