"""`lightning_imbal list`: what there is to choose from, a line each; with a name, all about that one."""

import json
from pathlib import Path

from lightning_imbal.cli.parts.help_kinds import find_class, kind_of
from lightning_imbal.cli.parts.verb_parser import VerbParser
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import OVERLAYS, files_of
from lightning_imbal.guide.classes import public_classes
from lightning_imbal.guide.page import as_dict, as_text
from lightning_imbal.guide.pages import FOLDERS, page_of
from lightning_imbal.score_names import SCORES
from lightning_imbal.wording import did_you_mean

USAGE = "lightning_imbal list [KIND [NAME ...] ...] [--json]"
HOW = {
    **{kind: f"--config {kind}/NAME.yaml" for kind in OVERLAYS},
    "methods": "--config methods/NAME.yaml, compare --methods NAME",
    "heads": "--then heads/NAME.yaml",
    "experiments": "--config NAME.yaml",
    "tables": "table NAME.yaml",
    "losses": "classes of lightning_imbal.losses, such as --model.loss NAME",
    "samplers": "--data.sampler NAME",
    "decisions": "decide --rule NAME, or `decision: NAME` in a row of a table",
    "scores": "in metrics.json and tables; --monitor val/NAME",
}


def run(args: list[str]) -> int:
    """Runs `list` and returns the exit status 0."""
    given = _parser().parse_args(args[1:])
    asked = _asked(given.what)
    pages = {kind: [page_of(kind, name) for name in names] for kind, names in asked.items()}
    if given.json:
        entries = {
            kind: [*map(as_dict, pages[kind])]
            if names
            else [{"name": name, "about": about} for name, about in _lines(kind).items()]
            for kind, names in asked.items()
        }
        print(json.dumps(entries, indent=2))
        return 0
    print("\n\n".join(text for kind in asked for text in [*map(as_text, pages[kind])] or [_overview(kind)]))
    return 0


def _asked(words: list[str]) -> dict[str, list[str]]:
    """The names that follow each kind; every kind if none is given."""
    asked: dict[str, list[str]] = {}
    kind = None
    for word in words:
        if word in HOW:
            kind = word
            asked.setdefault(kind, [])
        elif kind is None:
            raise UserError(f"There is no kind {word!r}: {_hint(word)}")
        else:
            asked[kind].append(word)
    return asked or {kind: [] for kind in HOW}


def _hint(word: str) -> str:
    """Where the thing that is called so is told, or the kind that was meant."""
    told = [f"list {kind} {word}" for kind in HOW if word in _lines(kind)]
    if not told and (source := find_class(word)) and (kind := kind_of(source)):
        told = [f"fit --{kind.option}.help {word}"]
    if told:
        return f"did you mean {' or '.join(f'`lightning_imbal {each}`' for each in told)}?"
    return did_you_mean(word, HOW) or f"choose from {', '.join(HOW)}."


def _overview(kind: str) -> str:
    lines = _lines(kind)
    width = max(map(len, lines))
    return "\n".join(
        [f"{kind} ({HOW[kind]})", *(f"  {name:{width}}  {about}".rstrip() for name, about in lines.items())]
    )


def _lines(kind: str) -> dict[str, str]:
    """Names of one kind and the first line about each."""
    if kind == "scores":
        return {name: score.title for name, score in SCORES.items()}
    if kind in FOLDERS:
        return {name: _first_comment(file) for name, file in files_of(FOLDERS[kind]).items()}
    return {each.name: each.about for each in sorted(public_classes(kind), key=lambda each: each.name)}


def _first_comment(file: Path) -> str:
    first = file.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ") if first.startswith("# ") else ""


def _parser() -> VerbParser:
    parser = VerbParser("list", USAGE, __doc__.partition("\n")[0])
    what = f"of {', '.join(HOW)} (default: all); a NAME after it, such as `methods ecl`, prints all about that one"
    parser.add_argument("what", nargs="*", metavar="KIND", help=what)
    parser.add_argument("--json", action="store_true", help="print JSON: for each kind a list of names, or of pages")
    return parser
