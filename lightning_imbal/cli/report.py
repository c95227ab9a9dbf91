"""`lightning_imbal report`: finished runs in the terminal, as a page and as figures."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from lightning_imbal.atomic_files import refuse_unwritable
from lightning_imbal.cli.parts.closing import next_command
from lightning_imbal.cli.parts.verb_options import MOVED, add_edges
from lightning_imbal.cli.parts.verb_parser import VerbParser
from lightning_imbal.errors import UserError, refuse_below
from lightning_imbal.report.terminal import print_runs
from lightning_imbal.runs.run import Run

if TYPE_CHECKING:
    from lightning_imbal.report.page.explained import Explanations
    from lightning_imbal.runs.attributes import Edges
    from lightning_imbal.stats.results import Results

ANONYMOUS = "without names of images, folders and groups, and without pictures on the page"
USAGE = (
    "lightning_imbal report RUN [RUN ...] [--html PAGE.html [--anonymous]] [--figures DIR]\n"
    "       [--edges age=40,60] [--subgroups NAME] [--explain gradcam [--neighbours 5]] [--data.root DIR]"
)
NEAREST = 5  # training images that are shown beside a mistake
NO_ATTRIBUTES = (
    "nothing is known of the images beside their classes: name columns of the labels by --data.metadata_columns when "
    "training, or when testing again."
)


def run(args: list[str]) -> int:
    """Runs `report` and returns the exit status."""
    given = _parser().parse_args(args[1:])
    _check(given)
    runs = [Run(folder) for folder in given.runs]
    has_attributes = any(run.has_attributes for run in runs)
    for option in ("edges", "subgroups"):
        if getattr(given, option) and not has_attributes:
            raise UserError(f"--{option}: {NO_ATTRIBUTES}")
    edges = _edges(given.edges, runs) if given.edges else {}
    print_runs(given.runs)
    wanted = [given.html, given.figures, given.subgroups, given.explain]
    if wanted == [None] * 4 and not has_attributes:
        print(next_command("report", *given.runs, "--html", "report.html"))
        return 0
    from lightning_imbal.stats.read_runs import read_runs

    results = read_runs(given.runs, edges)
    why = None if given.explain is None else _explain(results, given)
    if has_attributes:
        _tell_subgroups(results, given.subgroups)
    if wanted == [None] * 4:
        print(next_command("report", *given.runs, "--html", "report.html"))
    if given.html is not None:
        _write_page(results, given, why)
    if given.figures is not None:
        from lightning_imbal.report.figures.of_runs import write_figures

        written = write_figures(results, Path(given.figures))
        print(f"Figures: {', '.join(str(file) for file in written)}")
    return 0


def _edges(texts: list[str], runs: list[Run]) -> "Edges":
    """At which subgroups of numbers end, as they were typed."""
    from lightning_imbal.runs.attributes import check_edges, parse_edges, values_of

    edges = parse_edges(texts)
    check_edges(edges, values_of([run.predictions for run in runs if run.predictions is not None]))
    return edges


def _tell_subgroups(results: "Results", place: str | None) -> None:
    """Prints the scores of subgroups, and writes them."""
    from rich.console import Console

    from lightning_imbal.report.subgroups import print_subgroups, write_subgroups

    print_subgroups(results, Console())
    if place is not None:
        print(f"Subgroups: {', '.join(map(str, write_subgroups(results, Path(place))))}")


def _write_page(results: "Results", given: Namespace, why: "Explanations | None") -> None:
    """Writes the page, and says where it is."""
    from lightning_imbal.report.page.page import write_page
    from lightning_imbal.stats.caveats import limits_of
    from lightning_imbal.stats.tried_rules import tried_rules

    limits, rules, root = limits_of(results), tried_rules(results), getattr(given, "data.root")
    write_page(results, Path(given.html), warnings=limits, rules=rules, anonymous=given.anonymous, why=why, root=root)
    print(f"Page: {given.html} (open it in a browser)")


def _explain(results: "Results", given: Namespace) -> "Explanations":
    """Explains the worst mistakes."""
    from lightning_imbal.cli.parts.explain import explain
    from lightning_imbal.stats.drawn_methods import methods_of

    neighbours = NEAREST if given.neighbours is None else given.neighbours
    return explain(methods_of(results), given.explain, neighbours, getattr(given, "data.root"))


def _check(given: Namespace) -> None:
    """Refuses, before anything is read, what cannot be written to, and what is of no use."""
    html = given.html
    if html is not None and (Path(html).is_dir() or not Path(html).suffix):
        raise UserError(f"--html {html} is no file: name the page, such as --html {Path(html) / 'report.html'}.")
    for option, place in {"--html": html, "--figures": given.figures, "--subgroups": given.subgroups}.items():
        if place is not None:
            refuse_unwritable(option, place, folder=option == "--figures")
    if given.anonymous and html is None:
        raise UserError("--anonymous is for a page: name one, such as --html report.html.")
    if given.neighbours is not None and given.explain is None:
        raise UserError("--neighbours is of mistakes that are explained: add --explain gradcam.")
    refuse_below(0, **{"--neighbours": given.neighbours})
    if getattr(given, "data.root") is not None and html is None and given.explain is None:
        raise UserError("--data.root is for pictures: add --html report.html or --explain gradcam.")


def _parser() -> VerbParser:
    parser = VerbParser("report", USAGE, __doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folder that fit, test or table wrote results to")
    parser.add_argument("--html", metavar="FILE", help="page to write, one file that opens without a network")
    parser.add_argument("--anonymous", action="store_true", help=ANONYMOUS)
    parser.add_argument("--figures", metavar="DIR", help="folder for figures of a paper, PNG and PDF")
    add_edges(parser)
    files = "files for the scores of subgroups: NAME.md, NAME.tex, NAME.csv, NAME_classes.csv, NAME_gaps.csv"
    parser.add_argument("--subgroups", metavar="NAME", help=files)
    what = "where the networks looked in their worst mistakes, into RUN/explanations and onto the page"
    parser.add_argument("--explain", choices=["gradcam", "rollout", "auto"], help=what)
    near = f"training images that are nearest to an explained mistake (default: {NEAREST}; 0: none, which is faster)"
    parser.add_argument("--neighbours", type=int, metavar="N", help=near)
    parser.add_argument("--data.root", metavar="DIR", help=MOVED)
    return parser
