"""A table over machines of which some lack what its jobs need, without a cluster."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

pytest.importorskip("ray", reason="Ray is not installed: pip install 'lightning_imbal[cluster]'")

from lightning_imbal.launch import cluster, connection, left_out, runner
from lightning_imbal.launch.display import Display
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.left_out import LeftOut, named
from lightning_imbal.launch.machine import FOLDER, MEMORY, VERSIONS, Lack, Lacking

OLD = Lack(VERSIONS, "it has torch 1.0 instead of 2.0; install the same on every machine")
FULL = Lack(MEMORY, "only 0.1 GiB of its memory are free; end what else runs there")


class MadeUp:
    """A cluster of machines with so many GPUs each, by name, and what they lack.

    A job begins as soon as there is room on a machine that it is not kept off, and ends at the second look.
    """

    def __init__(self, **gpus):
        self.gpus, self.lacks, self.tasks, self.tried = gpus, {}, [], []
        self.looked = lambda: None

    def nodes(self):
        return [
            {"NodeID": name, "Alive": True, "Resources": {"CPU": 8, "GPU": gpus}} for name, gpus in self.gpus.items()
        ]

    def remote(self, **options):
        return lambda function: SimpleNamespace(options=self.options)

    def options(self, scheduling_strategy):
        but = ()
        if scheduling_strategy != "DEFAULT":
            labels = {label.key: label.operator.values for label in scheduling_strategy.hard}
            but = labels["ray.io/node_id"]
            assert labels["ray.io/node-id"] == but, "as newer Ray calls it"

        def remote(job, *others):
            self.tasks.append(SimpleNamespace(job=job, but=but, node=None, looks=0))
            return self.tasks[-1]

        return SimpleNamespace(remote=remote)

    def wait(self, tasks, timeout):
        [task] = tasks
        for waiting in self.tasks:
            used = [other.node for other in self.tasks]
            room = [name for name in self.gpus if name not in waiting.but and used.count(name) < self.gpus[name]]
            if waiting.node is None and room:
                waiting.node = room[0]
                self.tried.append(room[0])
        task.looks += task.node is not None
        is_over = task.node in self.gpus and (task.node in self.lacks or task.looks == 2)
        return (tasks if is_over else [], [])

    def get(self, task):
        self.tasks.remove(task)
        self.looked()
        if lack := self.lacks.get(task.node):
            return Lacking(task.node, f"host-{task.node}", lack)
        (task.job.folder / "metrics.json").write_text("{}")
        return 0

    def cancel(self, task, force):
        self.tasks.remove(task)

    def launcher(self, monkeypatch):
        ray = SimpleNamespace(
            init=lambda *args, **kwargs: None,
            get_runtime_context=lambda: SimpleNamespace(gcs_address="here:1"),
            shutdown=lambda: None,
            **{name: getattr(self, name) for name in ("nodes", "remote", "wait", "get", "cancel")},
        )
        for module in (cluster, connection):
            monkeypatch.setattr(module, "ray", ray)
        monkeypatch.setattr(cluster, "answers", lambda address: True)
        return cluster.RayLauncher(8)


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Runs a table of so many jobs on a cluster; their failures and what was shown."""
    monkeypatch.setattr(runner, "SECONDS_BETWEEN_LOOKS", 0)

    def run(number, made_up, *arguments):
        jobs = [Job(str(name), tmp_path / str(name), ("fit", *arguments)) for name in range(number)]
        text = io.StringIO()
        display = Display(Console(file=text, width=300))
        failures = runner.run(jobs, made_up.launcher(monkeypatch), display)
        assert all(job.finished for job in jobs if job not in [failure.job for failure in failures])
        assert not list(tmp_path.glob("*/.shared*")) and not made_up.tasks
        return [failure.reason for failure in failures], text.getvalue()

    return run


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0)
    monkeypatch.setattr(left_out, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def test_a_machine_that_lacks_something_is_named_once_and_no_job_fails(table, clock):
    made_up = MadeUp(bad=4, good=2)
    made_up.lacks = {"bad": OLD}
    failures, shown = table(40, made_up)
    assert failures == [] and made_up.tried.count("bad") == 4 and made_up.tried.count("good") == 40
    assert shown.count("machine host-bad is left out: it has torch 1.0") == 1 and "40 of 40" in shown


def test_as_many_jobs_are_handed_over_as_fit_on_the_others(monkeypatch, clock, tmp_path):
    made_up = MadeUp(bad=3, good=1, small=0)
    launcher = made_up.launcher(monkeypatch)
    launcher._things.add(frozenset((VERSIONS,)))
    assert room_of(launcher) == 4
    launcher._left_out.add(Lacking("bad", "bad", OLD))
    assert room_of(launcher) == 1
    launcher._things.add(frozenset(("images elsewhere",)))
    assert room_of(launcher) == 4, "for them it lacks nothing"
    launcher._things = {frozenset((VERSIONS,))}
    launcher._left_out.add(Lacking("good", "good", OLD))
    assert room_of(launcher) == 4, "each of them is told so"


def room_of(launcher):
    """How many jobs it takes at once."""
    for number in range(9):
        launcher._running = dict.fromkeys(range(number))
        if not launcher.has_room():
            return number


def test_if_every_machine_lacks_something_all_are_named(table, clock):
    made_up = MadeUp(a=2, b=1, c=1)
    made_up.lacks = {"a": OLD, "b": Lack(FOLDER, "x is not the same folder"), "c": OLD}
    failures, shown = table(9, made_up)
    assert failures == [f"not run on host-a, host-c: {OLD.told}, and on host-b: x is not the same folder"] * 9
    assert shown.count("is left out") == 3 and len(made_up.tried) == 4


def test_a_machine_is_asked_again_after_a_while(table, clock):
    made_up = MadeUp(bad=1, good=1)
    made_up.lacks = {"bad": FULL}

    def looked():
        clock.seconds += 10
        if clock.seconds == 100:
            made_up.lacks = {}

    made_up.looked = looked
    failures, shown = table(40, made_up)
    assert failures == [] and shown.count("host-bad is left out") == 1
    assert made_up.tried.count("bad") > 10, "it has its share of the last thirty"


def test_jobs_wait_for_the_memory_that_others_have(table, clock):
    made_up = MadeUp(one=3)
    made_up.looked = lambda: made_up.lacks.update(one=FULL) if len(made_up.tasks) > 1 else made_up.lacks.clear()
    failures, shown = table(12, made_up)
    assert failures == [] and shown.count("host-one is left out") == 1


def test_a_job_that_waits_for_memory_is_handed_over_when_the_machine_is_asked_again(monkeypatch, clock, tmp_path):
    made_up = MadeUp(one=2)
    launcher = made_up.launcher(monkeypatch)
    first, second = (Job(name, tmp_path / name, ("fit",)) for name in "ab")
    launcher.start(first)
    made_up.tasks[0].looks = -9
    launcher._left_out.add(Lacking("one", "one", FULL))
    launcher.start(second)
    assert launcher.ended() == [] and len(made_up.tasks) == 1
    clock.seconds = left_out.SECONDS_LEFT_OUT
    assert launcher.ended() == [] and [task.job for task in made_up.tasks] == [first, second]


def test_memory_that_does_not_come_back_is_not_waited_for(table, clock):
    made_up = MadeUp(one=3)
    made_up.lacks = {"one": FULL}
    assert table(5, made_up)[0] == [f"not run on host-one: {FULL.told}"] * 5


def test_jobs_without_images_on_one_machine_leave_it_to_others(monkeypatch, clock, tmp_path):
    made_up = MadeUp(a=1, b=1)
    launcher = made_up.launcher(monkeypatch)
    for name in "ab":
        (tmp_path / name).mkdir()
    jobs = [Job(name, tmp_path / f"run-{name}", ("fit", "--data.root", str(tmp_path / name))) for name in "ab"]
    launcher._left_out.add(Lacking("a", "a", Lack(f"images in {tmp_path}/b", "")))
    for job in jobs:
        launcher.start(job)
    assert [task.but for task in made_up.tasks] == [(), ["a"]]


def test_a_job_that_waits_for_machines_that_have_gone_is_told_or_goes_to_new_ones(monkeypatch, clock, tmp_path):
    made_up = MadeUp(bad=1, good=1)
    launcher = made_up.launcher(monkeypatch)
    launcher._left_out.add(Lacking("bad", "bad", OLD))
    jobs = [Job(name, tmp_path / name, ("fit",)) for name in "abc"]
    for job in jobs[:2]:
        launcher.start(job)
    assert launcher.ended() == [] and [task.node for task in made_up.tasks] == ["good", None]
    gpus, made_up.gpus = made_up.gpus, {}
    assert launcher.ended() == [] and len(made_up.tasks) == 2, "the head may not know any for a moment"
    made_up.gpus = gpus
    del made_up.gpus["good"]
    assert launcher.ended() == [runner.Ended(job, f"not run on bad: {OLD.told}") for job in jobs[:2]]
    assert not made_up.tasks
    launcher.start(jobs[2])
    made_up.gpus["new"] = 1
    assert launcher.ended() == [] and [task.but for task in made_up.tasks] == [["bad"]]
    assert launcher.ended() == [] and [task.node for task in made_up.tasks] == ["new"]


def test_what_a_machine_lacks_is_remembered_for_a_while_and_named_once(clock):
    machines = LeftOut()
    bad = Lacking("1", "node-a", OLD)
    assert machines.add(bad) and not machines.add(bad) and machines.add(bad._replace(lack=FULL))
    assert machines.lacking({"images in a"}) == {} and machines.lacking({VERSIONS}) == {"1": bad}
    machines.forget_memory()
    assert machines.lacking({MEMORY}) == {} and machines.lacking({VERSIONS}) == {"1": bad}
    clock.seconds = left_out.SECONDS_LEFT_OUT
    assert machines.lacking({VERSIONS}) == {} and not machines.add(bad)


def test_machines_that_lack_the_same_are_named_together():
    names = [Lacking(node, f"node-{node}", lack) for node, lack in (("a", OLD), ("b", FULL), ("c", OLD), ("a", OLD))]
    assert named(names) == f"on node-a, node-c: {OLD.told}, and on node-b: {FULL.told}"
