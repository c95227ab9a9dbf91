"""`lightning_imbal tune`: searches the best settings of a run by its validation part alone."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from lightning_imbal.atomic_files import refuse_unwritable
from lightning_imbal.cli.parts.closing import next_command
from lightning_imbal.cli.parts.help_settings import refuse_unknown, settings_on
from lightning_imbal.cli.parts.running import forking, local_launcher, print_failures, ray_launcher
from lightning_imbal.cli.parts.verb_options import tune as tune_parser
from lightning_imbal.command_line import given as given_on
from lightning_imbal.errors import UserError, refuse_below
from lightning_imbal.launch.display import Display
from lightning_imbal.launch.runner import Failure, Launcher
from lightning_imbal.launch.runner import run as run_jobs
from lightning_imbal.report.tuned import print_trials, write_results
from lightning_imbal.tuning.about import About, about
from lightning_imbal.tuning.search import Range, parse_search
from lightning_imbal.tuning.suggest import check_installed

if TYPE_CHECKING:
    from jsonargparse import Namespace

    from lightning_imbal.cli.parts.search import Search

EXAMPLE = "--search model.optimizer.lr=log:1e-4:1e-1"
NOT_ITS = {"ckpt_path": "the same command goes on by itself", "trainer.fast_dev_run": "a trial must have a score"}

NOT_AGAIN = "what fails by itself is not tried again: mend it, and search in another folder (--run_dir)"


def run(args: list[str]) -> int:
    """Runs `tune` and returns the exit status: 1 if no trial has ended well, or one was killed, else 0."""
    given, options = tune_parser().parse_known_args(args[1:])
    space = _checked(given, options)
    folder = Path(given.run_dir or Path("runs", "-".join(["tune", *(Path(file).stem for file in given.config)])))
    refuse_unwritable("--run_dir", folder, folder=True)
    if given.dry_run:
        from lightning_imbal.cli.parts.search_plan import show_search

        show_search(*_prepared(given, options, space, folder))
        return 0
    console = Console()
    if given.launcher != "local":
        launcher = ray_launcher(given)  # or refuses, before anything is written
        search = _begun(given, options, space, folder)
        failures = _run(search, launcher, console)
    else:
        with forking(given.jobs) as server:
            search = _begun(given, options, space, folder)
            failures = _run(search, local_launcher(given.jobs, server), console)
    return _tell(given, options, search, failures, console)


def _checked(given: argparse.Namespace, options: Sequence[str]) -> list[Range]:
    """What is searched, once the command line has nothing wrong in it."""
    refuse_below(1, **{"--trials": given.trials, "--jobs": given.jobs})
    refuse_below(0, **{"--seed": given.seed, "--timeout": given.timeout})
    if not given.search:
        raise UserError(f"`tune` needs what it is to search, such as {EXAMPLE}.")
    for name, why in NOT_ITS.items():
        if given_on(name, [*options]) is not None:
            raise UserError(f"`tune` has no --{name}: {why}.")
    space = parse_search(given.search)
    # The class of the model is checked as it is read.
    searched = [f"--{each.name}=0" for each in space if each.name.rpartition(".")[2] != "model"]
    refuse_unknown(settings_on([*(f"--config={file}" for file in given.config), *options, *searched]), own=())
    check_installed()
    return space


def _prepared(
    given: argparse.Namespace, options: Sequence[str], space: Sequence[Range], folder: Path
) -> "tuple[Search, list[Namespace]]":
    """The search, and configurations of its trials, once a run with its settings could begin; nothing is written."""
    from lightning_imbal.cli.parts.search import Search
    from lightning_imbal.cli.parts.search_check import check_begun, command_of, prepare

    arguments = command_of(given.config, options)
    score, configs = prepare(arguments, space, given.score)
    of: About = about(given.search, score, given.seed, given.pruner, given.config, options)
    of.check(folder)
    search = Search(of, folder, arguments, given.trials, given.jobs, given.timeout)
    check_begun(search)
    return search, configs


def _begun(given: argparse.Namespace, options: Sequence[str], space: Sequence[Range], folder: Path) -> "Search":
    """The search, whose folder says what it is."""
    search, _ = _prepared(given, options, space, folder)
    search.begin()
    return search


def _run(search: "Search", launcher: Launcher, console: Console) -> list[Failure]:
    return run_jobs([], launcher, Display(console, later=search.left), search.further)


def _tell(
    given: argparse.Namespace, options: Sequence[str], search: "Search", failures: Sequence[Failure], console: Console
) -> int:
    """Prints and writes what was found."""
    killed = [failure for failure in failures if not failure.of_itself]
    best = write_results(search.about, search.ended, search.run)
    print_trials(search.about, search.ended, search.run, console)
    if killed:
        print_failures(killed, console)
    elif best is None:
        print_failures(failures[:1], console, NOT_AGAIN)
    if search.exhausted:
        console.print("All settings of these ranges were tried.")
    if best is None:
        return 1
    files = [part for file in given.config for part in ("--config", file)]
    best_file = ["--config", search.run / "best.yaml"]
    print(next_command("fit", *files, *options, *best_file))
    return int(bool(killed))
