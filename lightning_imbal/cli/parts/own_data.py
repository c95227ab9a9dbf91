"""The user's own images by their folder alone: a look says how they are read, and what is certain is used."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.cli.parts.messages import cause
from lightning_imbal.cli.parts.survey import Survey, survey
from lightning_imbal.command_line import last_setting, parse_options, settings_on, to_options
from lightning_imbal.errors import UserError
from lightning_imbal.tables.methods import protocol_of
from lightning_imbal.wording import number_of

OWN = ("CSVData", "FolderData")


def with_images_found(arguments: Sequence[str]) -> list[str]:
    """A command line that names only the folder of the images, with the options that say how they are read.

    Raises:
        UserError: That is unclear; the message has the option that decides.
    """
    root = last_setting(arguments, "data", "init_args", "root")
    if root is None or last_setting(arguments, "data") is not None:
        return [*arguments]
    given = {name: value for name, value in settings_of(arguments).items() if name != "root"}
    try:
        found = survey(Path(root).expanduser(), given)
    except ValueError as error:
        raise cause(error) from error
    look = found.look
    if open_questions := [question for question in look.questions if question.unanswered]:
        question = open_questions[0]
        raise UserError(
            f"{root} can be read in several ways. {question.text} Say it with {' or '.join(question.options)}; "
            f"`lightning_imbal init {root}` writes all of it down."
        )
    _say(found)
    known = given | {"root": root}
    chosen = {f"data.{name}": value for name, value in look.settings.items() if known.get(name) != value}
    return ["--data.class_path", look.data, *arguments, *to_options(chosen)]


def with_protocol(arguments: Sequence[str]) -> list[str]:
    """A command line of `fit` for images of one's own, with their protocol below all else if it has none.

    It has one if it names a model, other than by an overlay such as `methods/ecl.yaml`, which says nothing of training.
    """
    data = str(last_setting(arguments, "data"))
    settings = list(settings_on(arguments))
    that_train = {setting.source for setting in settings if setting.name.startswith("trainer.")}
    models = [setting for setting in settings if setting.name == "model"]
    if data.rpartition(".")[2] not in OWN or any(not each.source or each.source in that_train for each in models):
        return [*arguments]
    protocol = protocol_of(data)
    rank_zero_info(f"No {'protocol' if models else 'model'} is given: that of {protocol}.")
    return [f"--config={protocol}", *arguments]


def settings_of(options: Sequence[str]) -> dict[str, Any]:
    """What is given as `--data.NAME VALUE`, as YAML reads it."""
    given = {name.removeprefix("data."): value for name, value in parse_options(options) if name.startswith("data.")}
    return {name: _read(name, value) for name, value in given.items() if "." not in name}


def _read(name: str, value: str) -> Any:
    """What YAML reads; a pattern such as `*_mask*` is text, and so is a column that is called `0`."""
    if name.endswith("_column") and not value.startswith("["):
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        return value


def _say(found: Survey) -> None:
    look = found.look
    rank_zero_info(
        f"{look.settings['root']}: {look.layout}, {number_of(len(found.data.class_names), 'class', 'classes')}."
    )
    for name, reason in look.reasons.items():
        value = look.settings.get(name)
        rank_zero_info(f"{name}: {reason}." if value is None else f"data.{name}={value}: {reason}.")
    for guess in look.guesses[:1]:
        rank_zero_info(f"{guess.said()}. They are not kept together unless you say so: {guess.told()}")
    for question in look.questions:
        rank_zero_info(f"{question.text} {' or '.join(question.options)}")
