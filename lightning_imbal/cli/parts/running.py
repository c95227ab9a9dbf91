"""What `table`, `compare` and `tune` have in common: their options, the command lines, the runs, and what failed."""

import argparse
import os
import shlex
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext

from jsonargparse import Namespace
from rich.console import Console
from rich.markup import escape

from lightning_imbal.errors import UserError
from lightning_imbal.launch.display import Display
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.local import FORKS, LocalLauncher, processors, server_of
from lightning_imbal.launch.plan import Plan
from lightning_imbal.launch.runner import Failure, Launcher
from lightning_imbal.launch.runner import run as run_jobs
from lightning_imbal.launch.warm import Server
from lightning_imbal.wording import number_of

FAILURES = 10  # that are told


def check_jobs(jobs: int) -> None:
    """Refuses a number of jobs below 0."""
    if jobs < 0:
        raise UserError(f"--jobs is {jobs}: give the number of runs at once, or 0 to print what is there.")


def print_commands(plan: Plan, stages: dict[Job, list[Namespace]], jobs: int) -> None:
    """Prints the command lines of what is not finished, and what that will cost."""
    from lightning_imbal.cli.parts.cost import estimate

    left = [job for job in plan.jobs if not job.finished]
    for job in left:
        print(shlex.join(["lightning_imbal", *job.command()]))
    print(f"{len(plan.jobs) - len(left)} of {len(plan.jobs)} runs are finished.")
    print(estimate(stages, max(1, jobs)))


def run_plan(plan: Plan, launcher: Launcher, console: Console) -> list[Failure]:
    """Runs what is not finished.

    Args:
        plan: The runs.
        launcher: Starts them.
        console: Where to show how far they are.
    """
    return run_jobs(plan.jobs, launcher, Display(console))


def forking(jobs: int) -> AbstractContextManager[Server | None]:
    """Begins what forks so many runs at once, whose imports go on beside this process; it ends where the context does.

    Args:
        jobs: How many; they share the processors.
    """
    return closing(server_of(processors(jobs))) if FORKS else nullcontext()


def local_launcher(jobs: int, server: Server | None) -> LocalLauncher:
    """Starts so many runs at once on this machine, on its GPUs if it has any."""
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    devices = visible.split(",") if visible else [str(number) for number in range(torch.cuda.device_count())]
    return LocalLauncher(jobs, devices, server)


def ray_launcher(given: argparse.Namespace) -> Launcher:
    """Runs on the Ray cluster that the options name.

    Raises:
        UserError: Ray is not installed, or there is no such cluster.
    """
    try:
        from lightning_imbal.launch.cluster import RayLauncher
    except ModuleNotFoundError as error:
        raise UserError("--launcher ray needs Ray: pip install 'lightning_imbal[cluster]'.") from error
    return RayLauncher(given.jobs, given.address, given.gpus)


def print_failures(failures: Sequence[Failure], console: Console, again: bool = True) -> None:
    """Prints why the first of the runs that failed did so, the end of their logs, and if they are tried again."""
    for failure in failures[:FAILURES]:
        console.print(f"[bold red]{escape(failure.job.name)}[/]: {escape(failure.reason)}", soft_wrap=True)
        for line in failure.log:
            console.print(f"  [dim]{escape(line)}[/]", highlight=False, soft_wrap=True)
        if failure.log:
            console.print(
                f"  all of it: {failure.job.folder / 'log.txt'}", highlight=False, markup=False, soft_wrap=True
            )
    if more := len(failures[FAILURES:]):
        console.print(f"and {more} more, each with a log.txt in its folder.", highlight=False)
    if failures and again:
        console.print(f"{number_of(len(failures), 'run')} failed; the same command tries again.", soft_wrap=True)
