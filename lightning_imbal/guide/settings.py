"""What a configuration sets, as people write it, and what it changes of another one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from lightning_imbal.wording import value_text


@dataclass(frozen=True)
class Change:
    """A setting that is another one: what it is now, and what it was; None where it was not there."""

    setting: str
    now: Any
    before: Any

    def said(self) -> str:
        """The change in words; of another object, its class is enough."""
        before = class_of(self.before) or value_text(self.before)
        old = "" if self.before is None else f" instead of {before}"
        return f"{self.setting}: {value_text(self.now)}{old}"


def class_of(value: Any) -> str:
    """Name of the class of an object as a configuration has it; empty for anything else."""
    return str(value["class_path"]).removeprefix("lightning_imbal.") if _is_object(value) else ""


def yaml_text(content: dict[str, Any]) -> str:
    """A configuration as YAML for a terminal of 80 columns."""
    text: str = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=50)
    return text


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a configuration, the outer one before those that it holds."""
    if _is_object(value):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects_in(each)


def changes(content: dict[str, Any], base: dict[str, Any]) -> list[Change]:
    """What the model and the data of a configuration have otherwise than those of another one."""
    found = []
    for part in ("model", "data"):
        now, before = content.get(part) or {}, base.get(part) or {}
        if "class_path" in now and class_of(now) != class_of(before):
            found.append(Change(part, class_of(now), class_of(before)))
        of_base = before.get("init_args") or {}
        for name, value in (now.get("init_args") or {}).items():
            found += _changed(f"{part}.{name}", value, of_base.get(name))
    return found


def _changed(setting: str, now: Any, before: Any) -> list[Change]:
    if now == before:
        return []
    if _is_object(now) and _is_object(before) and class_of(now) == class_of(before):
        own, of_base = now.get("init_args") or {}, before.get("init_args") or {}
        names = [*own, *(name for name in of_base if name not in own)]
        pairs = [(name, own.get(name), of_base.get(name)) for name in names]
        return [change for name, *pair in pairs for change in _changed(f"{setting}.{name}", *pair)]
    return [Change(setting, now, before)]


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and "class_path" in value
