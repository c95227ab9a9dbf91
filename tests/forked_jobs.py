"""A command that runs jobs, in a process that has imported everything; and so have the processes of its jobs."""

import multiprocessing
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

from lightning_imbal.cli import main
from lightning_imbal.launch import local, process

MOST_JOBS = 6  # of one command


class _Spare(multiprocessing.get_context("fork").Process):
    """Waits for a job, and is then to the launcher what `subprocess.Popen` of it would be."""

    def __init__(self):
        super().__init__()
        self._told, self.tell = multiprocessing.Pipe(duplex=False)
        self.start()

    def run(self):
        os.setsid()
        self.tell.close()
        try:
            about, command, environment, log = self._told.recv()
        except EOFError:  # there is none
            return
        with open(log, "a") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os.environ.clear()
        os.environ.update(environment)
        sys.exit(process.main(about, command))

    def poll(self):
        return self.exitcode

    def wait(self):
        self.join()
        return self.exitcode


def command_in(folder, *args):
    """Runs a command line in a folder, for `Forked`; what it prints to stdout is in `said.txt` there."""
    os.chdir(folder)
    # Made before the command has threads, which a fork would lack.
    spares = [_Spare() for _ in range(MOST_JOBS)]
    unused = iter(spares)

    def start(command, env, stdout, **_):
        assert command[:3] == [sys.executable, "-m", process.__name__]
        spare = next(unused)
        spare.tell.send((command[3], command[4:], env, stdout.name))
        return spare

    local.subprocess = SimpleNamespace(Popen=start, DEVNULL=subprocess.DEVNULL, STDOUT=subprocess.STDOUT)
    try:
        with Path("said.txt").open("w") as said, redirect_stdout(said):
            return main(list(args))
    finally:
        for spare in spares:
            spare.tell.close()
