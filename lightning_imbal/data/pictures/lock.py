"""Of several processes that would do the same work, one works and the others wait."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from filelock import FileLock
from rich import get_console


def wait_for_lock(file: Path, work: str, progress: bool = True) -> AbstractContextManager[Any]:
    """Waits until no other process holds a lock; it is released at the end of `with`.

    Args:
        file: Of the lock; its folder is made.
        work: What a process that holds it does, to be shown while this one waits.
        progress: Whether to show it.

    Raises:
        OSError: The file cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with get_console().status(f"Waiting for another process that {work}") if progress else nullcontext():
        return FileLock(file).acquire()
