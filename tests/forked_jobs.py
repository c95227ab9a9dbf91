"""A command that runs jobs, in a process that has imported everything: so have its jobs, which are forks of it."""

import multiprocessing
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

from lightning_imbal.cli import main
from lightning_imbal.launch import local, process


class _Job(multiprocessing.get_context("fork").Process):
    """In place of `subprocess.Popen` of `python -m lightning_imbal.launch.process ...`."""

    def __init__(self, command, env, stdout, **_):
        super().__init__()
        assert command[:3] == [sys.executable, "-m", process.__name__]
        self._about, *self._command = command[3:]
        self._environment, self._log = env, stdout
        self.start()

    def run(self):
        os.setsid()
        os.dup2(self._log.fileno(), 1)
        os.dup2(self._log.fileno(), 2)
        sys.stdout = sys.__stdout__
        os.environ.clear()
        os.environ.update(self._environment)
        sys.exit(process.main(self._about, self._command))

    def poll(self):
        return self.exitcode

    def wait(self):
        self.join()
        return self.exitcode


def command_in(folder, *args):
    """Runs a command line in a folder, for `Forked`; what it prints to stdout is in `said.txt` there."""
    os.chdir(folder)
    local.subprocess = SimpleNamespace(Popen=_Job, DEVNULL=subprocess.DEVNULL, STDOUT=subprocess.STDOUT)
    with Path("said.txt").open("w") as said, redirect_stdout(said):
        return main(list(args))
