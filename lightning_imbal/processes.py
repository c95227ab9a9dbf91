"""Which of the processes of a run this is, and what in it no signal may cut short."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch.utilities import rank_zero_only


def is_first() -> bool:
    """Whether this process is the first of its run, or the only one."""
    return rank_zero_only.rank == 0  # type: ignore[attr-defined]  # Lightning sets it on the function


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM wait until what is inside is done."""
    if threading.current_thread() is not threading.main_thread():  # which signals do not interrupt
        yield
        return
    waiting: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: waiting.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for sent in waiting:
            signal.raise_signal(sent)
