"""Ctrl-C, the end that a cluster or a container asks for with SIGTERM, and SLURM's warning before its time limit."""

import os
import signal
import subprocess
import threading
from types import FrameType
from typing import Any, Self

from lightning_imbal.cli.parts import ranks
from lightning_imbal.processes import INTERRUPTING

GO_ON = {
    "fit": "every finished epoch is kept, continue with the same command and --ckpt_path last.",
    "table": "every finished run and epoch is kept, the same command continues.",
    "compare": "every finished run and epoch is kept, the same command continues.",
    "tune": "every finished trial and epoch is kept, the same command continues.",
    "prepare": "every finished part of the cache is kept, the same command continues.",
}


class Interruption:
    """While it is entered, a signal interrupts the program as Ctrl-C does, once: what it does then is not cut short.

    Args:
        verb: What is interrupted.

    Attributes:
        status: The exit status by the signal that came, such as 143 by SIGTERM; None if none came.
    """

    status: int | None = None

    def __init__(self, verb: str) -> None:
        self._verb, self._lost = verb, ""

    def __enter__(self) -> Self:
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():  # no other one may set a handler
            for number in INTERRUPTING:
                default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
                if signal.getsignal(number) is default:  # what the caller ignores stays ignored
                    self._before[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.status is None:
            self.status = 128 + number
            self._lost = ranks.interrupted()
            raise KeyboardInterrupt

    def sentence(self) -> str:
        """What is said of it; a job of SLURM whose time is over is started again."""
        warned = self.status is not None and self.status != 128 + signal.SIGINT and self.status != 128 + signal.SIGTERM
        if warned and (job := os.environ.get("SLURM_JOB_ID")):
            first = os.environ.get("SLURM_PROCID", "0") == "0"
            return f"Interrupted: every finished epoch is kept, {_requeue(job)}" if first else ""
        return how_to_go_on(self._verb, self._lost or "Interrupted")


def how_to_go_on(verb: str, why: str = "Interrupted") -> str:
    """The sentence of a verb that was interrupted."""
    return f"{why}: {GO_ON.get(verb, 'nothing half written is left, the same command starts again.')}"


def _requeue(job: str) -> str:
    """Lets SLURM start a job again, and says what came of it."""
    try:
        subprocess.run(["scontrol", "requeue", job], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        why = " ".join(str(getattr(error, "stderr", None) or error).split())
        return f"but SLURM does not start job {job} again ({why}): submit it anew, with --ckpt_path last."
    return f"SLURM starts job {job} again, which goes on by itself."
