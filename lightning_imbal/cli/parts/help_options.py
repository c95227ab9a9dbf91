"""The options of `fit`, `validate`, `test` and `predict` by their names, as the sources declare them; nothing heavy."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache

from lightning_imbal.cli.parts.help_kinds import KINDS, find_class, parameters_of_any, settable
from lightning_imbal.command_line import SLOTS
from lightning_imbal.guide.source import Source, read

OF_PARSER = {"help", "print_config", *SLOTS}


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
