"""The process of one job, as `python -m lightning_imbal.launch.process`: the command line in a folder of its own.

It holds a lock on the folder, so that two tables never run the same cell at once, and ends with the process that
started it, so that nothing goes on training unseen.
"""

import json
import os
import runpy
import shlex
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lightning_imbal.atomic_files import discard_halves, half_written, write_whole
from lightning_imbal.runs.folder import is_finished, read_record, record_of, stages_in

BUSY = 75  # the exit status EX_TEMPFAIL: another process has the lock
SECONDS_BETWEEN_RECORDS = 30  # as many are lost at most when a process is killed


def lock_of(folder: Path) -> FileLock:
    """The lock that the process of a folder holds."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".lock", timeout=0)


def is_busy(folder: Path) -> bool:
    """Whether a process holds the lock of a folder."""
    lock = lock_of(folder)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False


def main(about: str, command: list[str]) -> int:
    """Runs a command of `lightning_imbal` and returns its exit status, or BUSY.

    Args:
        about: JSON with `folder`, `parent` (process that must live on), `record` (what to write to `command.json`) and
            `start` (folder of the run whose first stage is taken, or null).
        command: The command line.
    """
    job = json.loads(about)
    folder = Path(job["folder"])
    threading.Thread(target=_end_with, args=[job["parent"]], daemon=True).start()
    lock = lock_of(folder)  # released when the process ends
    try:
        lock.acquire()
    except Timeout:
        return BUSY
    if is_finished(folder):
        return 0
    print(f"$ lightning_imbal {shlex.join(command)}", flush=True)
    if job["start"] and not stages_in(folder):
        _take_first_stage(Path(job["start"]), folder)
    with _recorded(folder, job["record"]):
        return _run(command)


def _run(command: list[str]) -> int:
    sys.argv[1:] = command
    try:
        # As the program itself, so that Lightning starts it again, not this, for further devices.
        runpy.run_module("lightning_imbal", run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def _take_first_stage(source: Path, folder: Path) -> None:
    discard_halves(folder)
    beside = half_written(folder / "stage1")
    shutil.copytree(source / "stage1", beside, symlinks=True, ignore=shutil.ignore_patterns("wandb"))
    os.replace(beside, folder / "stage1")


@contextmanager
def _recorded(folder: Path, record: dict[str, Any]) -> Iterator[None]:
    """Keeps the seconds of this process and of those before it in the record while it runs, for it may be killed."""
    began, before, over = time.monotonic(), (read_record(folder) or {"seconds": 0.0})["seconds"], threading.Event()

    def write() -> None:
        text = json.dumps(record | {"seconds": round(before + time.monotonic() - began, 1)}, indent=2) + "\n"
        write_whole(record_of(folder), lambda path: path.write_text(text))

    def write_on() -> None:
        while not over.wait(SECONDS_BETWEEN_RECORDS):
            with suppress(OSError):  # a disk that is full now may not be later
                write()

    write()
    writing = threading.Thread(target=write_on, daemon=True)
    writing.start()
    try:
        yield
    finally:
        over.set()
        writing.join()
        write()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
