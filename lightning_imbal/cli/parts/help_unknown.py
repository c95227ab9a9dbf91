"""What was meant by an option that there is not."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cache

from lightning_imbal.cli.parts.help_kinds import KINDS, parameters_of_any
from lightning_imbal.cli.parts.help_options import below, run_options
from lightning_imbal.command_line import SLOTS

SURE, AT_THE_TOP, LIKELY = 0.85, 0.78, 0.7  # likeness of names, of 1


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
    arguments = {head: below(head) or () for head in SLOTS}
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
