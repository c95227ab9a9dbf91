"""Decodes pictures on all cores, ahead of who takes them."""

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

import cv2
from rich import get_console
from rich.progress import track

from lightning_imbal.processes import is_first

S = TypeVar("S")
T = TypeVar("T")


def decode_ahead(
    decode: Callable[[S], T], rows: Sequence[S], title: str, progress: bool = True
) -> Generator[T, None, None]:
    """Yields what `decode` returns for each row, in order, while all cores work on the rows that follow.

    Only a few results wait to be taken, so that memory is bounded. Rank zero shows a progress bar.
    """
    cores = os.cpu_count() or 1
    pool = _threads(cores)
    waiting: deque[Future[T]] = deque()
    shown = progress and is_first() and get_console().is_terminal
    try:
        for row in track(rows, title, transient=True, disable=not shown):
            waiting.append(pool.submit(decode, row))
            if len(waiting) > 4 * cores:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
        wait(waiting)


@cache
def _threads(number: int) -> ThreadPoolExecutor:
    """Threads that decode, kept for the next time.

    A loader forks this process soon after. A thread that is just ending, or one of OpenCV's own, may hold a lock of
    OpenCV at that moment, for which the new process would wait forever.
    """
    cv2.setNumThreads(1)
    return ThreadPoolExecutor(number)
