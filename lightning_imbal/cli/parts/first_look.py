"""What is answered before a verb is imported: its help, and what its command line names that is not there."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from lightning_imbal.cli.parts.absent import named_checkpoint, refuse_to_fit_from
from lightning_imbal.cli.parts.data_verb_options import AUDIT, JSON, PREPARE
from lightning_imbal.cli.parts.help_page import asked, help_of
from lightning_imbal.cli.parts.help_screen import SCREENS, screen
from lightning_imbal.cli.parts.help_settings import refuse_unknown, settings_on
from lightning_imbal.cli.parts.verb_options import PARSERS, WITH_OPTIONS_OF_FIT
from lightning_imbal.command_line import given
from lightning_imbal.experiment_files import find, with_files_found
from lightning_imbal.runs.run import Run

OWN = {"audit": {*AUDIT, *JSON}, "prepare": {*PREPARE, *JSON}}
HELP = ("-h", "--help")


def answer(verb: str, arguments: Sequence[str]) -> str | None:
    """The help that a command line asks for; None if it asks for none, or for what only the verb's own parser knows.

    Raises:
        UserError: It asks about a class that there is not.
    """
    if verb == "completion":  # what is completed may be a question
        return None
    if question := asked(arguments):
        return help_of(*question)
    if not set(HELP) & set(arguments):
        return None
    if verb in PARSERS:
        return PARSERS[verb]().format_help().rstrip()
    return screen(verb) if verb in SCREENS and arguments[-1] != "all" else None


def check(verb: str, arguments: Sequence[str]) -> None:
    """Refuses what the verb would refuse seconds later.

    Raises:
        UserError: A file, a folder, a method or an option is not there.
    """
    if set(HELP) & set(arguments):
        return
    if verb in SCREENS:
        _check_settings(verb, with_files_found(with_name(arguments) if verb in OWN else arguments))
    elif verb in PARSERS and not _lacks_table(verb, arguments):
        parser = PARSERS[verb]()
        if verb not in WITH_OPTIONS_OF_FIT:
            _check_places(parser.parse_args(arguments))
            return
        given_here, options = parser.parse_known_args(arguments)
        configs = [f"--config={file}" for file in getattr(given_here, "config", [])]
        _check_places(given_here)
        refuse_unknown(settings_on([*configs, *options]), own=parser.option_names())


def with_name(arguments: Sequence[str]) -> list[str]:
    """A command line of `prepare` or `audit` whose first word may be a configuration or a class, as an option."""
    if not arguments or arguments[0].startswith("-"):
        return [*arguments]
    return ["--config" if Path(arguments[0]).suffix in (".yaml", ".yml") else "--data", *arguments]


def _lacks_table(verb: str, arguments: Sequence[str]) -> bool:
    """Whether `table` is called without one, of which it says how it is called."""
    return verb == "table" and (not arguments or arguments[0].startswith("-"))


def _check_settings(verb: str, arguments: Sequence[str]) -> None:
    if verb == "fit":
        refuse_to_fit_from(given("ckpt_path", [*arguments]))
    elif verb not in OWN:
        named_checkpoint(verb, arguments)
    refuse_unknown(settings_on(arguments), "fit" if verb in OWN else verb, OWN.get(verb, ()))


def _check_places(given_here: Namespace) -> None:
    """Refuses runs, tables and methods that are not there."""
    runs = getattr(given_here, "runs", None)
    for place in runs if isinstance(runs, list) else filter(None, [getattr(given_here, "run", None)]):
        if not (hasattr(given_here, "onnx") and Path(place).is_file()):  # a checkpoint alone can be exported
            Run(place).check_finished()
    if spec := getattr(given_here, "spec", None):
        find(spec, "tables")
    if (methods := getattr(given_here, "methods", ["auto"])) != ["auto"]:
        from lightning_imbal.tables.methods import rows_of

        rows_of([name for name in ",".join(methods).split(",") if name and name != "auto"])
