"""Guesses what belongs together: columns whose values repeat, and what repeats in the names of pictures."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from lightning_imbal.data.look.group_pattern import groups_in
from lightning_imbal.wording import number_of

WORDS = "patient|person|subject|participant|case|lesion|slide|wsi|specimen|study|exam|series|video|individual|animal"
# The coarsest first: what keeps patients together keeps their lesions together.
RANK = {word: rank for rank, word in enumerate(WORDS.split("|"))}
COLUMN = re.compile(
    rf"(?:^|_)(?P<word>{WORDS}|group)s?(?:_?(?:instance)?_?(?:id|no|nr|num|number|code|key|name|uid|idx))?\Z"
)
NO_GROUP = re.compile(
    r"(?:^|_)(?:age|sex|gender|date|day|year|time|width|height|size|url|path|file|md5|hash|label|class|diagnosis)(?:_|\Z)"
)
ANY_CASE, IN_A_NAME = "(?i)", r"(?:^|/)"
TURNED = "aug|rot|flip|hflip|vflip|mirror|copy|bright|noise|blur|zoom"
COPY, COPY_OF = rf"[ _.-]+(?:{TURNED})", rf"(?:(?:{TURNED})[a-z0-9]*[ _.-]+)"
# What a group is, and how its pictures are named; the bracket is what they share.
PATTERNS = (
    ("patient", r"(?P<patient>(?:patient|person|subject|subj|sub|pat|participant)[ _-]?\d+)"),
    ("patient", rf"{IN_A_NAME}(?P<patient>[^/]+?)[ _.-](?:left|right|l|r|od|os)(?=(?:[ _.][^/]*)?$)"),
    ("case", r"(?P<case>(?:case|lesion|slide|study|exam|series|video|vid|seq)[ _-]?\d+)"),
    ("group", rf"{IN_A_NAME}([^/]+?)[ _.-](?:slice|frame|tile|patch|crop|view|z)[ _.-]?\d+[^/]*$"),
    ("original", rf"{IN_A_NAME}{COPY_OF}?(?P<original>[^/]+?)(?:{COPY}[^/]*?)?(?:\.\w+)?$"),
)
FEWEST = 5  # groups
SHARE, SHARE_OF_NUMBERS = 0.1, 0.5  # of the pictures have others in their group, at least
LARGEST, LARGEST_OF_NUMBERS = 0.34, 0.05  # share of the pictures that one group may have
SMALL = 10  # pictures, that a group may always have


@dataclass(frozen=True)
class Guess:
    """What may belong together.

    Args:
        option: What keeps it together, such as `group_column`, and its value.
        word: What a group may be, such as `patient`.
        groups: Group of every picture, missing where it has none.
    """

    option: tuple[str, str]
    word: str
    groups: pd.Series

    @property
    def number(self) -> int:
        """How many groups there are; a picture without one is not counted."""
        return int(self.groups.nunique())

    @property
    def images(self) -> int:
        """Pictures that share their group with another one."""
        return int(self.groups.duplicated(keep=False)[self.groups.notna()].sum())

    def said(self) -> str:
        """What was found, with numbers."""
        column = f"the column {self.option[1]!r} looks"
        source = {"group_column": column, "dicom_group": "headers look"}.get(self.option[0], "names look")
        groups = number_of(self.number, self.word)
        return f"{source} like {groups}: {self.images} of {len(self.groups)} images share one with others"

    def told(self) -> str:
        """The option that keeps them together."""
        return f"--data.{self.option[0]} {shlex.quote(self.option[1])}"


def guess_groups(files: pd.Series, labels: pd.Series, columns: pd.DataFrame | None = None) -> list[Guess]:
    """What may belong together, the likeliest first.

    Args:
        files: Path of every picture below the root.
        labels: Label of each.
        columns: What else a label file says of each, as text.
    """
    found = [] if columns is None else sorted(_in_columns(columns), key=lambda guess: RANK.get(guess.word, len(RANK)))
    return [*found, *_in_names(files, labels)]


def _in_columns(columns: pd.DataFrame) -> Iterator[Guess]:
    for column in columns:
        name = re.sub(r"[\W_]+", "_", str(column).strip()).strip("_")
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        if NO_GROUP.search(name):
            continue
        called = COLUMN.search(name)
        values = columns[column]
        limits = (SHARE, LARGEST) if called else (SHARE_OF_NUMBERS, LARGEST_OF_NUMBERS)
        if (called or _is_text(values)) and _plausible(values, *limits):
            yield Guess(("group_column", str(column)), called["word"] if called else name, values)


def _is_text(values: pd.Series) -> bool:
    return bool(pd.to_numeric(values, errors="coerce").isna()[values.notna()].mean() > 0.5)


def _in_names(files: pd.Series, labels: pd.Series) -> list[Guess]:
    """What names tell, the likeliest first; it may be joined with what the other names tell."""
    found = list(_of_one_kind(files, labels))
    if not found or not (left := found[0].groups.isna()).mean() > SHARE:
        return found
    first, others = found[0], list(_of_one_kind(files[left], labels[left]))
    if not others:
        return found
    pattern = f"{first.option[1]}|{re.sub('P<[a-z]+>', '', others[0].option[1].removeprefix(ANY_CASE))}"
    both = Guess(("group_pattern", pattern), first.word, groups_in(files, pattern))
    return [both, *found]


def _of_one_kind(files: pd.Series, labels: pd.Series) -> Iterator[Guess]:
    for word, core in PATTERNS:
        pattern = ANY_CASE + core
        if word == "original" and not files.str.contains(f"{ANY_CASE}{COPY}|/{COPY_OF}").any():
            continue
        groups = groups_in(files, pattern)
        if _plausible(groups, SHARE, LARGEST):
            yield Guess(("group_pattern", pattern), word, groups)
    yield from _in_folders(files, labels)
    yield from _in_numbers(files, labels)


def _in_folders(files: pd.Series, labels: pd.Series) -> Iterator[Guess]:
    """Folders between that of a class and the pictures, or above the class, that are numbered or many."""
    folders = files.str.split("/")
    depth = int(folders.str.len().min()) - 1
    for level in range(depth):
        names = folders.str[level]
        numbered = names.str.contains(r"\d").mean() > 0.5
        if numbered and not (names == labels).all() and _plausible(names, SHARE_OF_NUMBERS, LARGEST):
            before = rf"^(?:[^/]+/){{{level}}}" if level else "^"
            yield Guess(("group_pattern", rf"{before}([^/]+)/"), "group", names)


def _in_numbers(files: pd.Series, labels: pd.Series) -> Iterator[Guess]:
    """Names that begin alike up to a number, such as 8863_idx5_x51 and 8863_idx5_x101.

    A name of the class before the number does not count, as in CNV-1016042-1 and DME-1016042-2.
    """
    begin = groups_in(files, rf"{IN_A_NAME}([^/_-]+)[_-]").str.lower() == labels.str.lower()
    prefix = "[^/_-]+[_-]" if begin.mean() > SHARE_OF_NUMBERS else ""
    for parts in range(1, 6):
        further = rf"(?:[_-][^/_-]+){{{parts - 1}}}" if parts > 1 else ""
        pattern = rf"{IN_A_NAME}{prefix}([^/_-]+{further})[_-][^/]+$"
        groups = groups_in(files, pattern)
        numbered = groups.str.contains(r"\d", na=False)
        if numbered.mean() > SHARE_OF_NUMBERS and _plausible(groups, SHARE_OF_NUMBERS, LARGEST_OF_NUMBERS):
            yield Guess(("group_pattern", pattern), "group", groups)
            return


def _plausible(groups: pd.Series, share: float, largest: float) -> bool:
    """Whether enough pictures share their group, and none has nearly all."""
    sizes = groups.value_counts()
    if len(sizes) < FEWEST:
        return False
    shared = sizes[sizes > 1].sum() / len(groups)
    return bool(shared >= share and sizes.iloc[0] <= max(SMALL, largest * len(groups)))
