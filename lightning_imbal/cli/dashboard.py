"""`lightning_imbal dashboard`: makes a workspace of Weights & Biases (W&B) for each column of a table."""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from lightning_imbal.cli.parts.verb_options import dashboard as dashboard_parser
from lightning_imbal.cli.parts.verb_parser import folder_of_runs
from lightning_imbal.errors import UserError
from lightning_imbal.launch.plan import Plan
from lightning_imbal.runs.run import Run
from lightning_imbal.tables.read import read_spec


def run(args: list[str]) -> int:
    """Runs `dashboard` and returns the exit status 0."""
    given = dashboard_parser().parse_args(args[1:])
    plan = Plan(read_spec(given.spec), folder_of_runs(given), given.config)
    splits = _splits(plan)
    if not splits:
        table = shlex.join(["lightning_imbal", "table", given.spec, *(f"--config={file}" for file in given.config)])
        raise UserError(f"No run of this table has begun in {plan.runs}: begin with `{table}`, or give --runs.")
    try:
        from lightning_imbal.report.dashboard import build
    except ModuleNotFoundError as error:
        raise UserError("`dashboard` needs wandb-workspaces: pip install 'lightning_imbal[dashboard]'.") from error
    _log_in(plan.runs)
    entity = given.entity or os.environ.get("WANDB_ENTITY") or _default_entity()
    project = given.project or os.environ.get("WANDB_PROJECT", "lightning_imbal")
    for column, split in splits.items():
        workspace = build(entity, project, plan.name, column, split)
        with _server():
            workspace.save()
            print(f"{workspace.name}: {workspace.url}")
    if _has_offline_runs(plan.runs):
        print(f"Upload what was recorded offline: {_sync(plan.runs)}")
    return 0


def _splits(plan: Plan) -> dict[str, pd.DataFrame]:
    """Class and part of every image, by the columns that have begun a run."""
    found: dict[str, pd.DataFrame] = {}
    for job in plan.jobs:
        if job.labels and job.labels.column not in found and (split := Run(job.folder).split()) is not None:
            found[job.labels.column] = split
    return found


def _log_in(runs: Path) -> None:
    import wandb

    if (mode := os.environ.get("WANDB_MODE")) in ("offline", "disabled"):
        raise UserError(f"WANDB_MODE is {mode}, but a dashboard is made on the server of W&B: unset WANDB_MODE.")
    with _server():
        known = wandb.login(prompt=False)
    if not known:
        upload = f"upload what was recorded offline with `{_sync(runs)}`, " if _has_offline_runs(runs) else ""
        raise UserError(f"W&B has no account here: log in with `wandb login`, {upload}then repeat this command.")


def _default_entity() -> str:
    import wandb

    with _server():
        entity = wandb.Api().default_entity
    if not entity:
        raise UserError("This account of W&B has no entity of its own: give --entity the user or team.")
    return entity


@contextmanager
def _server() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # W&B's client raises errors of many kinds, some of them private
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise UserError(
            f"W&B has failed ({reason}): look at the network, --entity and --project, then repeat this command."
        ) from error


def _has_offline_runs(runs: Path) -> bool:
    """Whether there are runs that were recorded offline and not uploaded yet."""
    recorded = runs.glob("*/stage*/wandb/offline-run-*")
    return any(not any(folder.glob("*.wandb.synced")) for folder in recorded)


def _sync(runs: Path) -> str:
    return f"wandb sync {shlex.quote(str(runs))}/*/stage*/wandb/offline-run-*"
