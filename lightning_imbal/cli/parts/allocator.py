"""Memory of the process that trains."""

import ctypes
import sys

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
