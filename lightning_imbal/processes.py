"""Which of the processes of a run this is, what has started it again, and what in it no signal may cut short."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Windows has no SIGUSR1, by which SLURM warns of its time limit.
INTERRUPTING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name))


def was_restarted() -> bool:
    """Whether SLURM has started the job that this process belongs to again."""
    return os.environ.get("SLURM_RESTART_COUNT", "0") != "0"


def is_one_of_several() -> bool:
    """Whether torchrun or SLURM has started the processes of a run all at once, of which this is one."""
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    of_slurm = SLURMEnvironment.detect() and os.environ.get("SLURM_NTASKS", "1") != "1"
    return of_slurm or (TorchElasticEnvironment.detect() and os.environ.get("WORLD_SIZE", "1") != "1")


def is_first() -> bool:
    """Whether this process is the first of its run, or the only one."""
    from lightning.pytorch.utilities import rank_zero_only

    return rank_zero_only.rank == 0  # type: ignore[attr-defined]  # Lightning sets it on the function


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Lets the signals that interrupt wait until what is inside is done."""
    if threading.current_thread() is not threading.main_thread():  # which signals do not interrupt
        yield
        return
    waiting: list[int] = []
    before = {number: signal.signal(number, lambda number, frame: waiting.append(number)) for number in INTERRUPTING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for sent in waiting:
            signal.raise_signal(sent)
