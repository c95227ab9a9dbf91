"""Runs `lightning_imbal` as a user does: in a process of its own, or in this one where a start must cost nothing."""

import contextlib
import os
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from gpu_check.setting import CHECKOUT, Setting

BENCHMARKS = Path(__file__).resolve().parents[1]


def environment() -> dict[str, str]:
    """That of a process which finds this checkout and the callbacks of the check, and asks no server."""
    path = os.pathsep.join([str(CHECKOUT), str(BENCHMARKS), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"PYTHONPATH": path, "WANDB_MODE": "disabled", "NO_ALBUMENTATIONS_UPDATE": "1"}


def start(arguments: Sequence[str], log: Path) -> subprocess.Popen:
    """Starts `lightning_imbal` with some arguments; what it prints goes to `log`."""
    with log.open("a") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "lightning_imbal", *arguments],
            cwd=BENCHMARKS,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def kill(process: subprocess.Popen) -> None:
    """Kills a process and waits for it; loader processes and the runs of a table end by themselves then."""
    process.kill()
    process.wait()


def run(setting: Setting, arguments: Sequence[str], log: Path) -> int | None:
    """Runs `lightning_imbal`; returns its exit status, None if it had to be ended because the part's time was up."""
    if not setting.on_gpu:
        return _run_here(arguments, log)
    process = start(arguments, log)
    try:
        return process.wait(max(setting.seconds_left, 0))
    except subprocess.TimeoutExpired:
        return None
    finally:
        kill(process)


def _run_here(arguments: Sequence[str], log: Path) -> int:
    from lightning_imbal.cli import main

    os.environ |= environment()
    with log.open("a") as output, contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            return main(list(arguments))
        except SystemExit as stop:
            return int(stop.code or 0)
        except Exception:  # a failed run is a figure of the check, not its end
            traceback.print_exc()
            return 1
