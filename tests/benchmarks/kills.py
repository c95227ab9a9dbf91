"""Kills at random what runs a table over a Ray cluster: is a cell lost, trained twice at once, or otherwise?

python tests/benchmarks/kills.py [--kills 100] [--seed 0] [--cells 20] [--folder FOLDER]

A small table of the digits runs once unbroken. Then it runs again and again over two machines of a cluster, all of it
on this one (Linux), while every few seconds something is killed; a command or a machine that has gone is replaced. The
status is 1 if something is not as it should be.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import yaml

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
OPTIONS = [
    *("--jobs", "2", "--model.backbone", "test_resnet", "--data.image_size", "32", "--trainer.max_epochs", "20"),
    *("--then.trainer.max_epochs", "5", "--trainer.limit_train_batches", "2"),
    *("--trainer.enable_model_summary", "false"),
]
# How often each is killed where all of them are there: machines and the driver take much of what runs with them.
WEIGHTS = {"node": 2, "raylet of a node": 2, "driver": 2, "cell": 6, "first rank": 4, "second rank": 4}
SECONDS_BETWEEN_KILLS = (3, 7)
SECONDS_FOR_AN_EPOCH = 15  # every second kill waits at most as long for the end of one: else most come too early
SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_END = 600  # of the command when nothing is killed any more, and
SECONDS_TO_BE_GONE = 5  # of what it has started


def two_devices(method: str) -> dict[str, Any]:
    return row(method) | {"options": {"trainer.devices": 2, "trainer.strategy": "ddp"}}


def row(method: str) -> dict[str, Any]:
    return {"configs": [str(EXPERIMENTS / "methods" / f"{method}.yaml")]}


ROWS = {
    "CE": row("ce"),
    "RS on two": two_devices("rs"),
    "CE -> cRW": row("ce_crw") | {"start": "CE"},
    "Mixup on two": two_devices("mixup"),
    "CE, perturbed": row("ce") | {"test": {"name": "test", "options": {"model.predictor": "PerturbedInput"}}},
    "SupCon": row("supcon"),
    "Focal": row("focal"),
    "LDAM": row("ldam"),
    "DRS": row("drs"),
    "RW": row("rw"),
}


@dataclass
class Outcome:
    """What was killed, and what came of it."""

    killed: Counter[str] = field(default_factory=Counter)
    ended: Counter[int] = field(default_factory=Counter)  # statuses of the commands
    rounds: int = 0
    cells: int = 0
    continued: int = 0
    between_epochs: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kills = [f"| {kind} | {times} |" for kind, times in sorted(self.killed.items())]
        ends = ", ".join(f"{times} with status {status}" for status, times in sorted(self.ended.items()))
        lines = ["| killed | times |", "|---|---|", *kills, f"| all | {self.killed.total()} |", ""]
        lines += [f"{self.between_epochs} of them came when a run had just ended an epoch."]
        lines += [f"{self.cells} cells in {self.rounds} rounds, of which {self.continued} went on where they were."]
        lines += [f"The command ended {ends}."]
        return "\n".join([*lines, f"Wrong: {len(self.wrong)}", *self.wrong])


@dataclass(frozen=True)
class Process:
    """A process of a run.

    Args:
        number: Its own.
        group: That of its job, in which all processes of the job are.
        folder: Of the run.
        is_job: Whether it is what a table has started, not one of its further ranks.
    """

    number: int
    group: int
    folder: Path
    is_job: bool

    @property
    def trains(self) -> bool:
        """Whether it has the lock of its folder, or is of a job that has had it."""
        with suppress(OSError):
            return not self.is_job or any(
                file.resolve().name == ".lock" for file in Path(f"/proc/{self.number}/fd").iterdir()
            )
        return False


def processes_in(runs: Path) -> list[Process]:
    """The processes of the runs below a folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/fd/1"):  # where it prints tells of which run it is
        with suppress(OSError, ValueError):
            log, number = runs / file.readlink().relative_to(runs.resolve()), int(file.parts[2])
            if log.name == "log.txt":
                group = int(_stat(number)[2])
                found.append(Process(number, group, log.parent, number == group))
    return found


def _stat(number: int) -> list[str]:
    """What the system tells of a process after its name: its state, its parent, its group, ..."""
    return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()


def descendants(number: int) -> list[int]:
    """A process and all that it has started, and so on, the first ones first."""
    children: dict[int, list[int]] = {}
    for file in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            children.setdefault(int(_stat(int(file.name))[1]), []).append(int(file.name))
    found = [number]
    for parent in found:
        found += children.get(parent, [])
    return found


def kill(*numbers: int) -> None:
    for number in numbers:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


class Watcher(threading.Thread):
    """Looks several times a second whether two jobs train in a folder, and still do at the next look."""

    def __init__(self, runs: Path) -> None:
        super().__init__(daemon=True)
        self.runs, self._over = runs, threading.Event()
        self._seen: dict[tuple[Path, frozenset[int]], list[float]] = {}

    def run(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            groups: dict[Path, set[int]] = {}
            for process in processes_in(self.runs):
                if process.trains:
                    groups.setdefault(process.folder, set()).add(process.group)
            for folder, several in groups.items():
                if len(several) > 1:
                    self._seen.setdefault((folder, frozenset(several)), []).append(time.monotonic())

    def stop(self) -> list[str]:
        """Ends it, and says what was trained twice at once."""
        self._over.set()
        self.join()
        return [
            f"{folder.name} was trained by the jobs {sorted(groups)} at once, for {looks[-1] - looks[0]:.1f} s"
            for (folder, groups), looks in self._seen.items()
            if len(looks) > 1
        ]


class Machines:
    """A cluster: a head that runs nothing and stays, and two machines that are killed and replaced."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        self.nodes = [self.cluster.add_node(num_cpus=2) for _ in range(2)]

    def kill(self, node: Any, whole: bool) -> None:
        """Kills the raylet of a machine, or with it all that it has started, and adds another machine."""
        [raylet] = [process.process.pid for process in node.all_processes["raylet"]]
        kill(*(descendants(raylet) if whole else [raylet]))
        node.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)
        self.cluster.worker_nodes.discard(node)
        self.nodes[self.nodes.index(node)] = self.cluster.add_node(num_cpus=2)

    def end(self) -> None:
        """Ends all of them, also what they have started."""
        for node in [*self.nodes, self.cluster.head_node]:
            for process in node.all_processes.get("raylet", []):
                kill(*descendants(process.process.pid))
            node.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)


@contextmanager
def machines() -> Iterator[Machines]:
    # Paths of sockets have a limit, so the folder is not that of the runs.
    with (
        tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder,
        patch.dict(os.environ, RAY_TMPDIR=folder),
    ):
        started = Machines()
        try:
            yield started
        finally:
            started.end()


class Command:
    """The command that runs the table, which goes on where it was when it is started again."""

    def __init__(self, args: Sequence[str], folder: Path, outcome: Outcome) -> None:
        self.args, self.folder, self.outcome = args, folder, outcome
        self.start()

    def start(self) -> None:
        with (self.folder / "said.txt").open("a") as said:
            command = [sys.executable, "-m", "lightning_imbal", *self.args]
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=said, stderr=said)

    def has_ended(self) -> int | None:
        """Its status, once."""
        status = self.process.poll()
        if status is not None:
            self.outcome.ended[status] += 1
        return status

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def write_table(folder: Path, cells: int) -> Path:
    """A table of two seeds of as many rows as the cells need."""
    column = {"dataset": "Digits", "backbone": "resnet", "configs": [str(EXPERIMENTS / "demo.yaml")], "seeds": [0, 1]}
    rows = dict(list(ROWS.items())[: (cells + 1) // 2])
    spec = {"title": "Digits", "columns": [column], "rows": rows, "metrics": {"f1": {"score": "f1"}}}
    file = folder / "small.yaml"
    file.write_text(yaml.safe_dump(spec, sort_keys=False))
    return file


def possible_kills(
    machines: Machines, command: Command, processes: Sequence[Process], rng: np.random.Generator
) -> dict[str, Callable[[], None]]:
    """What can be killed now, by kind.

    Args:
        machines: They.
        command: The driver.
        processes: Of the runs to choose from.
        rng: Chooses.
    """
    node = machines.nodes[rng.integers(len(machines.nodes))]
    ranks = {process.group for process in processes if not process.is_job}
    of_several = [process for process in processes if process.group in ranks]
    candidates = {
        "cell": [process for process in processes if process.group not in ranks],
        "first rank": [process for process in of_several if process.is_job],
        "second rank": [process for process in of_several if not process.is_job],
    }
    return {
        "node": partial(machines.kill, node, whole=True),
        "raylet of a node": partial(machines.kill, node, whole=False),
        "driver": command.kill,
        **{kind: partial(kill, rng.choice([each.number for each in of])) for kind, of in candidates.items() if of},
    }


def trained_since(runs: Path, then: float) -> list[Path]:
    """The runs of which an epoch has ended since then, and that go on."""
    found = []
    for file in runs.glob("*/stage*/checkpoints/last.ckpt"):
        with suppress(OSError):
            if file.stat().st_mtime > then and not (file.parents[2] / "metrics.json").exists():
                found.append(file.parents[2])
    return found


def kill_something(
    machines: Machines, command: Command, runs: Path, rng: np.random.Generator, outcome: Outcome
) -> None:
    """Kills what is drawn; every second time as soon as an epoch has ended, of that run if it is a cell or a rank."""
    trained: list[Path] = []
    if outcome.killed.total() % 2:
        began = time.time()
        while not (trained := trained_since(runs, began)) and time.time() < began + SECONDS_FOR_AN_EPOCH:
            time.sleep(0.02)
    processes = processes_in(runs)
    here = [process for process in processes if process.folder in trained]
    outcome.between_epochs += bool(here)
    possible = possible_kills(machines, command, here or processes, rng)
    weights = np.array([WEIGHTS[kind] for kind in possible])
    kind = str(rng.choice(list(possible), p=weights / weights.sum()))
    print(f"{runs.parent.name}: kill {outcome.killed.total() + 1}, {kind}", file=sys.stderr, flush=True)
    possible[kind]()
    outcome.killed[kind] += 1


def broken_round(
    machines: Machines, args: Sequence[str], runs: Path, kills: int, rng: np.random.Generator, outcome: Outcome
) -> None:
    """Runs the table to its end, and meanwhile kills up to a number of times in all."""
    command = Command(args, runs.parent, outcome)
    last_kill, pause, restarts = time.monotonic(), rng.uniform(*SECONDS_BETWEEN_KILLS), 0
    while (status := command.has_ended()) != 0:
        if status is not None:
            restarts += 1
            if restarts > 1 and outcome.killed.total() >= kills:
                outcome.wrong.append(f"the command ends with status {status}, though nothing is killed any more")
                return
            command.start()
        seconds = time.monotonic() - last_kill
        if outcome.killed.total() < kills and seconds > pause:
            kill_something(machines, command, runs, rng, outcome)
            last_kill, pause, restarts = time.monotonic(), rng.uniform(*SECONDS_BETWEEN_KILLS), 0
        elif seconds > SECONDS_TO_END:
            outcome.wrong.append("the command does not end, though nothing is killed any more")
            command.kill()
            return
        time.sleep(SECONDS_BETWEEN_LOOKS)


def files_in(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*")}


def check(whole: Path, runs: Path, outcome: Outcome) -> None:
    """Compares a broken round with the unbroken one."""
    for file in sorted(whole.rglob("metrics.json")):
        name = str(file.parent.relative_to(whole))
        outcome.cells += 1
        outcome.wrong += [f"{name} of round {outcome.rounds}: {what}" for what in faults_of(file.parent, runs / name)]
        begun = [line for line in (runs / name / "log.txt").read_text().splitlines() if line.startswith("$ ")]
        outcome.continued += len(begun) > 1 and "--ckpt_path last" in begun[-1]
    until = time.monotonic() + SECONDS_TO_BE_GONE
    while (left := processes_in(runs)) and time.monotonic() < until:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    outcome.wrong += [f"{process} is left of round {outcome.rounds}" for process in left]
    tables = [pd.read_csv(folder / "small.csv").drop(columns=["seconds", "commits"]) for folder in (whole, runs)]
    if not tables[0].equals(tables[1]):
        outcome.wrong.append(f"the table of round {outcome.rounds} is another one")
    for name in sorted(files_in(whole) ^ files_in(runs)):
        where = "left" if name in files_in(runs) else "lost"
        outcome.wrong.append(f"{name} is {where} in round {outcome.rounds}")


def faults_of(whole: Path, cell: Path) -> Iterable[str]:
    """What is wrong with a cell."""
    if not (cell / "metrics.json").exists():
        yield "is lost"
        return
    try:
        pd.testing.assert_frame_equal(*(pd.read_parquet(run / "predictions.parquet") for run in (whole, cell)))
    except AssertionError as error:
        yield f"predicts otherwise: {' '.join(str(error).split())[:200]}"
    # Those since the last time that they were written may be lost: none may be left of such short runs.
    if not json.loads((cell / "command.json").read_text()).get("seconds", -1) >= 0:
        yield "does not say how long it took"


def broken(folder: Path, kills: int, seed: int, cells: int) -> Outcome:
    """Runs a table unbroken, then broken in rounds until a number of kills is reached.

    Args:
        folder: Where to run.
        kills: How many.
        seed: Of what is killed, and when.
        cells: Of the table, an even number.
    """
    outcome, rng = Outcome(), np.random.default_rng(seed)
    table = write_table(folder, cells)
    whole = folder / "whole" / "runs"
    whole.parent.mkdir()
    with (whole.parent / "said.txt").open("w") as said:
        command = [sys.executable, "-m", "lightning_imbal", "table", str(table), *OPTIONS, "--runs", str(whole)]
        subprocess.run(command, check=True, stdout=said, stderr=said)
    with machines() as two:
        while outcome.killed.total() < kills:
            outcome.rounds += 1
            runs = folder / f"round{outcome.rounds}" / "runs"
            runs.parent.mkdir()
            args = ["table", str(table), *OPTIONS, "--runs", str(runs)]
            args += ["--launcher", "ray", "--address", two.cluster.address]
            watcher = Watcher(runs)
            watcher.start()
            broken_round(two, args, runs, kills, rng, outcome)
            outcome.wrong += watcher.stop()
            check(whole, runs, outcome)
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="How many.")
    parser.add_argument("--seed", type=int, default=0, help="Of what is killed, and when.")
    parser.add_argument("--cells", type=int, default=20, help="Of the table, up to 20.")
    parser.add_argument("--folder", type=Path, help="Where to run, to look at it afterwards; else a temporary one.")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        outcome = broken(args.folder or Path(temporary), args.kills, args.seed, args.cells)
    print(outcome)
    return int(bool(outcome.wrong))


if __name__ == "__main__":
    sys.exit(main())
