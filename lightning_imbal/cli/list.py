"""`lightning_imbal list`: what there is to choose from, a line each."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from lightning_imbal.cli.parts.verb_parser import VerbParser
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import OVERLAYS, files_of
from lightning_imbal.score_names import SCORES
from lightning_imbal.wording import did_you_mean

USAGE = "lightning_imbal list [KIND ...] [--json]"
FOLDERS = {**{kind: kind for kind in OVERLAYS}, "experiments": ".", "tables": "tables"}
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
    found = {kind: _lines(kind) for kind in given.kinds or HOW}
    if given.json:
        entries = {kind: [{"name": name, "about": about} for name, about in of.items()] for kind, of in found.items()}
        print(json.dumps(entries, indent=2))
        return 0
    for number, (kind, lines) in enumerate(found.items()):
        print(f"{chr(10) if number else ''}{kind} ({HOW[kind]})")
        width = max(map(len, lines))
        for name, about in lines.items():
            print(f"  {name:{width}}  {about}".rstrip())
    return 0


def _lines(kind: str) -> dict[str, str]:
    """Names of one kind and the first line about each."""
    if kind == "scores":
        return {name: score.title for name, score in SCORES.items()}
    if kind in FOLDERS:
        return {name: _first_comment(file) for name, file in files_of(FOLDERS[kind]).items()}
    return dict(sorted(_classes(kind)))


def _first_comment(file: Path) -> str:
    first = file.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ") if first.startswith("# ") else ""


def _classes(room: str) -> Iterator[tuple[str, str]]:
    """Public classes of a folder of the package with the first lines of their docstrings; read, as torch takes long."""
    folder = Path(__file__).parents[1] / room
    for line in ast.parse((folder / "__init__.py").read_text(encoding="utf-8")).body:
        if not isinstance(line, ast.ImportFrom) or line.module is None:
            continue
        file = folder / f"{line.module.rpartition('.')[2]}.py"
        if file.stem == "base" or not file.is_file():
            continue
        public = {alias.name for alias in line.names}
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name in public:
                yield node.name, (ast.get_docstring(node) or "").partition("\n")[0]


def _kind(name: str) -> str:
    if name not in HOW:
        hint = did_you_mean(name, HOW) or f"choose from {', '.join(HOW)}."
        raise UserError(f"There is no kind {name!r}: {hint}")
    return name


def _parser() -> VerbParser:
    parser = VerbParser("list", USAGE, __doc__.partition("\n")[0])
    parser.add_argument("kinds", nargs="*", type=_kind, metavar="KIND", help=f"of {', '.join(HOW)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON: for each kind a list of names")
    return parser
