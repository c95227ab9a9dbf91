"""What a machine of a Ray cluster does with a job that it gets."""

import os
import socket
import time
from contextlib import suppress
from functools import cache

import ray

from lightning_imbal.launch.job import Job
from lightning_imbal.launch.local import FORKS, end, server_of, start_process
from lightning_imbal.launch.machine import Lacking, Needs
from lightning_imbal.launch.process import BUSY, is_busy
from lightning_imbal.launch.warm import Server

SECONDS_TO_END = 10  # of the process of a lost worker


def run_job(job: Job, needs: Needs, processors: int, environment: dict[str, str]) -> int | Lacking:
    """Runs a job in a worker; first waits for the process of a lost worker, which is about to end.

    Returns:
        The exit status, BUSY if another program runs the job, or why this machine cannot start it.
    """
    with suppress(OSError):  # without the folder it lacks more, which is said
        os.chdir(needs.directory)
        if job.finished:
            return 0
    if lack := needs.lacking():
        return Lacking(ray.get_runtime_context().get_node_id(), socket.gethostname(), lack)
    needs.token.write_text(socket.gethostname())
    until = time.monotonic() + SECONDS_TO_END
    while is_busy(job.folder):
        if time.monotonic() > until:
            return BUSY
        time.sleep(1)
    if job.finished:
        return 0
    process = start_process(job, processors, environment, _server(processors) if FORKS else None)
    try:
        return process.wait()
    finally:
        end(process)


@cache
def _server(processors: int) -> Server:
    """What forks the processes of this worker's jobs: Ray gives it one after the other, and it ends with the worker."""
    return server_of(processors)
