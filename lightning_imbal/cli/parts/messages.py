"""Turns jsonargparse's nested error messages into one sentence that names what is wrong and the mend."""

import inspect
import re
from importlib import import_module
from pathlib import Path

from lightning.pytorch import Callback

from lightning_imbal.cli.parts.help_kinds import KINDS, classes_of, find_class, kind_at, kind_of
from lightning_imbal.cli.parts.help_unknown import unknown
from lightning_imbal.cli.parts.vocabulary import PUBLIC  # noqa: F401  # whose classes are known by their short names
from lightning_imbal.errors import UserError, refusal_in
from lightning_imbal.wording import did_you_mean


def explain(message: str) -> str:
    """Returns one sentence for a message of jsonargparse."""
    key = ".".join(re.findall(r'Parser key "([^"]+)"', message))
    if sentence := _missing_package(message):
        return sentence
    owners = re.findall(r"class_path[= ]'([^']+)'", message)
    owners = [owner for owner in owners if not owner.endswith(".Callback")] or owners  # what any could be
    # A number may be a tensor too, and that the path of one: for people it is a number.
    path = re.search(r"Expected a dot import path string: (\S+)", "" if "torch.Tensor" in message else message)
    if path and key and key.rpartition(".")[2] not in KINDS:
        return f"{key} must be the path of a function or a class, such as package.module.name, but is {path[1]!r}."
    kind = kind_at(key)
    such_as = f", such as {kind.example}" if kind and kind.example else ""
    if "is a function, and only classes are built" in message:
        called = re.findall(r"class_path['\"]?[=:] ?'([\w.]+)'", message)[-1]
        return f"{key}: {called} is a function, and only classes are built: name a class{such_as}."
    no_kind = r"Expected '([\w.]+)' to be a (?:subclass of|function that returns)|Import path (\S+) does not correspond"
    if match := re.search(no_kind, message):
        return f"{match[1] or match[2]} cannot be {key}: name a class of its kind{such_as}."
    if match := re.search(r"Option '([^']+)' is not accepted|Problem with(?:.|\n)*arguments: --(\w+)\.", message):
        return _unknown_argument(match[1] or match[2], owners, key)
    if path:
        return _unknown_class(path[1], key)
    if match := re.search(r"[Uu]nrecognized arguments: (\S+)|does not accept option '([^']+)'", message):
        return unknown((match[1] or match[2]).lstrip("-").split("=")[0])
    if match := re.search(r"File does not exist: '([^']+)'", message):
        return f"There is no file {match[1]}: give {key} the path of an existing file, such as experiments/demo.yaml."
    if match := re.search(r"arguments are required: (.+)", message):
        return _missing_arguments(message, match[1].partition(". Got value")[0], owners, key, such_as)
    if match := re.search(r"Expected a typing.Literal\[(.+?)\]\. Got value: ([^\s]+?)\.?(?:\s|$)", message):
        return f"{key} must be one of {match[1]}, but is {match[2]!r}."
    if sentence := _no_such_word(message, key):
        return sentence
    name = re.escape(key.rpartition(".")[2])
    if match := re.search(rf"NestedArg\(key='{name}\.(\w+)', val=['\"]?([^'\")]*)", message):
        example = {"split": "Holdout"}.get(name, "CLASS")
        return f"{key} is not set: name its class first, as in --{key} {example} --{key}.{match[1]} {match[2]}."
    if sentence := _no_class_yet(message, key):
        return sentence
    if sentence := _wrong_type(message, key):
        return sentence
    return " ".join(message.split())


def cause(error: Exception) -> UserError:
    """Finds why a constructor refused its arguments, below what jsonargparse puts around it."""
    if inner := refusal_in(error):
        return inner
    if sentence := _missing_package(str(error)):
        return UserError(sentence)
    of_parser = "Expected a|Problem with|Not a valid subclass|a class path|a dict with"
    refusals = re.findall(rf"^ +- (?!{of_parser})(.+)$", str(error), flags=re.MULTILINE)
    return UserError(refusals[-1] if refusals else " ".join(str(error).split()))


def _missing_package(message: str) -> str:
    """A sentence on a library that a class of Lightning needs, or a file of the user; empty if none is missing."""
    match = re.search(r"(?:pip install (?:-U )?|No module named )['\"`]*([\w-]+)", message)
    owner = re.search(r"class_path[= ]'([^']+)'", message)
    if match and owner and owner[1].partition(".")[0] == match[1]:
        hint = did_you_mean(match[1], [file.stem for file in Path().glob("*.py")])
        mend = hint or f"put {match[1]}.py into the folder that you call this from."
        return f"There is no module {match[1]!r} for {owner[1]}: {mend}"
    who = f"{owner[1].rpartition('.')[2]} needs" if owner else "This needs"
    return f"{who} a package that is not installed: pip install {match[1]}." if match else ""


def _no_such_word(message: str, key: str) -> str:
    """A sentence on a value that is none of those which can be named; empty if that is not what is wrong."""
    lists = re.findall(r"- Expected a typing.Literal\[(.+?)\]", message)
    words = [word.strip("' ") for of in lists for word in of.split(",")]
    if (match := re.search(r"Given value: (\S+)$", message)) and (hint := did_you_mean(match[1], words)):
        return f"{key} cannot be {match[1]!r}: {hint}"
    match = re.search(r"Subtypes: \[typing.Literal\[(.+?)\], (.+)\]\n(?:.|\n)*?Given value: (.+)", message)
    if not match:
        return ""
    others = ["null" if each == "NoneType" else each for each in re.findall(r"<class '(\w+)'>", match[2])]
    return f"{key} must be one of {match[1]}, or {' or '.join(others)}, but is {match[3]!r}."


def _wrong_type(message: str, key: str) -> str:
    """A sentence on a value that is of another type; empty if that is not what is wrong."""
    unions = re.findall(r"Subtypes: \[(.+)\]", message)
    known = unions[-1:] if unions and not re.search("lightning|Callable|Literal", unions[-1]) else []
    types = known or [each for each in re.findall(r"Expected a? ?<class '([^']+)'>", message) if each != "NoneType"]
    beside = r"Expected a? ?<class '[^']+'>\. Got value: (.+?)(?:\. Got value: |\.?\n|\.?$)"
    values = (beside, r"NestedArg\(key='[^']*', val=(.+)\)$", r"(?:Given|Got) value: (.+?)\.?(?:$|\. Got value: |\n)")
    value = next(filter(None, (re.search(pattern, message) for pattern in values)), None)
    if not types or not value:
        return ""
    plain = re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", types[0])
    names = ["null" if each == "NoneType" else each for each in re.split(r", (?![^\[]*\])", plain)]
    given = value[1] if value[1][0] in "'\"[{(" or value[1][0].isdigit() else repr(value[1])
    return f"{key} must be of type {' or '.join(names)}, but is {given}."


def _no_class_yet(message: str, key: str) -> str:
    """A sentence on settings that are read before the class which takes them; empty if that is not what is wrong."""
    setting = re.search(r"is abstract(?:.|\n)*NestedArg\(key='([\w.]+)'", message)
    if not setting and "Given value: {'init_args'" not in message:
        return ""
    first = f"--{key}.{setting[1]} is" if setting else "its settings are"
    return f"{key} has no class yet where {first} read: put --{key} CLASS, or a --config that chooses it, before."


def _missing_arguments(message: str, names: str, owners: list[str], key: str, such_as: str) -> str:
    missing = [name.strip().split(".", 1)[-1] for name in names.split(",")]
    named = " and ".join(missing)
    if not (owners and key):
        return f"No {named} given: lay an experiment below, such as --config experiments/demo.yaml."
    value = r" value: \[?(?:Namespace\(class_path='|{'class_path': ')?([\w.]+)"
    owner = re.search(rf"required: (?:.|\n)*?{value}", message)
    name, other = owner[1] if owner else owners[0], f", or choose another class{such_as}" if such_as else ""
    return f"{name.rpartition('.')[2]} needs {named}: give --{key}.{missing[0]}{other}."


def _unknown_argument(name: str, owners: list[str], key: str) -> str:
    if not owners:
        return unknown(name)
    module, _, owner_name = owners[-1].rpartition(".")
    owner = getattr(import_module(module), owner_name)
    constructors = [vars(cls).get("__init__") for cls in inspect.getmro(owner) if cls.__module__ != "builtins"]
    known = {
        parameter
        for constructor in filter(None, constructors)
        for parameter in inspect.signature(constructor).parameters
        if parameter not in ("self", "args", "kwargs")
    }
    if name in known:
        return f"{name} of {owner.__name__} is given by the program: leave it out."
    if owner is Callback:
        example = f"--{key}+=EarlyStopping --{key}.patience 3"
        return f"{key} has no class yet that takes {name!r}: name it before, as in {example}."
    return f"{owner.__name__} has no argument {name!r}: {_suggest(name, sorted(known), 'it takes')}"


def _unknown_class(name: str, key: str) -> str:
    kind = KINDS[key.rpartition(".")[2]]
    if (other := find_class(name.rpartition(".")[2])) and (owner := kind_of(other)) and owner is not kind:
        return f"{name} is {owner.noun}, not {kind.noun}: it is chosen by --{owner.option} {name}."
    return f"There is no class {name!r} for {key}: {_suggest(name, sorted(classes_of(kind)), 'known are')}"


def _suggest(name: str, known: list[str], otherwise: str) -> str:
    return did_you_mean(name, known) or f"{otherwise} {', '.join(known)}."
