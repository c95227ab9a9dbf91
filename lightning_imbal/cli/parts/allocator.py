"""Memory of a process: what is freed, and what looks for garbage."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Of glibc's malloc.h; the larger threshold is the largest that it takes.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_MMAP_THRESHOLD = 32 * 2**20
NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Has the process keep the memory that tensors free, for the next ones.

    By default glibc hands large blocks back to the system at once, and the system wipes their pages before it hands
    them out again, at every step anew: a fifth of a training step on a CPU (tests/benchmarks/training_step.py).
    Nothing happens with another C library.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
        mallopt(M_TRIM_THRESHOLD, NEVER)


@contextmanager
def without_garbage(alone: bool) -> Iterator[None]:
    """Imports inside take no time to look for garbage; nor does anything later in what they have brought.

    Args:
        alone: Whether this process is there for one verb; else nothing changes.
    """
    if not alone:
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
