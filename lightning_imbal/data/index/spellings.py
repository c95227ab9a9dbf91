"""Spellings that mean one thing: labels that look alike, and what YAML makes of a label."""

import json
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import pandas as pd
import yaml
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.errors import UserError
from lightning_imbal.wording import number_of

Written = str | int | float | bool | None  # a label as YAML reads it


def refuse_look_alikes(labels: pd.Series, source: object, counted: str, mend: str, apart: Collection[str] = ()) -> None:
    """Refuses labels that differ only in case, blanks or Unicode form, or as numbers do (`1` and `1.0`).

    Args:
        labels: Label of every image.
        source: What has them, for the message.
        counted: What one entry of `labels` is, for the message.
        mend: What to do, for the message.
        apart: Labels that were named, each as it is written: those may look like one another.

    Raises:
        UserError: The message names the first such labels and how often each is there.
    """
    if alike := [names for names in _alike(labels.unique()) if not {*names} <= {*apart}]:
        times = labels.value_counts()
        names = " and ".join(f"{_shown(name, alike[0])} ({number_of(int(times[name]), counted)})" for name in alike[0])
        more = f", and {number_of(len(alike) - 1, 'further such label')}" if len(alike) > 1 else ""
        raise UserError(f"{source} has labels that differ only in how they are written, {names}{more}: {mend}.")


def one_spelling(groups: pd.Series, name: str, source: object) -> pd.Series:
    """Groups, of which those that look alike are one, as the first of them is written; says so.

    Args:
        groups: Group of every image; missing: on its own.
        name: Their column, for the message.
        source: Their file, for the message.
    """
    alike = _alike(groups.dropna().unique())
    if alike:
        names = " and ".join(_shown(spelling, alike[0]) for spelling in alike[0])
        rank_zero_info(
            f"{source} has {number_of(len(alike), 'group')} in its column {name!r} with several spellings, such as "
            f"{names}: each is kept together as one."
        )
    return groups.replace({spelling: first for first, *others in alike for spelling in others})


def as_labels(given: Iterable[Written], labels: Sequence[str]) -> list[str]:
    """What was given as labels, in a YAML file or in Python, as text.

    Args:
        given: Text, or what YAML reads where a label was written without quotes, such as True for `yes`.
        labels: The labels that there are.

    Raises:
        UserError: Several labels are read as the same value.
    """
    given = list(given)
    if all(isinstance(value, str) for value in given):
        return [str(value) for value in given]
    read = {label: _read(label) for label in labels}
    return [value if isinstance(value, str) else _label_of(value, read) for value in given]


def _label_of(value: Written, read: Mapping[str, Any]) -> str:
    same = [label for label, as_read in read.items() if _equal(value, as_read)]
    if len(same) > 1:
        raise UserError(
            f"{value!r} may mean the labels {' and '.join(map(repr, same))}: give the one that is meant in quotes, "
            f"such as {json.dumps(same[0])}."
        )
    return same[0] if same else json.dumps(value)


def _equal(value: Written, read: Any) -> bool:
    return bool(value == read) and isinstance(value, bool) == isinstance(read, bool)


def _read(label: str) -> Any:
    """What YAML reads where a label stands without quotes; a number also where YAML 1.1 sees none, as in 1e3."""
    try:
        read = yaml.safe_load(label)
        return float(read) if isinstance(read, str) else read
    except (yaml.YAMLError, ValueError):
        return label


def _alike(names: Iterable[str]) -> list[list[str]]:
    """The sets of names that look alike, each in the order given."""
    found: dict[str | Decimal, list[str]] = {}
    for name in names:
        found.setdefault(_key(name), []).append(name)
    return [spellings for spellings in found.values() if len(spellings) > 1]


def _key(name: str) -> str | Decimal:
    """The same for names that look alike."""
    form = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(character for character in form if unicodedata.category(character) != "Cf")
    text = " ".join(seen.split())
    try:
        number = Decimal(text) if "_" not in text else None
    except InvalidOperation:
        return text
    return number if number is not None and number.is_finite() else text


def _shown(name: str, alike: Sequence[str]) -> str:
    """A name in quotes, in which one sees what it does not share with those that look alike."""
    composed = {unicodedata.normalize("NFC", each) for each in alike}
    return repr(name) if len(composed) == len(alike) else ascii(name)
