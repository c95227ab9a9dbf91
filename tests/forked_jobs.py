"""A command that runs jobs, in a process that has imported everything; and so have the processes of its jobs."""

import multiprocessing
import os
import subprocess
import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from lightning_imbal.cli import main
from lightning_imbal.launch import server, warm


class ForkedServer(multiprocessing.get_context("fork").Process):
    """To `warm.Server` what `subprocess.Popen` of it would be, without the seconds that its imports take."""

    def __init__(self):
        super().__init__()
        (requests, asked), (told, replies) = os.pipe(), os.pipe()
        self._own, self._others = (os.fdopen(requests), os.fdopen(replies, "w")), (asked, told)
        self.start()
        for file in self._own:
            file.close()
        self.stdin, self.stdout = os.fdopen(asked, "w"), os.fdopen(told)

    def run(self):
        os.setsid()
        for number in self._others:
            os.close(number)
        job = server.serve(*self._own)
        if job is not None:
            for file in self._own:
                file.close()
            sys.exit(server._run(**job))

    def wait(self):
        self.join()


@contextmanager
def server_of_forks():
    """The next `warm.Server` has what this process has imported, which should have no threads: a fork lacks them."""
    forked = ForkedServer()
    instead = SimpleNamespace(Popen=lambda *args, **kwargs: forked, PIPE=subprocess.PIPE, DEVNULL=subprocess.DEVNULL)
    try:
        with patch.object(warm, "subprocess", instead):
            yield
    finally:
        forked.kill()


def command_in(folder, *args):
    """Runs a command line in a folder, for `Forked`; what it prints to stdout is in `said.txt` there."""
    os.chdir(folder)
    with server_of_forks(), Path("said.txt").open("w") as said, redirect_stdout(said):
        return main(list(args))
