"""Forks the processes of jobs, as `python -m lightning_imbal.launch.server`: what a `fit` imports, they have imported.

It holds no threads, whose locks a fork would inherit for ever, and no device, which a fork could not use.
"""

import json
import os
import select
import sys
from importlib import import_module
from typing import Any, TextIO

from lightning_imbal.launch import process

AHEAD = "lightning_imbal.cli.parts.ahead"  # by its name, as it is of a higher floor
ALONE = {  # libraries that would start threads when they are imported
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
SECONDS_BETWEEN_LOOKS = 0.5


def main() -> int:
    """Serves until who asks has gone; a forked process comes back from that with a job, and returns its status."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no reply
    before = dict(os.environ)
    try:
        import_module(AHEAD).read_ahead()
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=replies)
        return 1
    brought = {name: value for name, value in os.environ.items() if before.get(name) != value}  # by imports
    request = serve(sys.stdin, replies)
    if request is None:
        return 0
    replies.close()
    request["environment"] |= brought
    return _run(**request)


def serve(requests: TextIO, replies: TextIO) -> dict[str, Any] | None:
    """Forks a process for each job, and says how those have ended that are asked about.

    Args:
        requests: Lines of JSON, the next one after the reply to the last one: the number of a process, or a job, with
            the arguments of `_run`.
        replies: Lines of JSON with the exit status of the process, negative for a signal and null while it runs, or
            with the number of the new process, which leads a group of its own.

    Returns:
        In a new process, the job. In the server, None when who asks has gone.
    """
    server, asks = os.getpid(), os.getppid()
    while _is_asked(requests, asks) and (line := requests.readline()):
        request = json.loads(line)
        if isinstance(request, int):
            ended, status = os.waitpid(request, os.WNOHANG)
            reply = os.waitstatus_to_exitcode(status) if ended else None
        else:
            reply = os.fork()
            os.setpgid(reply, reply)  # in both, so that it is so when either goes on
            if not reply:
                request["about"]["parent"] = server
                return request
        print(json.dumps(reply), file=replies, flush=True)
    return None


def _is_asked(requests: TextIO, asks: int) -> bool:
    """Waits for a request; whether there can be one, for forks of who asks may keep the pipe open."""
    while not select.select([requests], [], [], SECONDS_BETWEEN_LOOKS)[0]:
        if os.getppid() != asks:
            return False
    return True


def _run(about: dict[str, Any], command: list[str], environment: dict[str, str], log: str) -> int:
    """Runs a job as a new process would: nothing is left of the server but what it has imported.

    Args:
        about: See `process.main`.
        command: The command line.
        environment: All variables.
        log: File for what is printed.
    """
    nowhere, printed = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND)
    for number, file in enumerate((nowhere, printed, printed)):
        os.dup2(file, number)
    os.close(nowhere)
    os.close(printed)
    os.environ.clear()
    os.environ.update(environment)
    _seed_and_share(environment)
    return process.main(json.dumps(about), command)


def _seed_and_share(environment: dict[str, str]) -> None:
    """What libraries do when they are imported, and each process for itself: draw a seed, look at its processors."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    np.random.seed()
    threads = environment["OMP_NUM_THREADS"].partition(",")[0]
    if "OPENBLAS_NUM_THREADS" not in environment and threads.isdigit():
        threadpool_limits(min(int(threads), len(os.sched_getaffinity(0))), "blas")


if __name__ == "__main__":
    sys.exit(main())
