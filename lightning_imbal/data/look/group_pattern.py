"""Groups that the names of pictures tell."""

import re

import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.errors import UserError
from lightning_imbal.wording import number_of

EXAMPLE = r"'(?P<patient>\d+)_(left|right)'"


def group_word(pattern: str) -> str:
    """What a group is: the name of the pattern's first bracket that has one, else `group`.

    Raises:
        UserError: It is no regular expression, or has no bracket.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(f"data.group_pattern {pattern!r} is no regular expression ({error}): see {EXAMPLE}.") from error
    if not compiled.groups:
        raise UserError(
            f"data.group_pattern {pattern!r} has no bracket around what must stay together: give one such as {EXAMPLE}."
        )
    return min(compiled.groupindex, key=compiled.groupindex.__getitem__, default="group")


def groups_in(files: pd.Series, pattern: str) -> pd.Series:
    """What the bracket of a pattern that has a name, or else the first that takes part, finds in each path."""
    word, compiled = group_word(pattern), re.compile(pattern)
    named = compiled.groupindex.get(word, 0)

    def of(file: str) -> str | None:
        found = compiled.search(file)
        brackets = (found[named] if named else None, *found.groups()) if found else ()
        return next((text for text in brackets if text is not None), None)

    return pd.Series([of(file) for file in files], files.index, dtype=object)


def known_groups(files: pd.Series, pattern: str) -> pd.Series:
    """The group that each path names, missing where the pattern does not fit; says how many that are.

    Args:
        files: Paths of the pictures.
        pattern: See `groups_in`.

    Raises:
        UserError: No path fits.
    """
    groups = groups_in(files, pattern)
    without = groups.isna()
    if without.all():
        raise UserError(f"data.group_pattern {pattern!r} fits no picture, such as {files.iloc[0]}: see {EXAMPLE}.")
    if without.any():
        rank_zero_info(
            f"data.group_pattern does not fit {number_of(int(without.sum()), 'picture')}, such as "
            f"{files[without].iloc[0]}: each of these is on its own."
        )
    return groups
