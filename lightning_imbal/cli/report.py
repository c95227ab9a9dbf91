"""`lightning_imbal report`: finished runs in the terminal, as a page and as figures."""

from pathlib import Path

from lightning_imbal.atomic_files import refuse_unwritable
from lightning_imbal.cli.parts.closing import next_command
from lightning_imbal.cli.parts.verb_parser import VerbParser
from lightning_imbal.errors import UserError
from lightning_imbal.report.terminal import print_runs

ANONYMOUS = "without names of images, folders and groups, and without pictures on the page"
USAGE = "lightning_imbal report RUN [RUN ...] [--html PAGE.html [--anonymous]] [--figures DIR]"


def run(args: list[str]) -> int:
    """Runs `report` and returns the exit status."""
    given = _parser().parse_args(args[1:])
    _check(given.html, given.figures)
    if given.anonymous and given.html is None:
        raise UserError("--anonymous is for a page: name one, such as --html report.html.")
    print_runs(given.runs)
    if given.html is None and given.figures is None:
        print(next_command("report", *given.runs, "--html", "report.html"))
        return 0
    from lightning_imbal.stats.read_runs import read_runs

    results = read_runs(given.runs)
    if given.html is not None:
        from lightning_imbal.report.page.page import write_page
        from lightning_imbal.stats.caveats import limits_of
        from lightning_imbal.stats.tried_rules import tried_rules

        write_page(
            results,
            Path(given.html),
            warnings=limits_of(results),
            rules=tried_rules(results),
            anonymous=given.anonymous,
        )
        print(f"Page: {given.html} (open it in a browser)")
    if given.figures is not None:
        from lightning_imbal.report.figures.of_runs import write_figures

        written = write_figures(results, Path(given.figures))
        print(f"Figures: {', '.join(str(file) for file in written)}")
    return 0


def _check(html: str | None, figures: str | None) -> None:
    """Refuses, before anything is read, what cannot be written to."""
    if html is not None and (Path(html).is_dir() or not Path(html).suffix):
        raise UserError(f"--html {html} is no file: name the page, such as --html {Path(html) / 'report.html'}.")
    for option, place in {"--html": html, "--figures": figures}.items():
        if place is not None:
            refuse_unwritable(option, place, folder=option == "--figures")


def _parser() -> VerbParser:
    parser = VerbParser("report", USAGE, __doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folder that fit, test or table wrote results to")
    parser.add_argument("--html", metavar="FILE", help="page to write, one file that opens without a network")
    parser.add_argument("--anonymous", action="store_true", help=ANONYMOUS)
    parser.add_argument("--figures", metavar="DIR", help="folder for figures of a paper, PNG and PDF")
    return parser
