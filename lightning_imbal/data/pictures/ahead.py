"""Decodes pictures on all cores, ahead of who takes them."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import TypeVar

import cv2
from lightning.pytorch.utilities import rank_zero_only
from rich import get_console
from rich.progress import track

T = TypeVar("T")


def decode_ahead(decode: Callable[[int], T], rows: Sequence[int], title: str, progress: bool = True) -> Iterator[T]:
    """Yields what `decode` returns for each row, in order, while all cores work on the rows that follow.

    Only a few results wait to be taken, so that memory is bounded. Rank zero shows a progress bar.
    """
    cores = os.cpu_count() or 1
    pool, waiting = _threads(cores), deque()
    shown = progress and rank_zero_only.rank == 0 and get_console().is_terminal
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
