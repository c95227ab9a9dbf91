"""The processes of a run on several devices: which of them speaks for all, and what is said when one has gone."""

import os
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

STARTED_AS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")  # by torchrun, Lightning, SLURM
SECONDS_TO_END = 15  # that a process has whose run has lost another one
SECONDS_TO_SEE = 1  # that what has closed its connections has ended


@dataclass(frozen=True)
class Rank:
    """A process: its machine and its number there."""

    host: str
    process: int

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        return self.host == socket.gethostname()

    @property
    def has_ended(self) -> bool:
        """Whether it was on this machine, and is no more."""
        return self.is_here and _ends_within(self.process, 0)


_ranks: list[Rank] = []
_over, _signalled = threading.Event(), threading.Event()


def meet() -> None:
    """Lets the processes of a run, each of which calls it, know each other; they are watched until `leave`."""
    import torch.distributed as dist

    if not dist.is_initialized() or (_ranks and not _over.is_set()):
        return
    met: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(met, Rank(socket.gethostname(), os.getpid()))
    _ranks[:] = met
    _over.clear()
    for thread in threading.enumerate():
        if thread.name == "child-process-observer":  # of Lightning, which would kill this process without a word
            thread._child_processes = []  # type: ignore[attr-defined]  # nothing of it is public
    for number, rank in enumerate(met):
        if rank.is_here and rank.process != os.getpid():
            threading.Thread(target=_watch, args=[number], daemon=True).start()


def follow() -> None:
    """Lets a process that Lightning has started end with the one that did so, as long as they have not met.

    Without this torch would look for that one for half an hour.
    """
    others = {"RANK", "SLURM_PROCID"}  # of torchrun and SLURM, which end the processes that are left
    if os.environ.get("LOCAL_RANK", "0") != "0" and not others & os.environ.keys():
        threading.Thread(target=_follow, args=[os.getppid()], daemon=True).start()


def leave(as_it_should: bool) -> None:
    """Ends the watch, and lets the others know if this process ends as it should."""
    if _ranks and not _over.is_set():
        _over.set()
        if as_it_should:
            _ask("set", f"left/{_own()}", "")


def interrupted() -> str:
    """Which rank has gone, if a signal that comes now is owed to that; else nothing."""
    _signalled.set()
    return _told(_gone()) if _own() == 0 else ""


def lost(error: BaseException) -> str:
    """Which rank has gone, if that is what an error comes from; else nothing."""
    if _over.is_set() or not (_ranks and isinstance(error, RuntimeError)):
        return ""
    until = time.monotonic() + SECONDS_TO_SEE
    while not (gone := _gone()) and time.monotonic() < until:
        time.sleep(0.05)
    return _told(gone or [number for number, rank in enumerate(_ranks) if not rank.is_here])


def speaks(sentence: str) -> bool:
    """Whether it is this process that says what every process of the run may have to say."""
    if _ranks and _ranks[0].has_ended:  # by the same signal, if one came to this process
        return not _signalled.is_set() and _own() == next(
            number for number, rank in enumerate(_ranks) if rank.is_here and not rank.has_ended
        )
    number = _ask("add", sentence, 1)
    if number is not None:
        return number == 1
    started = next((os.environ[name] for name in STARTED_AS if name in os.environ), "0")
    return started == "0"


def _follow(parent: int) -> None:
    while not _ranks:
        if _ends_within(parent, 1) and not _ranks:
            print("lightning_imbal: Rank 0 has ended before the others met it.", file=sys.stderr, flush=True)
            os._exit(1)


def _watch(number: int) -> None:
    while not _ends_within(_ranks[number].process, 1):
        if _over.is_set():
            return
    if _has_left(number):  # this one may have more to do, such as to write the results
        return
    # The connection to it is closed: this process ends by itself, unless it waits for a GPU that waits for the other.
    if not _over.wait(SECONDS_TO_END):
        if speaks(sentence := _told(_gone())):
            print(f"lightning_imbal: {sentence}.", file=sys.stderr, flush=True)
        os._exit(1)


def _has_left(number: int) -> bool:
    """Whether a rank has ended as it should, as far as the first one, which keeps that, is still there."""
    return bool(_ask("check", [f"left/{number}"]))


def _gone() -> list[int]:
    return [number for number, rank in enumerate(_ranks) if rank.has_ended and not _has_left(number)]


def _own() -> int:
    return _ranks.index(Rank(socket.gethostname(), os.getpid())) if _ranks else 0


def _told(gone: list[int]) -> str:
    if not gone:
        return ""
    who = f"Rank {gone[0]}" if len(gone) == 1 else f"One of the ranks {', '.join(map(str, gone))}"
    hosts = ", ".join(dict.fromkeys(_ranks[number].host for number in gone))
    return f"{who} of {len(_ranks)}, on {hosts}, has ended (killed, out of memory, or by what stands above)"


def _ask(what: str, *arguments: Any) -> Any:
    """Asks the store of the processes, which the first of them keeps; None if there is none, or it has gone."""
    if "torch" not in sys.modules or (_ranks and _ranks[0].has_ended):
        return None
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()):
        return None
    from torch.distributed.distributed_c10d import _get_default_store

    try:
        with _without_stderr():
            return getattr(_get_default_store(), what)(*arguments)
    except RuntimeError:
        return None


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Silences what torch tells at length, past Python, of a store that goes at this moment."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _ends_within(process: int, seconds: float) -> bool:
    """Waits for the end of any process of this machine; one that nobody has asked for its status has ended too."""
    try:
        file = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    except (AttributeError, OSError):  # other systems, and containers that forbid it
        time.sleep(seconds)
        return _is_unknown(process)
    try:
        return bool(select.select([file], [], [], seconds)[0])
    finally:
        os.close(file)


def _is_unknown(process: int) -> bool:
    try:
        if os.name == "posix":  # elsewhere 0 is a signal too
            os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False
