"""`lightning_imbal compare`: runs several methods on your own images, and says which one to use."""

import argparse
import shlex
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from lightning_imbal.atomic_files import refuse_unwritable, write_whole
from lightning_imbal.cli.parts.running import (
    check_jobs,
    forking,
    local_launcher,
    print_commands,
    print_failures,
    run_plan,
)
from lightning_imbal.cli.parts.verb_options import compare as compare_parser
from lightning_imbal.command_line import given as given_on
from lightning_imbal.command_line import last_setting, parse_options, to_options
from lightning_imbal.errors import UserError, refuse_below
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.plan import Plan
from lightning_imbal.launch.runner import Failure, discard_left_halves
from lightning_imbal.report.decided import print_rules
from lightning_imbal.report.tables.write import write_and_print
from lightning_imbal.runs.attributes import Edges, check_edges, parse_edges
from lightning_imbal.runs.predictions import column_values
from lightning_imbal.runs.spreadsheet import to_csv
from lightning_imbal.stats.advice import advise
from lightning_imbal.stats.advice_rules import advise_rules
from lightning_imbal.stats.results import collect, ranked
from lightning_imbal.stats.tried_rules import tried_rules
from lightning_imbal.tables.comparison import BASELINES, comparison
from lightning_imbal.tables.methods import protocol_of, rows_of
from lightning_imbal.tables.spec import Row
from lightning_imbal.tables.suited import suitable
from lightning_imbal.wording import did_you_mean

if TYPE_CHECKING:
    from jsonargparse import Namespace

AUTO = "auto"
ENOUGH_EPOCHS = 50  # after which a network that can learn has learned something of a few hundred images
FEATURES = ["--save_features", "true"]  # for the page's map of the test images


def run(args: list[str]) -> int:
    """Runs `compare` and returns the exit status: 1 if a run failed, else 0."""
    given, options = compare_parser().parse_known_args(args[1:])
    check_jobs(given.jobs)
    from lightning_imbal.cli.parts.own_data import with_images_found

    configs = [f"--config={file}" for file in given.config]
    typed = options
    options = [option for option in with_images_found([*configs, *options]) if option not in configs]
    if given.folds is not None and given.folds < 2:
        raise UserError(f"--folds is {given.folds}: give 2 or more, or --seeds instead.")
    refuse_below(0, **{"--seeds": min(given.seeds)})
    edges = parse_edges(given.edges)
    from lightning_imbal.cli.parts.compare_small import AUTO_WEIGHTS, is_small, lay_small, left_open, said_of_small

    given.config, variant = lay_small(given.config, given.laptop)
    small = variant is not None or is_small(given.config)
    methods = [name for name in ",".join(given.methods).split(",") if name] or [AUTO]
    plan_of = partial(_plan, given)

    from lightning_imbal.cli.parts.compare_data import check, check_order, count_classes, read_parts
    from lightning_imbal.cli.parts.configurations import read_stages

    weights = AUTO_WEIGHTS if variant else []
    first = plan_of([*weights, *options], rows_of(["ce" if methods == [AUTO] else methods[0]]))
    # The split does not depend on the seed of a run.
    parts = read_parts({cell.title: cell.job.arguments for cell in first.cells[: given.folds or 1] if cell.job})
    counts, ordered = count_classes(parts[0].data, given.folds), parts[0].data.ordered
    check_edges(edges, column_values(parts[0].data.index))
    plan_of = partial(_plan, given, ordered=ordered)
    suited = suitable(list(counts.values()), ordered) if methods == [AUTO] else {}
    rows = rows_of(list(suited) or methods)
    baseline = _baseline(given.baseline, rows)
    found = left_open(plan_of(options, rows), first, parts[0].data, small)
    plan = plan_of([*to_options(found), *options], rows)
    said = [said_of_small(variant, plan.jobs[0].arguments[1:])] if variant else []
    if given.print_plan is not None:
        from lightning_imbal.cli.parts.plan_cells import show_plans

        show_plans(plan, typed, given.print_plan, "compare itself")
        return 0
    if given.jobs:
        plan.check_settings()
    stages = read_stages(plan.jobs)
    check_order(stages, ordered)
    warnings = [*check(parts, plan.runs, pictures=not given.dry_run), *said]
    reasons = [f"{rows[method][0]} was chosen: {why}." for method, why in suited.items()]

    console = Console()
    _print(warnings, console, "[bold yellow]Warning:[/] ")
    _print(reasons, console)
    if given.dry_run:
        print_commands(plan, stages, given.jobs)
        return 0
    failures = _train(plan, stages, given.jobs, console)
    page = _write(plan, baseline, warnings, reasons, console, _again(args, plan), given.anonymous, edges)
    print_failures(failures, console)
    _print([f"Page: {page} (open it in a browser)"] if page else [], console)
    return int(bool(failures))


def _train(plan: Plan, stages: "dict[Job, list[Namespace]]", jobs: int, console: Console) -> list[Failure]:
    """Trains what is not finished, so many runs at once; returns what failed."""
    if not jobs:
        return []
    discard_left_halves(plan.jobs)
    if all(job.finished for job in plan.jobs):
        return []
    from lightning_imbal.cli.parts.cost import estimate

    _print(estimate(stages, jobs).split("\n"), console)
    with forking(jobs) as server:
        return run_plan(plan, local_launcher(jobs, server), console)


def _plan(
    given: argparse.Namespace, options: Sequence[str], rows: dict[str, tuple[str, Row]], ordered: bool = False
) -> Plan:
    """The runs of some methods."""
    protocol = protocol_of(_data_class(given.config, options))
    files = [f"--config={file}" for file in (protocol, *given.config)]
    root = Path(last_setting([*files, *options], "data", "init_args", "root"))
    dataset = root.expanduser().absolute().name
    laid = [Path(file).stem for file in given.config]
    name = "-".join(["compare", dataset, *(stem for stem in laid if stem != dataset)])
    spec = comparison(dict(rows.values()), dataset, protocol, given.folds, given.seeds, ordered)
    runs = Path(given.runs or Path("runs", name))
    refuse_unwritable("--runs", runs, folder=True)
    return Plan(spec, runs, given.config, [*FEATURES, *options])


def _again(args: list[str], plan: Plan) -> str:
    """The same command with more epochs and, where there were none for certain, pretrained weights; in another folder.

    Args:
        args: The command.
        plan: Its runs.
    """
    arguments = plan.jobs[0].arguments[1:]
    epochs = str(last_setting(arguments, "trainer", "max_epochs"))
    changed: dict[str, Any] = {"trainer.max_epochs": max(ENOUGH_EPOCHS, 2 * int(epochs) if epochs.isdigit() else 0)}
    if str(last_setting(arguments, "model", "init_args", "pretrained")).lower() in ("none", "false", "local"):
        changed["model.pretrained"] = True
    if given_on("jobs", args) == "0":
        changed["jobs"] = 1
    return shlex.join(["lightning_imbal", *args, *to_options(changed), "--runs", f"{plan.runs}-longer"])


def _write(
    plan: Plan,
    baseline: str,
    warnings: Sequence[str],
    reasons: Sequence[str],
    console: Console,
    again: str,
    anonymous: bool,
    edges: Edges,
) -> Path | None:
    """Prints the leaderboard and the advice, and writes both; returns the page if there is something to show on it."""
    results = ranked(collect(plan.spec, plan.cells, [], plan.runs, baseline, edges))
    write_and_print(results, plan.runs / "compare", console)
    advice = advise(results, baseline, again)
    _print(advice, console)
    rules = tried_rules(results)
    if rules is not None:
        print_rules(rules, console, [])
        write_whole(plan.runs / "compare_rules.csv", partial(to_csv, rules.scores))
        of_rules = advise_rules(rules)
        _print(of_rules, console)
        advice += of_rules
    if not results.cells["runs"].any():
        return None
    from lightning_imbal.report.page.page import write_page

    page = plan.runs / "compare.html"
    write_page(results, page, warnings, advice, reasons, rules, anonymous)
    return page


def _data_class(configs: Iterable[str], options: Sequence[str]) -> str:
    """The class of the data that is named last."""
    named = [value for name, value in parse_options(options) if name in ("data", "data.class_path")]
    below = last_setting([f"--config={file}" for file in configs], "data", "class_path")
    if not (chosen := [below, *named][-1]):
        raise UserError(
            "`compare` needs your images: --data.root my_images, or --config NAME.yaml, which "
            "`lightning_imbal init my_images` writes."
        )
    return chosen


def _baseline(given: str | None, rows: dict[str, tuple[str, Row]]) -> str:
    """The row that the others are tested against."""
    names = {method: name for method, (name, _) in rows.items()}
    if given not in (None, *names):
        hint = did_you_mean(str(given), names) or f"{', '.join(names)}."
        raise UserError(f"--baseline {given!r} is not among the methods: {hint}")
    known = [name for name in BASELINES if name in names.values()]
    return names[given] if given else [*known, *names.values()][0]


def _print(sentences: Iterable[str], console: Console, before: str = "") -> None:
    for sentence in sentences:
        console.print(before + escape(sentence), highlight=False, soft_wrap=True)
