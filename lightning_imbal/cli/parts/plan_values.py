"""Values of a configuration by the names that are typed, as a plan shows them."""

from functools import partial
from typing import Any

from lightning_imbal.cli.parts.parser import FACTS
from lightning_imbal.command_line import SLOTS, settings_in
from lightning_imbal.wording import value_text

NOTHING = object()
NO_SETTING = {"config", "then", *(f"model.{name}" for name in FACTS)}


def value_at(config: Any, name: str) -> Any:
    """The value of a setting in a configuration; NOTHING if it is not there."""
    for part in name.split("."):
        if isinstance(config, dict) and "class_path" in config:
            config = {**(config.get("init_args") or {}), **(config.get("dict_kwargs") or {})}
        config = config.get(part, NOTHING) if isinstance(config, dict) else NOTHING
    return config


def text_at(config: dict[str, Any], name: str) -> str:
    """The same as it is written, an object without its arguments; empty if it is not there."""
    value = value_at(config, name)
    if value is NOTHING:
        return ""
    return value_text([_class(each) for each in value] if isinstance(value, list) else _class(value))


def _class(value: Any) -> Any:
    """An object without its arguments; anything else as it is."""
    return {"class_path": value["class_path"]} if isinstance(value, dict) and "class_path" in value else value


def is_object(config: dict[str, Any], name: str) -> bool:
    value = value_at(config, name)
    return name in SLOTS or (isinstance(value, dict) and "class_path" in value)


def has_objects(value: Any) -> bool:
    """Whether a value is a list of objects, such as callbacks."""
    return isinstance(value, list) and any(isinstance(each, dict) and "class_path" in each for each in value)


def settings_of(config: dict[str, Any]) -> set[str]:
    """The names of all settings of a stage."""
    names = {setting.name for setting in settings_in(config, "", partial(is_object, config))}
    return {name for name in names if name not in NO_SETTING and not name.startswith("then.")}
