"""`lightning_imbal table`: runs what a table lacks, then prints it with the published numbers beside ours."""

import argparse
import os
import shlex
import signal
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

from lightning_imbal.errors import UserError
from lightning_imbal.report.terminal import number_of
from lightning_imbal.tables.display import Display
from lightning_imbal.tables.output import write_and_print
from lightning_imbal.tables.plan import Cell, Plan
from lightning_imbal.tables.results import collect
from lightning_imbal.tables.runner import Failure, Launcher, LocalLauncher
from lightning_imbal.tables.runner import run as run_jobs
from lightning_imbal.tables.spec import Spec, read_spec

USAGE = (
    "lightning_imbal table SPEC [options] [--data.root DIR, --trainer.max_epochs 3: any option of `fit`, for all runs]"
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"`table`: {message}. `lightning_imbal table --help` lists the options.")


def run(args: list[str]) -> int:
    """Runs `table` and returns the exit status: 1 if a cell failed, else 0."""
    if args[1:] and args[1] in ("-h", "--help"):
        _parser().print_help()
        return 0
    if not args[1:] or args[1].startswith("-"):
        raise UserError("`table` needs a table: lightning_imbal table experiments/tables/marrakchi_table1.yaml.")
    given, options = _parser().parse_known_args(args[1:])
    spec, overlays = _checked(given), [Path(file).stem for file in given.config]
    baseline = given.baseline or spec.baseline or _rows(spec)[0]
    runs = Path(given.runs or Path("runs", "-".join(["tables", *overlays])))
    whole = Plan(spec, runs, given.config, options)
    plan = Plan(spec, runs, given.config, options, given.seeds, given.only)
    if not plan.cells:
        raise UserError(f"--only {' '.join(given.only)} leaves nothing to run.")
    if given.jobs:
        whole.check_settings()
        plan.check_settings()
        plan.check_root()
    if given.dry_run:
        _print_commands(plan, max(1, given.jobs))
        return 0
    console, failures = Console(), []
    if given.jobs and not all(job.finished for job in plan.jobs):
        failures = _run(plan, given, console)
    results = collect(spec, _shown(whole, plan), overlays, runs, baseline)
    write_and_print(results, runs / Path(given.spec).stem, console)
    _print_failures(failures, console)
    return int(bool(failures))


def _checked(given: argparse.Namespace) -> Spec:
    """Reads the table, and refuses arguments that do not fit it."""
    if given.jobs < 0:
        raise UserError(f"--jobs is {given.jobs}: give the number of runs at once, or 0 to print what is there.")
    for file in given.config:
        if not Path(file).is_file():
            raise UserError(f"There is no file {file}: give --config the path of an existing file.")
    spec = read_spec(given.spec)
    rows = _rows(spec)
    if not rows or not spec.columns:
        raise UserError(f"{given.spec} has nothing to run: add a row that is not quoted, and a column.")
    if given.baseline not in (None, *rows):
        raise UserError(f"--baseline {given.baseline!r} is no row that the table runs: it has {', '.join(rows)}.")
    return spec


def _rows(spec: Spec) -> list[str]:
    return [name for name, row in spec.rows.items() if not row.quoted]


def _shown(whole: Plan, asked: Plan) -> list[Cell]:
    """Every cell of the table, also those that were run before and not asked for now, and further seeds."""
    known = {(cell.row, cell.column.title, cell.repeat) for cell in whole.cells}
    further = [cell for cell in asked.cells if (cell.row, cell.column.title, cell.repeat) not in known]
    return whole.cells + further


def _print_commands(plan: Plan, jobs: int) -> None:
    from lightning_imbal.table_check import read_stages
    from lightning_imbal.table_cost import estimate

    stages = read_stages(plan.jobs)
    for job in plan.jobs:
        if not job.finished:
            print(shlex.join(["lightning_imbal", *job.command()]))
    print(f"{sum(job.finished for job in plan.jobs)} of {len(plan.jobs)} runs are finished.")
    print(estimate(stages, jobs))


def _run(plan: Plan, given: argparse.Namespace, console: Console) -> list[Failure]:
    from lightning_imbal.table_check import read_stages

    read_stages(job for job in plan.jobs if not job.finished)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the runs as Ctrl-C does
    try:
        return run_jobs(plan.jobs, _launcher(given), Display(console))
    except KeyboardInterrupt:
        raise UserError("Interrupted: every finished run and epoch is kept, the same command continues.") from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _launcher(given: argparse.Namespace) -> Launcher:
    if given.launcher == "local":
        import torch

        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        devices = visible.split(",") if visible else [str(number) for number in range(torch.cuda.device_count())]
        return LocalLauncher(given.jobs, devices)
    try:
        from lightning_imbal.tables.cluster import RayLauncher
    except ModuleNotFoundError as error:
        raise UserError("--launcher ray needs Ray: pip install 'lightning_imbal[cluster]'.") from error
    return RayLauncher(given.jobs, given.address, given.gpus)


def _print_failures(failures: list[Failure], console: Console) -> None:
    for failure in failures:
        console.print(f"[bold red]{escape(failure.job.name)}[/]: {escape(failure.reason)}", soft_wrap=True)
        for line in failure.log:
            console.print(f"  [dim]{escape(line)}[/]", highlight=False, soft_wrap=True)
        if failure.log:
            console.print(
                f"  all of it: {failure.job.folder / 'log.txt'}", highlight=False, markup=False, soft_wrap=True
            )
    if failures:
        console.print(f"{number_of(len(failures), 'run')} failed; the same command tries again.", soft_wrap=True)


def _parser() -> _Parser:
    parser = _Parser("lightning_imbal table", USAGE, __doc__.partition("\n")[0], allow_abbrev=False)
    parser.add_argument("spec", metavar="SPEC", help="the table, such as experiments/tables/marrakchi_table1.yaml")
    parser.add_argument("--dry-run", action="store_true", help="print the command lines and what they will cost")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="rows, data sets or backbones to run, also with *"
    )
    parser.add_argument("--seeds", nargs="+", type=int, metavar="N", help="seeds, or folds, instead of the table's")
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="FILE",
        help="laid over every run, such as variants/laptop.yaml",
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at once; 0 prints what is there")
    parser.add_argument(
        "--runs", metavar="DIR", help="folder of all runs (default: runs/tables, and names of --config)"
    )
    parser.add_argument("--baseline", metavar="ROW", help="row that the others are tested against")
    parser.add_argument("--launcher", choices=["local", "ray"], default="local", help="where to run (default: local)")
    parser.add_argument("--address", metavar="HOST:PORT", help="of a Ray cluster (default: one started here)")
    parser.add_argument("--gpus", type=float, metavar="SHARE", help="of a GPU for each run on Ray (default: 1, if any)")
    return parser
