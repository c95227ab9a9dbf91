"""What several runs are called side by side: what all of them share is said once, and no two have one name."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_imbal.errors import UserError
from lightning_imbal.runs.identity import option_text
from lightning_imbal.runs.run import Run
from lightning_imbal.runs.title import SEED_OR_FOLD, short_names, title_parts
from lightning_imbal.stats.settings import settings
from lightning_imbal.wording import last_word

MOST_SETTINGS = 3


def run_names(runs: Sequence[Run]) -> tuple[list[str], str]:
    """A name for each run, and what their titles share (empty if that is nothing).

    Runs with one title are told apart by the first settings that they differ in, such as `lr 0.1`, or else by their
    folders.
    """
    parts = [title_parts(run.identity) for run in runs]
    if len(runs) == 1:
        return [runs[0].title], ""
    names, shared = short_names(parts)
    return apart(names, runs), ", ".join(shared.values())


def row_names(rows: Sequence[Sequence[Run]]) -> tuple[list[str], str]:
    """The same for rows of runs that differ in seed or fold alone: these are named where nothing else tells them apart.

    Args:
        rows: The runs of each.
    """
    first = [runs[0] for runs in rows]
    names, shared = short_names([title_parts(run.identity, repeats=False) for run in first])
    if len(rows) == 1:
        return [", ".join(shared.values())], ", ".join(shared.values())
    if len(set(names)) < len(names) and all(len(runs) == 1 for runs in rows):
        return run_names(first)
    return apart(names, first), ", ".join(shared.values())


def apart(names: Sequence[str], runs: Sequence[Run]) -> list[str]:
    """The same names, those that several runs have with what these differ in."""
    found, alike = list(names), defaultdict(list)
    for place, name in enumerate(names):
        alike[name].append(place)
    for places in alike.values():
        if len(places) > 1:
            told = _differences([runs[place] for place in places])
            for place, text in zip(places, told, strict=True):
                found[place] = ", ".join(filter(None, [found[place], text]))
    # A run that is given twice; or what one is called may be the folder of another one.
    return [
        f"{name} ({before + 1})" if (before := found[:place].count(name)) else name for place, name in enumerate(found)
    ]


def _differences(runs: Sequence[Run]) -> list[str]:
    """What tells runs apart: settings, and where these do not suffice their folders."""
    asked = [_settings(run) for run in runs]
    keys = [key for key in dict.fromkeys(key for of in asked for key in of) if len(_values(asked, key)) > 1]
    keys.sort(key=lambda key: len(_values(asked, key)) < len(runs))  # one that suffices comes first
    told: list[list[str]] = [[] for _ in runs]
    for key in keys[:MOST_SETTINGS]:
        if len(set(map(tuple, told))) < len(runs):
            for texts, of in zip(told, asked, strict=True):
                texts += [_text(key, of[key])] if key in of else []
    if len(set(map(tuple, told))) < len(runs):
        return _folders(runs)
    return [", ".join(texts) for texts in told]


def _values(asked: Sequence[Mapping[str, Any]], key: str) -> set[Any]:
    return {of.get(key) for of in asked}


def _settings(run: Run) -> dict[str, Any]:
    try:
        return settings(run)
    except UserError:  # a damaged file; whoever needs it says so
        return {}


def _text(key: str, value: Any) -> str:
    then, name = ("then " if key.startswith("then.") else ""), key.removesuffix(".class_path")
    shown = last_word(value) if key.endswith(".class_path") and isinstance(value, str) else option_text(value)
    return f"{then}{name.rpartition('.')[2]} {shown}"


def _folders(runs: Sequence[Run]) -> list[str]:
    places = [run.folder.absolute() for run in runs]
    parent = Path(os.path.commonpath([place.parent for place in places]))
    names = [place.relative_to(parent).as_posix() for place in places]
    short = [SEED_OR_FOLD.sub("", name) or name for name in names]
    return short if len(set(short)) == len(short) else names
