"""Which of the user's own images are used, and what their classes are, with a sentence for whatever is left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from lightning_imbal.data.index.spellings import Written, as_labels, refuse_look_alikes
from lightning_imbal.data.look.companions import refuse_companions
from lightning_imbal.errors import UserError
from lightning_imbal.wording import did_you_mean, number_of


@dataclass(frozen=True)
class Selection:
    """What is used of the rows of a label file or of folders.

    Args:
        exclude: Patterns of pictures to leave out; an empty list keeps also those that look like masks.
        merge: Labels that make one class, by its name.
        classes: The classes to keep, in their order; None takes all, sorted.
        min_images: Classes of fewer images are left out.
    """

    exclude: Sequence[str] | None
    merge: Mapping[str, Sequence[Written]]
    classes: Sequence[Written] | None
    min_images: int

    def __call__(
        self, rows: pd.DataFrame, root: Path, source: Path, counted: str
    ) -> tuple[pd.DataFrame, tuple[str, ...], list[str]]:
        """Selects rows.

        Args:
            rows: `image`, `file` (its path below `root`) and `label` as text.
            root: Folder of the pictures.
            source: What has the labels, for messages.
            counted: What a row of it is, for messages.

        Returns:
            The rows with the names of their classes as `label`, the classes in their order, and sentences.

        Raises:
            UserError: Labels look alike, a class is not there, or a picture looks like the mask of another one.
        """
        said: list[str] = []
        if self.exclude:
            out = is_excluded(rows["file"], self.exclude)
            said.append(f"{number_of(int(out.sum()), 'picture')} left out by data.exclude={' '.join(self.exclude)}.")
            rows = rows[~out]
        if self.exclude is None or self.exclude:
            refuse_companions(rows, root)
        rows, merged = self._merged(rows, source, counted)
        counts = rows["label"].value_counts()
        known = self._known(counts.index, source)
        kept = [name for name in known if counts[name] >= self.min_images]
        if rare := [name for name in known if name not in kept]:
            said.append(f"Classes of fewer than {self.min_images} images are left out: {_sizes(rare, counts)}.")
        if unnamed := [name for name in in_order(counts.index) if name not in known]:
            said.append(f"Classes that data.classes does not name are left out: {_sizes(unnamed, counts)}.")
        return rows[rows["label"].isin(kept)], tuple(kept), [*merged, *said]

    def _merged(self, rows: pd.DataFrame, source: Path, counted: str) -> tuple[pd.DataFrame, list[str]]:
        labels = rows["label"].unique()
        merge = {name: as_labels(members, labels) for name, members in self.merge.items()}
        name_of: dict[str, str] = {}
        for name, members in merge.items():
            for label in members:
                if label not in labels:
                    raise _no_class(f"data.merge joins {label!r} to {name}", label, labels, source)
                if label in name_of:
                    raise UserError(f"data.merge puts {label!r} into {name_of[label]} and {name}: name it once.")
                name_of[label] = name
        chosen = as_labels(self.classes, labels) if self.classes is not None else []
        refuse_look_alikes(
            rows["label"],
            source,
            counted,
            "write it in one way, join them with data.merge='{NAME: [ONE, OTHER]}' or, if they are different "
            "classes, list all classes with data.classes=[...]",
            apart={*name_of, *chosen},
        )
        counts = rows["label"].value_counts()
        said = [f"{name} is {_sizes(members, counts)} together." for name, members in merge.items()]
        return rows.assign(label=rows["label"].replace(name_of)), said

    def _known(self, labels: pd.Index, source: Path) -> tuple[str, ...]:
        if self.classes is None:
            return in_order(labels)
        classes = as_labels(self.classes, labels)
        if twice := [name for name in classes if classes.count(name) > 1]:
            raise UserError(f"data.classes names {twice[0]!r} twice: name each class once.")
        if absent := [name for name in classes if name not in labels]:
            raise _no_class(f"data.classes names {absent[0]!r}", absent[0], labels, source)
        return tuple(classes)


def is_excluded(files: pd.Series, patterns: Iterable[str]) -> pd.Series:
    """Which of these paths below a root fit a pattern: its last part where that has no `/`, else all of it."""
    names = files.str.rpartition("/")[2]
    out = pd.Series(False, index=files.index)
    for pattern in patterns:
        places = "/" + files if "/" in pattern else names
        # With a `/` before both, `**/masks/*` fits also `masks/a.png`.
        whole = "/" + pattern.lstrip("/") if "/" in pattern else pattern
        out |= places.map(lambda place, whole=whole: fnmatchcase(place, whole) or fnmatchcase(place, whole[1:]))
    return out


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Labels that are numbers by size, others by the alphabet."""
    try:
        return tuple(sorted(names, key=float))
    except ValueError:
        return tuple(sorted(names))


def _sizes(names: Iterable[str], counts: pd.Series) -> str:
    return ", ".join(f"{name} ({counts[name]})" for name in names)


def _no_class(what: str, name: str, labels: Iterable[str], source: Path) -> UserError:
    hint = did_you_mean(name, labels) or f"there are {', '.join(in_order(labels))}."
    return UserError(f"{what}, which no image of {source} has: {hint}")
