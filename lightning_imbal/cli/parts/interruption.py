"""Ctrl-C, and the end that a cluster or a container asks for with SIGTERM."""

import signal
import threading
from types import FrameType
from typing import Any, Self

GO_ON = {
    "fit": "every finished epoch is kept, continue with the same command and --ckpt_path last.",
    "table": "every finished run and epoch is kept, the same command continues.",
    "compare": "every finished run and epoch is kept, the same command continues.",
    "prepare": "every finished part of the cache is kept, the same command continues.",
}


class Interruption:
    """While it is entered, SIGTERM interrupts the program as Ctrl-C does, once: what it does then is not cut short.

    Attributes:
        status: The exit status by the signal that came, such as 143 by SIGTERM; None if none came.
    """

    status: int | None = None

    def __enter__(self) -> Self:
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():  # no other one may set a handler
            for number, default in {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}.items():
                if signal.getsignal(number) is default:  # what the caller ignores stays ignored
                    self._before[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.status is None:
            self.status = 128 + number
            raise KeyboardInterrupt


def how_to_go_on(verb: str) -> str:
    """The sentence of an interrupted verb."""
    return f"Interrupted: {GO_ON.get(verb, 'nothing half written is left, the same command starts again.')}"
