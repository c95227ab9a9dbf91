"""`lightning_imbal init`: looks at a folder or a label file and writes a configuration that reads it."""

import re
from pathlib import Path
from typing import Any

from lightning_imbal.atomic_files import refuse_unwritable, write_whole
from lightning_imbal.cli.parts.messages import cause
from lightning_imbal.cli.parts.own_data import settings_of
from lightning_imbal.cli.parts.survey import keep_together, survey
from lightning_imbal.cli.parts.verb_options import init as init_parser
from lightning_imbal.command_line import parse_options
from lightning_imbal.errors import UserError
from lightning_imbal.report.survey import configuration, print_survey
from lightning_imbal.runs.folder import first_free


def run(args: list[str]) -> int:
    """Runs `init` and returns the exit status."""
    given, options = init_parser().parse_known_args(args[1:])
    path = Path(given.path).expanduser()
    try:
        found = survey(path, _settings(options))
    except ValueError as error:
        raise cause(error) from error
    keep_together(found.look)
    report = found.report()
    file = Path(given.output) if given.output else _free(path)
    refuse_unwritable("--output", file)
    if file.exists():
        raise UserError(f"{file} is there already: give another name with --output.")
    write_whole(file, lambda place: place.write_text(configuration(report, given.path), encoding="utf-8"))
    print_survey(report)
    print(f"\nWritten: {file}. Next:")
    for command in ("audit", "fit", "compare --folds 5"):
        verb, _, rest = command.partition(" ")
        print(f"  lightning_imbal {verb} --config {file} {rest}".rstrip())
    return 0


def _settings(options: list[str]) -> dict[str, Any]:
    """What was given as `--data.NAME VALUE`."""
    if other := [name for name, _ in parse_options(options) if not name.startswith("data.")]:
        raise UserError(f"`init` does not know --{other[0]}: it takes options of the data, such as --data.labels FILE.")
    return settings_of(options)


def _free(path: Path) -> Path:
    """A name of a file that is not there yet, after what is looked at."""
    place = path.absolute()
    name = re.sub(r"\W+", "_", place.name.partition(".")[0] if place.is_file() else place.name).strip("_") or "images"
    file = Path(f"{name}.yaml")
    return first_free(file.with_suffix("")).with_suffix(".yaml") if file.exists() else file
