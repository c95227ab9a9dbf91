"""Checks an installation on a GPU in a few minutes, without a network: does it run, right, and as fast as it should?

python tests/benchmarks/gpu.py [--minutes 8] [--only numbers,runs] [--out gpu-check] [--images FOLDER] [--weights FILE]

Each part runs in a process of its own, on its own share of the time: one that hangs or dies costs only itself. Figures
are printed, and written to gpu.md and gpu.json, after each part. The status is 1 if something is not as it should be.
With --cpu, what needs no GPU is tried as small as possible, all of it in one process.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from gpu_check.report import Figure, Part, add_figure, last_lines, print_part, read_figures, write_files
from gpu_check.setting import Setting
from rich.console import Console

BENCHMARKS = Path(__file__).resolve().parent
STATUS_OF_CTRL_C = 130
SECONDS_TO_END = 15
PACKAGES = ("torch", "torchvision", "lightning", "timm", "torchmetrics", "albumentations", "numpy", "pandas")


@dataclass(frozen=True)
class Plan:
    """What a part answers, its share of the time, and whether it needs a GPU, or pictures."""

    question: str
    share: int
    needs: str = ""


# The most telling first.
PARTS = {
    "numbers": Plan("are the numbers those of the CPU?", 6),
    "runs": Plan("does every kind of method run, in each precision?", 20),
    "waiting": Plan("does a training step wait for the GPU?", 7, "gpu"),
    "throughput": Plan("how fast does ResNet-50 train at 224 pixels, and what limits it?", 25, "gpu"),
    "memory": Plan("how much memory does it take?", 3),
    "together": Plan("do two runs share one GPU?", 9),
    "real": Plan("what do methods reach on ISIC 2018 by lesion, at 128 pixels?", 30, "images"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the parts and returns the exit status."""
    given = _parser().parse_args(arguments)
    gpu = _gpu()
    if not given.cpu and not gpu:
        print("No GPU was found (nvidia-smi lists none): --cpu tries what needs none.", file=sys.stderr)
        return 2
    given.out.mkdir(parents=True, exist_ok=True)
    work = given.out / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    machine, console = _machine(gpu if not given.cpu else {}), Console()
    console.print(" · ".join(f"{name} {value}" for name, value in machine.items()), highlight=False)
    ends = time.time() + 60 * given.minutes
    parts: list[Part] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a scheduler's stop is as Ctrl-C
    try:
        for place, name in enumerate(given.only):
            console.print(f"{name} ...")
            shares = [_share(each, given) for each in given.only[place:]]
            until = time.time() + max(ends - time.time(), 0) * shares[0] / max(sum(shares), 1)
            part = Part(name, PARTS[name].question)
            parts.append(part)
            _run(part, _setting(given, work, name, until))
            write_files(given.out, machine, parts)
            print_part(console, part)
    except KeyboardInterrupt:
        write_files(given.out, machine, parts)
        console.print(f"Stopped. Figures so far: {given.out / 'gpu.md'}")
        return STATUS_OF_CTRL_C
    return _conclude(console, parts, given.out)


def _share(name: str, given: argparse.Namespace) -> int:
    """Share of the time; none for a part that will only say what it lacks."""
    lacks = {"gpu": given.cpu, "images": given.images is None}
    return 0 if lacks.get(PARTS[name].needs) else PARTS[name].share


def _conclude(console: Console, parts: Iterable[Part], out: Path) -> int:
    failed = [f"{part.name}: {figure.what}" for part in parts for figure in part.failed]
    for what in failed:
        console.print(f"[red]not as it should be[/red]: {what}", highlight=False)
    told = "Everything is as it should be." if not failed else f"{len(failed)} figures are not as they should be."
    console.print(f"{told} Figures: {out / 'gpu.md'}", highlight=False)
    return int(bool(failed))


def _setting(given: argparse.Namespace, work: Path, name: str, until: float) -> Setting:
    device = "cpu" if given.cpu else "cuda"
    return Setting(device, work, given.out, work / f"{name}.jsonl", until, given.images, given.weights)


def _run(part: Part, setting: Setting) -> None:
    """Runs a part, here or in a process, and takes over its figures, also where it fails or is interrupted."""
    began, log = time.monotonic(), setting.work / f"{part.name}.log"
    try:
        run = run_apart if setting.on_gpu else run_here
        trouble = run(f"gpu_check.{part.name}", setting, log)
        if trouble:
            note = f"{trouble}\n{last_lines(log)}"
            add_figure(setting.figures, Figure(part.name, wanted="ends", verdict="failed", note=note))
    finally:
        part.seconds = time.monotonic() - began
        part.figures = read_figures(setting.figures)


def run_apart(module: str, setting: Setting, log: Path) -> str:
    """Runs the part in a module as a process of its own; returns what went wrong, else nothing."""
    from gpu_check.commands import environment

    command = [sys.executable, "-m", "gpu_check.part", module, json.dumps(setting.to_plain())]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=BENCHMARKS, env=environment(), stdout=output, stderr=output, start_new_session=True
        )
    try:
        # A part ends by itself when its time is up; this is for one that hangs.
        status = process.wait(max(setting.seconds_left, 0) + SECONDS_TO_END)
        return f"It ended with status {status}." if status else ""
    except subprocess.TimeoutExpired:
        return "It did not end in its time and was stopped."
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run_here(module: str, setting: Setting, log: Path) -> str:
    """Runs the part in a module in this process; returns what went wrong, else nothing."""
    from gpu_check.part import run_part

    with log.open("w") as output, contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            run_part(module, setting)
        except Exception:  # a part that fails must not cost the others
            traceback.print_exc()
            return "It failed."
    return ""


def _gpu() -> dict[str, str]:
    """Card, memory and driver; nothing where there is no GPU."""
    asked = {"device": "name", "memory": "memory.total", "driver": "driver_version"}
    command = ["nvidia-smi", f"--query-gpu={','.join(asked.values())}", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return {}
    lines = told.stdout.strip().splitlines()
    return dict(zip(asked, lines[0].split(", "), strict=True)) if told.returncode == 0 and lines else {}


def _machine(gpu: dict[str, str]) -> dict[str, Any]:
    """What the figures were measured on."""
    versions = {}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    about = {"processors": os.cpu_count(), "python": platform.python_version()}
    when = datetime.now(UTC).isoformat(timespec="minutes")
    return {"device": "CPU", **gpu, **about, **versions, "date": when}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8, help="time for all parts (default: 8)")
    parser.add_argument("--only", type=_names, default=list(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--out", type=_path, default=_path("gpu-check"), help="folder to write (default: gpu-check)")
    parser.add_argument("--images", type=_existing, help="folder of ISIC 2018, for the part `real`")
    parser.add_argument("--weights", type=_existing, help="file of MobileNetV2's ImageNet weights, for the part `real`")
    parser.add_argument("--cpu", action="store_true", help="try what needs no GPU, tiny, in one process")
    return parser


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := sorted(set(names) - PARTS.keys()):
        raise argparse.ArgumentTypeError(f"there is no part {unknown[0]!r}: choose from {', '.join(PARTS)}")
    return [name for name in PARTS if name in names]


def _path(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _existing(text: str) -> Path:
    path = _path(text)
    if not path.exists():
        raise argparse.ArgumentTypeError(f"{text} is not there")
    return path


if __name__ == "__main__":
    sys.exit(main())
