"""Starts jobs as forks of a process that has imported what they need, which takes a new one seconds."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from lightning_imbal.launch.process import BUSY
from lightning_imbal.launch.server import ALONE

SECONDS_BETWEEN_ASKS = 0.05  # whether a process has ended that is waited for
GONE = "lightning_imbal: What starts the runs has ended{}, and they with it: they go on, each in a process of its own."


class ServerGone(Exception):
    """The process that forks has ended, and with it all that it has forked."""


class Server:
    """The process that forks, see `server.py`; it and its forks end with this one.

    Args:
        environment: Its variables: those of the jobs may differ only in what is read when a job begins.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lightning_imbal.launch.server"],
            env={**ALONE, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._gone = False

    def ask(self, request: Any) -> Any:
        """Asks for a job, or for the status of a process.

        Raises:
            ServerGone: There is nobody to ask.
        """
        if self._gone:
            raise ServerGone
        asked, replies = self._process.stdin, self._process.stdout
        assert asked is not None and replies is not None
        reply = ""
        try:
            print(json.dumps(request), file=asked, flush=True)
            reply = replies.readline()
            return json.loads(reply)
        except (OSError, ValueError) as error:  # a broken pipe, or its end, before which may stand why
            why = (reply or replies.readline()).strip()
            print(GONE.format(f" ({why})" if why else ""), file=sys.stderr)
            self.close()
            raise ServerGone from error
        except KeyboardInterrupt:  # the next reply would be that to this request
            self.close()
            raise

    def close(self) -> None:
        """Ends it, and what it has forked."""
        self._gone = True
        self._process.kill()
        self._process.wait()


class Fork:
    """The process of a job, to a launcher what `subprocess.Popen` of it would be.

    Args:
        server: Forks it.
        job: See `server.py`.

    Raises:
        ServerGone: There is nobody to fork it.
    """

    def __init__(self, server: Server, job: dict[str, Any]) -> None:
        self._server = server
        self._status: int | None = None
        self.pid: int = server.ask(job)

    def poll(self) -> int | None:
        """The exit status, None while it runs; BUSY if the server has gone: the job can go on in another process."""
        if self._status is None:
            try:
                self._status = self._server.ask(self.pid)
            except ServerGone:
                self._status = BUSY
        return self._status

    def wait(self) -> int:
        """The exit status, as soon as there is one."""
        while (status := self.poll()) is None:
            time.sleep(SECONDS_BETWEEN_ASKS)
        return status
