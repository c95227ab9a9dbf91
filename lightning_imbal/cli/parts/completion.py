"""What a word of a command line can be: verbs, files of experiments, options, classes; read from the sources."""

from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

from lightning_imbal.cli.parts.first_look import OWN
from lightning_imbal.cli.parts.help_kinds import KINDS, classes_of, find_class, kind_at, parameters_of_any, settable
from lightning_imbal.cli.parts.help_options import run_options
from lightning_imbal.cli.parts.help_page import LITERAL
from lightning_imbal.cli.parts.help_screen import SCREENS
from lightning_imbal.cli.parts.help_settings import settings_on
from lightning_imbal.cli.parts.verb_options import PARSERS, WITH_OPTIONS_OF_FIT
from lightning_imbal.cli.parts.verbs import VERBS
from lightning_imbal.command_line import SLOTS
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import OVERLAYS, files_of, with_files_found
from lightning_imbal.guide.names import keys
from lightning_imbal.guide.source import Parameter, read
from lightning_imbal.score_names import SCORES

LIGHT = ("list", "report")  # whose own files import little
SHELLS = ("bash", "zsh", "fish")


def complete(words: Sequence[str]) -> list[str]:
    """What the last word can be completed to.

    Args:
        words: Of a command line, without the name of the program; the last may be empty.
    """
    *before, current = words or [""]
    if not before:
        return _beginning(current, VERBS)
    verb, *arguments = before
    if current == "=" or arguments[-1:] == ["="]:  # as bash cuts `--config=demo.yaml`
        option = [each for each in arguments if each != "="][-1:]
        return _beginning(current.lstrip("="), _values(verb, "".join(option), arguments, current.lstrip("=")))
    name, equals, value = current.partition("=")
    if equals and name.startswith("--"):
        return [f"{name}={each}" for each in _beginning(value, _values(verb, name, arguments, value))]
    if current.startswith("-"):
        return _beginning(current, _options(verb, current, arguments))
    return _beginning(current, _values(verb, arguments[-1] if arguments else "", arguments, current))


def _beginning(current: str, words: Iterable[str]) -> list[str]:
    return sorted({word for word in words if word.startswith(current)})


def _parser(verb: str) -> ArgumentParser | None:
    if verb in LIGHT:
        return import_module(f"lightning_imbal.cli.{verb}")._parser()
    return PARSERS[verb]() if verb in PARSERS else None


def _options(verb: str, current: str, arguments: Sequence[str]) -> Iterable[str]:
    """The options that begin like a word, down to its last dot."""
    parser = _parser(verb)
    own = [] if parser is None else [*parser._option_string_actions]
    own += [
        f"--{name}"
        for name in (*OWN.get(verb, ()), *(run_options(verb) if verb in SCREENS and verb not in OWN else ()))
    ]
    if verb not in (*SCREENS, *WITH_OPTIONS_OF_FIT):
        return own
    then = "then." if current.startswith("--then.") else ""
    place = current[2:].removeprefix(then).rpartition(".")[0]
    if not place:
        heads = ["data"] if verb in OWN else SLOTS
        return [*own, "--config", "--help", *(f"--{then}{head}{end}" for head in heads for end in ("", "."))]
    names = [f"{each.name}{end}" for each in _arguments(place, then, arguments) for end in ("", *_below(each.name))]
    return [f"--{then}{place}.{name}" for name in [*names, *(["help"] if kind_at(place) else [])]]


def _below(name: str) -> list[str]:
    return ["."] if kind_at(name) else []


def _arguments(place: str, then: str, arguments: Sequence[str]) -> list[Parameter]:
    """The arguments of what is chosen at an option, or of any class that could be."""
    if place == "trainer":
        trainer = read("lightning.pytorch.trainer.trainer.Trainer")
        return trainer.parameters() if trainer else []
    if (kind := kind_at(place)) is None:
        return []
    source = None if (name := _chosen(f"{then}{place}", arguments)) is None else find_class(name, kind)
    return settable(source, kind) if source else [*parameters_of_any([kind]).values()]


def _chosen(option: str, arguments: Sequence[str]) -> str | None:
    """The class that a command line chooses at an option, also in its files."""
    try:
        settings = settings_on(with_files_found([each for each in arguments if each != "="]))
    except UserError:
        return None
    named = [each.value for each in settings if each.name == option]
    return next((each for each in reversed(named) if isinstance(each, str)), None)


def _values(verb: str, option: str, arguments: Sequence[str], current: str) -> Iterable[str]:
    """What the value of an option can be, or the next word if there is none."""
    name = option.lstrip("-").removeprefix("then.").rstrip("+")
    if not option.startswith("-"):
        return _places(verb, arguments, current)
    if name in ("c", "config"):
        return [*_experiments(), *_files(current)]
    if kind := kind_at(name.removesuffix(".help")):
        return [*classes_of(kind), *([kind.others] if kind.others and " " not in kind.others else [])]
    if name == "then":
        return [*(f"heads/{each}.yaml" for each in files_of("heads")), *_files(current)]
    known = {
        "methods": [*files_of("methods"), *files_of("heads")],
        "monitor": [f"val/{score}" for score in SCORES],
        "score": SCORES,
        "rule": [*keys("lightning_imbal.cli.parts.rules", "BY_SCORE"), "Argmax"],
    }
    if name in known:
        return known[name]
    if (parser := _parser(verb)) and (action := parser._option_string_actions.get(option)):
        return action.choices or (() if action.nargs != 0 else _places(verb, arguments, current))
    return _words(name, arguments)


def _words(name: str, arguments: Sequence[str]) -> list[str]:
    """The words of an argument that takes one of some."""
    place, _, last = name.rpartition(".")
    found = [each for each in _arguments(place, "", arguments) if each.name == last] if place else []
    if not found:
        return []
    words = [word.strip("'\" ") for of in LITERAL.findall(found[0].type) for word in of.split(",")]
    return [*words, *(["true", "false"] if "bool" in found[0].type else [])]


def _places(verb: str, arguments: Sequence[str], current: str) -> Iterable[str]:
    """What a word can be that is no option's."""
    if verb == "list":
        return import_module("lightning_imbal.cli.list").HOW
    if verb == "completion":
        return SHELLS
    if arguments:
        return ()
    if verb in ("table", "dashboard"):
        return [*(f"{name}.yaml" for name in files_of("tables")), *_files(current)]
    return [*_experiments(), *classes_of(KINDS["data"]), *_files(current)] if verb in OWN else ()


def _experiments() -> list[str]:
    """The files of experiments by their short names."""
    overlays = [f"{of}/{name}.yaml" for of in OVERLAYS for name in files_of(of)]
    return [*(f"{name}.yaml" for name in files_of(".")), *overlays]


def _files(current: str) -> list[str]:
    """Configurations here, and folders that may hold some."""
    folder = Path(current).parent if not current.endswith("/") else Path(current)
    there = folder.iterdir() if folder.is_dir() else ()
    return [f"{each}/" if each.is_dir() else str(each) for each in there if each.is_dir() or each.suffix == ".yaml"]
