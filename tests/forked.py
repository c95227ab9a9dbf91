"""Processes that have imported everything when they begin, which takes a new one seven seconds.

A server imports, and each process is a fork of the server, not of the process of pytest: that one may have threads,
whose locks a fork inherits for ever, and on a machine with a GPU a fork of what has trained cannot train.
"""

import gc
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lightning.fabric.plugins.environments.lightning import find_free_network_port

from lightning_imbal.cli.parts.ranks import STARTED_AS

SERVER = multiprocessing.get_context("forkserver")
ROOMS = ("callbacks", "cli.fit", "cli.prepare", "cli.test", "losses", "mixers", "modules", "predictors", "schedulers")
SERVER.set_forkserver_preload(["pytest", *(f"lightning_imbal.{room}" for room in ROOMS)])
SECONDS = 120


class Forked(SERVER.Process):
    """A process that runs a function in the environment of now; as a context it is killed where that ends.

    Args:
        function: What to run; what it returns is the status.
        *args: Its arguments.
        **environment: Variables that only this process has.
    """

    def __init__(self, function: Callable[..., Any], *args: Any, **environment: str) -> None:
        super().__init__()
        self.function, self.args, self.environment = function, args, os.environ | environment
        self.log = Path(tempfile.mkstemp(prefix="forked-")[1])

    def run(self) -> None:
        gc.freeze()  # else it searches the libraries again and again, which also copies their memory
        gc.set_threshold(50_000, 20, 50)
        os.environ.clear()
        os.environ.update(self.environment)
        # As in a program: children of the server would not notice that this process is killed, and stay for ever.
        multiprocessing.set_start_method("fork", force=True)
        with self.log.open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        sys.exit(self.function(*self.args))

    def __enter__(self) -> "Forked":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self.join()
        self.log.unlink()


def wait_for(happened: Callable[[], Any]) -> None:
    """Waits until something has happened that a process does, and fails if it never does."""
    until = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def check_status(wanted: int, *processes: Forked) -> None:
    """Waits for processes, and fails with what they have printed if one ends otherwise or not at all."""
    for process in processes:
        process.join(SECONDS)
    told = [f"status {process.exitcode} (None: it hangs)\n{process.log.read_text()}" for process in processes]
    assert all(process.exitcode == wanted for process in processes), "\n".join(told)


def run_forked(function: Callable[..., Any], *args: Any, status: int = 0, **environment: str) -> None:
    """Runs a function in a process, which must end with a status."""
    with Forked(function, *args, **environment) as process:
        check_status(status, process)


def run_ranks(function: Callable[..., Any], *args: Any, ranks: int = 2) -> None:
    """Runs a function on several ranks, in the environment in which Lightning starts all but the first of them."""
    together = address() | {"WORLD_SIZE": str(ranks), "NODE_RANK": "0"}
    with started({**together, "LOCAL_RANK": str(rank)} for rank in range(ranks)) as start:
        check_status(0, *start(function, *args))


def address() -> dict[str, str]:
    """Where the processes of a run meet, in the environment of each."""
    return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(find_free_network_port())}


@contextmanager
def started(environments: Iterable[dict[str, str]]) -> Iterator[Callable[..., list[Forked]]]:
    """Starts a function as a rank in each of several environments; they are killed where the context ends."""
    with ExitStack() as stack:
        yield lambda function, *args: [
            stack.enter_context(Forked(_on_rank, function, *args, **environment)) for environment in environments
        ]


def _on_rank(function: Callable[..., Any], *args: Any) -> Any:
    from lightning.pytorch.utilities import rank_zero_only

    # Lightning reads it when it is imported.
    rank_zero_only.rank = next(int(os.environ[name]) for name in STARTED_AS if name in os.environ)
    return function(*args)
