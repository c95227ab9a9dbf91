"""`lightning_imbal table`: runs what a table lacks, then prints it with the published numbers beside ours."""

import argparse
from pathlib import Path

from rich.console import Console

from lightning_imbal.atomic_files import refuse_unwritable
from lightning_imbal.cli.parts.configurations import read_stages
from lightning_imbal.cli.parts.running import (
    check_jobs,
    forking,
    local_launcher,
    print_commands,
    print_failures,
    ray_launcher,
    run_plan,
)
from lightning_imbal.cli.parts.verb_options import table as table_parser
from lightning_imbal.cli.parts.verb_parser import folder_of_runs
from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.plan import Plan
from lightning_imbal.launch.runner import Failure, discard_left_halves
from lightning_imbal.report.tables.write import write_and_print
from lightning_imbal.runs.attributes import parse_edges
from lightning_imbal.stats.results import collect
from lightning_imbal.tables.cell import Cell
from lightning_imbal.tables.read import read_spec
from lightning_imbal.tables.spec import Spec
from lightning_imbal.wording import did_you_mean


def run(args: list[str]) -> int:
    """Runs `table` and returns the exit status: 1 if a cell failed, else 0."""
    if args[1:] and args[1] in ("-h", "--help"):
        table_parser().print_help()
        return 0
    if not args[1:] or args[1].startswith("-"):
        raise UserError("`table` needs a table: lightning_imbal table experiments/tables/marrakchi_table1.yaml.")
    given, options = table_parser().parse_known_args(args[1:])
    spec, overlays, edges = _checked(given), [Path(file).stem for file in given.config], parse_edges(given.edges)
    baseline = given.baseline or spec.baseline or _rows(spec)[0]
    runs = folder_of_runs(given)
    refuse_unwritable("--runs", runs, folder=True)
    whole = Plan(spec, runs, given.config, options)
    part = given.seeds or given.only
    plan = Plan(spec, runs, given.config, options, given.seeds, given.only) if part else whole
    if not plan.cells:
        raise UserError(f"--only {' '.join(given.only)} leaves nothing to run.")
    if given.print_plan is not None:
        from lightning_imbal.cli.parts.plan_cells import show_plans

        show_plans(plan, options, given.print_plan, Path(given.spec).name)
        return 0
    if given.jobs:
        for each in dict.fromkeys([whole, plan]):
            each.check_settings()
        plan.check_root()
    if given.dry_run:
        print_commands(plan, read_stages([*plan.jobs, *_to_judge_by(whole, plan)]), given.jobs)
        return 0
    console, failures = Console(), []
    if given.jobs:
        discard_left_halves(plan.jobs)
    if given.jobs and (unfinished := [job for job in plan.jobs if not job.finished]):
        failures = _run_unfinished(given, plan, unfinished, console)
    results = collect(spec, _shown(whole, plan), overlays, runs, baseline, edges)
    write_and_print(results, runs / Path(given.spec).stem, console)
    print_failures(failures, console)
    if len(spec.columns) == 1 and not failures and results.cells["runs"].any():
        named = runs / Path(given.spec).stem
        print(f"Next: lightning_imbal report {named}+* --html {named}.html")
    return int(bool(failures))


def _checked(given: argparse.Namespace) -> Spec:
    """Reads the table, and refuses arguments that do not fit it."""
    check_jobs(given.jobs)
    spec = read_spec(given.spec)
    rows = _rows(spec)
    if not rows or not spec.columns:
        raise UserError(f"{given.spec} has nothing to run: add a row that is not quoted, and a column.")
    if given.baseline not in (None, *rows):
        hint = did_you_mean(given.baseline, rows) or f"it has {', '.join(rows)}."
        raise UserError(f"--baseline {given.baseline!r} is no row that the table runs: {hint}")
    return spec


def _rows(spec: Spec) -> list[str]:
    return [name for name, row in spec.rows.items() if not row.quoted]


def _shown(whole: Plan, asked: Plan) -> list[Cell]:
    """Every cell of the table, also those that were run before and not asked for now, and further seeds."""
    known = {(cell.row, cell.column.title, cell.repeat) for cell in whole.cells}
    further = [cell for cell in asked.cells if (cell.row, cell.column.title, cell.repeat) not in known]
    return whole.cells + further


def _to_judge_by(whole: Plan, asked: Plan) -> list[Job]:
    """Finished runs of the same rows and columns that were not asked for now: they tell how long those take."""
    folders, labels = {job.folder for job in asked.jobs}, {job.labels for job in asked.jobs}
    return [job for job in whole.jobs if job.folder not in folders and job.labels in labels and job.finished]


def _run_unfinished(given: argparse.Namespace, plan: Plan, unfinished: list[Job], console: Console) -> list[Failure]:
    """Runs what is not finished once its configurations have been read."""
    if given.launcher != "local":
        read_stages(unfinished)
        return run_plan(plan, ray_launcher(given), console)
    with forking(given.jobs) as server:
        read_stages(unfinished)
        return run_plan(plan, local_launcher(given.jobs, server), console)
