"""The options of `fit`, `validate`, `test` and `predict` by their names, as the sources declare them; nothing heavy."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from lightning_imbal.cli.parts.help_kinds import KINDS, find_class, parameters_of_any, settable
from lightning_imbal.cli.parts.help_source import Source, read
from lightning_imbal.command_line import parse_options
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import find, parse_yaml, read_yaml

HEADS = ("model", "data", "trainer")  # options that others are below
OF_PARSER = {"help", "print_config", *HEADS}
OF_CLASS = {"class_path", "init_args", "dict_kwargs", "help"}  # below the option of a class, beside its arguments
SURE, AT_THE_TOP, LIKELY = 0.85, 0.78, 0.7  # likeness of names, of 1


class Setting(NamedTuple):
    """A name, such as `model.loss`, and what it is set to; `place` is the file, empty on the command line."""

    name: str
    value: Any
    place: str = ""


@cache
def run_options(verb: str = "") -> frozenset[str]:
    """The options that are below no other one, of a verb or of all."""
    cli, lightning = read("lightning_imbal.cli.parts.parser.ImbalCLI"), read("lightning.pytorch.cli.LightningCLI")
    bodies = [
        *_bodies(cli, "add_arguments_to_parser"),
        *_bodies(lightning, "init_parser", "add_default_arguments_to_parser"),
    ]
    declared = [
        str(part.value).removeprefix("--")
        for call in _calls([line for body in bodies for line in body], verb)
        for part in call.args
        if isinstance(part, ast.Constant) and str(part.value).startswith("--")
    ]
    return frozenset({*declared, *_of_trainer_methods(verb), *OF_PARSER})


def _bodies(cls: Source | None, *methods: str) -> Iterator[list[ast.stmt]]:
    for line in cls.node.body if cls else ():
        if isinstance(line, ast.FunctionDef) and line.name in methods:
            yield line.body


def _calls(body: Iterable[ast.stmt], verb: str) -> Iterator[ast.Call]:
    """The calls of `add_argument` that are made for a verb, or all."""
    for line in body:
        if isinstance(line, ast.If):
            yield from _calls(line.body if _holds(line.test, verb) else [], verb)
            continue
        for node in ast.walk(line):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
                yield node


def _holds(condition: ast.expr, verb: str) -> bool:
    """Whether a condition such as `self.verb in ("test", "predict")` holds; any other one may."""
    match condition:
        case ast.Compare(left=ast.Attribute(attr="verb"), ops=[compare], comparators=[value]) if verb:
            known = ast.literal_eval(value)
            of_compare = {ast.Eq: verb == known, ast.NotEq: verb != known, ast.In: verb in known}
            return of_compare.get(type(compare), True)
    return True


@cache
def _of_trainer_methods(verb: str) -> frozenset[str]:
    """Arguments of `Trainer.fit` and its like that are no objects, as LightningCLI offers them."""
    trainer, cli = read("lightning.pytorch.trainer.trainer.Trainer"), read("lightning.pytorch.cli.LightningCLI")
    names: dict[str, set[str]] = {}
    for body in _bodies(cli, "subcommands"):
        names = ast.literal_eval(next(line.value for line in body if isinstance(line, ast.Return) and line.value))
    return frozenset(
        argument.arg
        for method in (trainer.node.body if trainer else ())
        if isinstance(method, ast.FunctionDef) and method.name in names and verb in ("", method.name)
        for argument in method.args.args
        if argument.arg not in {"self", *names[method.name]}
    )


@cache
def trainer_options() -> frozenset[str]:
    """The arguments of Lightning's Trainer."""
    trainer = read("lightning.pytorch.trainer.trainer.Trainer")
    return frozenset(each.name for each in trainer.parameters()) if trainer else frozenset()


@cache
def below(head: str, *classes: str) -> frozenset[str] | None:
    """The arguments below `model`, `data` or `trainer`; None if they are not known.

    Args:
        head: One of the three.
        classes: Names or paths of what is chosen there, perhaps among others; each class of the package counts anyway.
    """
    if head == "trainer":
        return trainer_options()
    kind = KINDS[head]
    found = set(parameters_of_any([kind]))
    for name in classes:
        source = find_class(name, kind)
        if source is None or not source.is_whole:
            return None
        found |= {each.name for each in settable(source, kind)}
    return frozenset(found)


def settings_on(arguments: Sequence[str]) -> list[Setting]:
    """What a command line sets, that of its --config files and of its second stage included.

    Raises:
        UserError: A file of them is not there, or no YAML.
    """
    found: list[Setting] = []
    for name, value in parse_options(arguments):
        if name == "config":
            found += settings_in(read_yaml(value), value)
        elif name in ("then", *HEADS) and value[:1] == "{":
            found += settings_in({name: parse_yaml(value, f"--{name}")}, "")
        elif name == "then":
            found += settings_in({name: value}, "")
        else:
            found.append(Setting(name.rstrip("+"), value))
    return found


def settings_in(content: Any, place: str) -> list[Setting]:
    """What a configuration sets, down to the arguments of its data, model and Trainer.

    Args:
        content: That of its file.
        place: The file, empty on the command line.
    """
    if not isinstance(content, dict):
        return []
    then = content.get("then")
    if isinstance(then, str) and then != "null":
        file = Path(place).parent / then
        then = read_yaml(file if file.is_file() else find(then))
    stages = {"": content} | ({"then.": then} if isinstance(then, dict) else {})
    return [
        Setting(f"{prefix}{name}", value, place)
        for prefix, stage in stages.items()
        for key, part in stage.items()
        for name, value in _unfolded(str(key).rstrip("+"), part)
    ]


def _unfolded(name: str, value: Any) -> Iterable[tuple[str, Any]]:
    if name not in HEADS or not isinstance(value, dict):
        return [(name, value)]
    parts = {key: part for key, part in value.items() if key != "init_args"}
    if isinstance(arguments := value.get("init_args"), dict):
        parts |= arguments
    return [(f"{name}.{str(key).rstrip('+')}", part) for key, part in parts.items()]


def refuse_unknown(settings: Sequence[Setting], verb: str = "", own: Iterable[str] = ()) -> None:
    """Refuses a name that neither the parser nor any class that may be meant knows.

    Args:
        settings: What is set.
        verb: Whose options there are on the command line; empty for any.
        own: Further names, of the verb.

    Raises:
        UserError: The message says what was probably meant.
    """
    own = [*own]
    known = {"": run_options(verb) | {*own}}
    classes = {head: _classes(head, settings) for head in HEADS}
    for name, _, place in settings:
        head, dot, rest = name.removeprefix("then.").partition(".")
        argument = rest.partition(".")[0]
        if head not in HEADS or not dot:
            wrong = head not in known.get(place, run_options())
        elif (chosen := classes[head]) is None or argument in OF_CLASS:
            wrong = False
        else:
            wrong = (of_head := below(head, *chosen)) is not None and argument not in of_head
        if wrong:
            raise UserError(f"{place}: {unknown(name, dashes='')}" if place else unknown(name, own))


def _classes(head: str, settings: Sequence[Setting]) -> list[str] | None:
    """What is chosen below `model` or `data`; None if a file of its own says it."""
    places = {f"{then}{head}{end}" for then in ("", "then.") for end in ("", ".class_path")}
    named = [value for name, value, _ in settings if name in places and isinstance(value, str)]
    return None if any(Path(name).suffix in (".yaml", ".yml") for name in named) else named


def unknown(name: str, own: Sequence[str] = (), dashes: str = "--") -> str:
    """The sentence about an option that there is not.

    Args:
        name: As it was given, without dashes.
        own: Further options that there are.
        dashes: What is written before an option.
    """
    said, plain = f"There is no option {name!r}", name.removeprefix("then.")
    before, shallow = dashes + name.removesuffix(plain), [*own, *_shallow()]
    if name in run_options():
        return f"{said} of this verb: `--help all` lists those that it has."
    if meant := [option for option in shallow if _ends_in(option, plain)]:
        return f"{said}: it is {before}{meant[0]}."
    if "." not in plain and (meant := _like(plain, [*own, *run_options()], AT_THE_TOP)):
        return f"{said}: did you mean {before}{meant[0]}?"
    if meant := [option for option in shallow if f"_{plain}_" in f"_{option.rpartition('.')[2]}_"]:
        return f"{said}: did you mean {before}{meant[0]}?"
    if meant := _like(plain, shallow, SURE):
        return f"{said}: did you mean {before}{meant[0]}?"
    if meant := [option for option in _deep() if _ends_in(option, plain)]:
        return f"{said}: it is {before}{meant[0]}."
    if meant := _like(plain, [*shallow, *_deep()], LIKELY):
        return f"{said}: did you mean {before}{meant[0]}?"
    return f"{said}: `lightning_imbal fit --help` shows what people set, `fit --help all` the rest."


@cache
def _shallow() -> list[str]:
    """Every option down to the arguments of Trainer, data and model."""
    arguments = {head: below(head) or () for head in HEADS}
    return sorted(run_options()) + [f"{head}.{name}" for head, of in arguments.items() for name in sorted(of)]


@cache
def _deep() -> list[str]:
    """The arguments of the classes that are chosen below those, such as `model.optimizer.lr`."""
    kinds = dict.fromkeys(kind for kind in KINDS.values() if kind.option.startswith(("model.", "data.", "trainer.c")))
    return [f"{kind.option}.{name}" for kind in kinds for name in parameters_of_any([kind])]


def _ends_in(option: str, name: str) -> bool:
    """Whether an option ends in a name, of which parts before the last one may have been left out."""
    parts, given = option.split("."), name.split(".")
    rest = iter(parts)
    return option != name and parts[-1] == given[-1] and all(part in rest for part in given)


def _like(name: str, options: Iterable[str], likeness: float) -> list[str]:
    """The option that is most like a name, as a whole or without what is before as many of its parts."""
    parts = name.count(".") + 1
    ends = {".".join(option.casefold().split(".")[-parts:]): option for option in reversed([*options])}
    return [ends[end] for end in get_close_matches(name.casefold(), ends, n=1, cutoff=likeness)]
