"""The plan of a `fit`: what every stage is made of, file by file, without training or writing anything."""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from rich.console import Console

from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.plan_laid import Laying, as_list, takes
from lightning_imbal.cli.parts.plan_values import (
    NO_SETTING,
    NOTHING,
    has_objects,
    is_object,
    settings_of,
    text_at,
    value_at,
)
from lightning_imbal.cli.parts.stages import COMMAND_LINE, Layer, is_stage, layers
from lightning_imbal.command_line import (
    SLOTS,
    Setting,
    given_below,
    parse_options,
    settings_in,
    settings_on,
)
from lightning_imbal.report.plan import Line, Lost, StagePlan, print_plan
from lightning_imbal.wording import number_of, value_text

ITSELF = "fit itself"  # what it finds out about one's own images and this machine, and what only its first stage has
DEFAULT = "default"
OF_FIRST_STAGE = ("data.views", "data.more_views", "data.paired_sampler", "trainer.callbacks")


def show_plan(cli: ImbalCLI, typed: Sequence[str], arguments: Sequence[str], title: str, source: str = ITSELF) -> None:
    """Prints the plan of a command line.

    Args:
        cli: Reads command lines of `fit`.
        typed: What the user gave, without the verb; the files of --config are paths.
        arguments: What became of it.
        title: Of the table.
        source: What gives the options that the user did not.
    """
    first = cli.read(arguments)
    print_plan(title, plan(cli, first, typed, arguments, source), list(unused(first, typed)), Console())


def plan(
    cli: ImbalCLI, first: Namespace, typed: Sequence[str], arguments: Sequence[str], source: str = ITSELF
) -> list[StagePlan]:
    """What every stage of a command line is made of.

    Args:
        cli: Has read it.
        first: The configuration of its first stage.
        typed: As of `show_plan`.
        arguments: As of `show_plan`.
        source: As of `show_plan`.
    """
    one, *two = [config.as_dict() for config in cli.stages(first)]
    lines = _lines(_first(one, typed, arguments, source), one)
    rest = number_of(len(settings_of(one) - {line.name for line in lines}), "other setting")
    lines += _then(layers(arguments), whole=not two)
    plans = [
        StagePlan(f"Stage 1: {text_at(one, 'model')}", tuple(lines), f"{rest} as by default (--print_config lists all)")
    ]
    for second in two:
        laying = _second(second, typed, arguments, source)
        lines = [*_lines(laying, second, one), *_changed(one, second, laying.held)]
        lines = sorted(lines, key=lambda line: _place(line.name))
        plans.append(StagePlan(f"Stage 2: {text_at(second, 'model')}", tuple(lines), "all else as in stage 1"))
    return plans


def unused(first: Namespace, typed: Sequence[str]) -> Iterator[str]:
    """Sentences on what is for a second stage where there is none."""
    if is_stage(first.then):
        return
    for layer in layers(typed):
        if not layer.whole and layer.source != COMMAND_LINE:
            names = [setting.name for setting in _of_layer(layer, {})]
            tops = [f"then.{name}" for name in names if not any(name.startswith(f"{other}.") for other in names)]
            are = "is" if len(tops) == 1 else "are"
            yield f"{', '.join(tops)} of {Path(layer.source).name} {are} for a second stage, and this run has none."
    for name, _ in given_below("then", typed):
        yield f"--then.{name} is for a second stage, and this run has none."


def _first(config: dict[str, Any], typed: Sequence[str], arguments: Sequence[str], source: str) -> Laying:
    """Lays what a command line says of the first stage."""
    own, laying = Counter(parse_options(typed)), Laying(partial(_stays, config))
    for option in parse_options(arguments):
        by = COMMAND_LINE if own[option] > 0 else source
        own[option] -= 1
        for each in settings_on(["--{}={}".format(*option)], partial(is_object, config)):
            if each.name not in NO_SETTING and not each.name.startswith("then."):
                laying.lay(_of_list(Setting(each.name, each.value, each.source or by), config))
    return laying


def _second(config: dict[str, Any], typed: Sequence[str], arguments: Sequence[str], source: str) -> Laying:
    """Lays what a command line says of the second stage, in which another class begins anew."""
    own = [each for layer in layers(typed) if layer.source == COMMAND_LINE for each in _of_layer(layer, config)]
    laying = Laying(lambda *names: False)
    for layer in layers(arguments):
        if layer.whole:
            laying.begin_anew(f"{Path(layer.source).name} has another second stage")
        for each in _of_layer(layer, config):
            found = layer.source == COMMAND_LINE and each not in own
            laying.lay(Setting(each.name, each.value, source if found else each.source))
    return laying


def _of_layer(layer: Layer, config: dict[str, Any]) -> Iterator[Setting]:
    return settings_in(layer.then or {}, layer.source, partial(is_object, config))


def _lines(laying: Laying, config: dict[str, Any], before: dict[str, Any] | None = None) -> list[Line]:
    """What was laid, beside what the parser has made of it.

    Args:
        laying: Of a stage.
        config: That of the stage.
        before: That of the stage before it.
    """
    for name in sorted(laying.held):
        if name in laying.held and value_at(config, name) is NOTHING:
            owner, _, argument = name.rpartition(".")
            laying.drop(name, f"{text_at(config, owner) or owner} has no {argument}")
    lines = []
    for name in sorted({*laying.held, *laying.lost}, key=_place):
        held, value = laying.held.get(name), text_at(config, name)
        if held is None:
            source = "stage 1" if before and text_at(before, name) == value else DEFAULT
        else:
            source = held.source
            if has_objects(value_at(config, name)):  # the objects in it without their defaults
                value = value_text(as_list(held.value))
        lost = [each if held is None else Lost(each.value, each.source) for each in laying.lost[name]]
        lost = [each for each in dict.fromkeys(lost) if each.value != value]
        if held is not None or lost:
            lines.append(Line(name, value or None, source, tuple(lost)))
    return lines


def _changed(before: dict[str, Any], config: dict[str, Any], held: Container[str]) -> Iterator[Line]:
    """What is another value in the second stage than in the first, though nothing was said of it."""
    for name in sorted(settings_of(config) - {"model"}):
        value, was = text_at(config, name), text_at(before, name)
        if name not in held and was not in ("", value):
            yield Line(name, value, ITSELF if name in OF_FIRST_STAGE else DEFAULT)


def _place(name: str) -> tuple[int, list[str]]:
    """Where a setting stands: those of the model first, below an object its arguments."""
    first, *_ = parts = name.split(".")
    return SLOTS.index(first) if first in SLOTS else len(SLOTS), parts


def _then(laid: Sequence[Layer], whole: bool) -> list[Line]:
    """Which second stage there is, and those that it was named instead of.

    Args:
        laid: Every `then`.
        whole: Whether these are told with all that they set.
    """
    named = [((each.then or {}).get("model"), each.source) for each in laid if each.whole or is_stage(each.then)]
    named = [each for number, each in enumerate(named) if each not in named[:number]]
    if not named:
        return []
    *before, (model, source) = named
    lost = [Lost(value_text(other if whole or not other else other["class_path"]), of) for other, of in before]
    return [Line("then", value_text(model and model["class_path"]), source, tuple(lost))]


def _stays(config: dict[str, Any], name: str, value: Any, argument: str) -> bool:
    """Whether the parser keeps an argument of an object for which another class is chosen."""
    final = value_at(config, name)
    return takes(value, argument, final.get("class_path", "") if isinstance(final, dict) else "")


def _of_list(setting: Setting, config: dict[str, Any]) -> Setting:
    """A setting; an argument of an object in a list, such as the last callback, as something that is added to it."""
    parts = setting.name.split(".")
    for end in range(1, len(parts)):
        owner, argument = ".".join(parts[:end]), ".".join(parts[end:])
        if isinstance(value_at(config, owner), list):
            return Setting(f"{owner}+", {argument: setting.value}, setting.source)
    return setting
