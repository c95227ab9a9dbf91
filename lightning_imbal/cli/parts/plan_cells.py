"""The plans of the runs of a table or of a comparison."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatch

from jsonargparse import ArgumentError

from lightning_imbal.cli.parts.messages import explain
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.plan import show_plan
from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.plan import Plan
from lightning_imbal.wording import did_you_mean


def show_plans(plan: Plan, typed: Sequence[str], wanted: str, source: str) -> None:
    """Prints what the runs of a table are made of, those of further seeds or folds left out.

    Args:
        plan: The runs.
        typed: The options of `fit` that the user gave.
        wanted: A row, or a run as it is called while it runs, such as `CE, fold 1 of 3`; empty for all.
        source: What gives the options that the user has not typed.

    Raises:
        UserError: There is no such run, or a command line cannot be parsed.
    """
    jobs = [job for job in plan.jobs if job.arguments[0] == "fit"]
    chosen = [job for job in jobs if not wanted or _is_called(job, wanted)]
    if not chosen:
        names = dict.fromkeys(name for job in jobs for name in _names(job))
        raise UserError(f"There is no run {wanted!r}: {did_you_mean(wanted, names) or f'one is {jobs[0].name}.'}")
    cli = ImbalCLI("fit")
    given = [part for file in plan.overlays for part in ("--config", file)] + [*typed]
    for job in reversed({job.labels: job for job in reversed(chosen)}.values()):
        try:
            show_plan(cli, given, job.arguments[1:], f"{job.name}: {job.folder}", source)
        except ArgumentError as error:
            raise UserError(f"{job.name}: {explain(str(error))}") from error


def _is_called(job: Job, wanted: str) -> bool:
    return any(fnmatch(name.lower(), wanted.lower()) for name in _names(job))


def _names(job: Job) -> Iterator[str]:
    """What a run may be called: its row, its column with it, and its seed or fold."""
    parts = job.name.split(", ")
    yield from (", ".join(parts[:end]) for end in range(1, len(parts) + 1))
