"""Finds what leaks between the parts of a split: shared groups, ids, files and photographs."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from lightning_imbal.data.audit.duplicates import inspect_pictures
from lightning_imbal.data.audit.lists import COLUMNS
from lightning_imbal.data.sample_table import count_images
from lightning_imbal.data.splits.base import PARTS
from lightning_imbal.data.splits.groups import torn_groups

PAIRS = [(second, first) for first, second in combinations(PARTS, 2)]


def audit(
    table: pd.DataFrame,
    class_names: Sequence[str] | None = None,
    group_name: str | None = None,
    distance: int | None = None,
    progress: bool = True,
    mirrored: bool = False,
    cache_dir: str | None = None,
    suspected: dict[str, Any] | None = None,
    depths: Sequence[str] = (),
) -> dict[str, Any]:
    """Looks for everything that two parts of a split share, and for classes that a part lacks.

    Args:
        table: One row per image: `image` and `part` (rows of no part are left out); if known, `class`, `group`, `path`.
        class_names: The classes in the order in which they are reported; None takes those of the table, sorted.
        group_name: What a group is, such as `lesion`; None takes `table.attrs["group_name"]`, else `group`.
        distance: Largest number of the 256 bits in which the perceptual hashes of near-duplicates differ; None takes
            what suits the data set.
        progress: Whether progress bars are shown.
        mirrored: Whether mirrored and turned copies are found as well.
        cache_dir: Folder that keeps what pictures look like for the next time; None keeps nothing.
        suspected: What `suspected_groups` says, where no group is known.
        depths: Sentences on pictures of more than 8 bits.

    Returns:
        The report, plain enough for JSON: `leaks`, `parts`, `groups` (None if no group is known; then
        `suspected_groups` may be), `same_id`,
        `missing_classes`, `single_image_classes`, `unknown_labels`, `depths`, and what `inspect_pictures` finds.
    """
    name = group_name or table.attrs.get("group_name", "group")
    table = table[table["part"].isin(PARTS)].reindex(columns=COLUMNS)
    table = table.apply(lambda column: column.map(str, na_action="ignore"))
    labels = set(table["class"].dropna())
    known = list(class_names) if class_names is not None else sorted(labels)
    order = known + sorted(labels - set(known))
    parts = {part: table[table["part"] == part] for part in PARTS if (table["part"] == part).any()}
    sizes = {part: _count(rows["class"], order) for part, rows in parts.items()}
    report = {
        "group_name": name,
        "parts": {
            part: {"images": len(rows), "classes": {c: n for c, n in sizes[part].items() if n}}
            for part, rows in parts.items()
        },
        "groups": _shared_groups(parts, order) if table["group"].notna().any() else None,
        "suspected_groups": suspected,
        "same_id": _repeated(table),
        "missing_classes": _classes_of(0, sizes, known),
        "single_image_classes": _classes_of(1, sizes, known),
        "depths": list(depths),
        "unknown_labels": _count(table["class"], [label for label in order if label not in known]),
    }
    report |= inspect_pictures(table, distance, mirrored, cache_dir, progress)
    return report | {"leaks": _leaks(report)}


def _leaks(report: dict[str, Any]) -> bool:
    """Whether two parts share a group, an id, a file or a photograph."""
    shared = report["groups"] or {}
    return bool(
        any(pair["images"] for key, pair in shared.items() if key != "unknown")
        or any(len(set(entry["parts"])) > 1 for entry in report["same_id"])
        or (report["identical_files"] or {}).get("across_parts")
        or report["near_duplicates"]
    )


def _count(labels: pd.Series, order: Sequence[str]) -> dict[str, int]:
    """Images of every class from their classes by name; one of another class, or of none, is not counted."""
    number = pd.Index(order, dtype=object).get_indexer(labels)
    return count_images(number[number >= 0], order)


def _classes_of(images: int, sizes: dict[str, dict[str, int]], known: Sequence[str]) -> dict[str, list[str]]:
    """The classes that have so many images in a part; of a part without any class, none is named."""
    labelled = {part: size if any(size.values()) else {} for part, size in sizes.items()}
    return {part: [name for name in known if size.get(name) == images] for part, size in labelled.items()}


def _shared_groups(parts: dict[str, pd.DataFrame], order: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for first, second in PAIRS:
        if first in parts and second in parts:
            rows, both = parts[first], pd.concat([parts[first], parts[second]])
            torn = torn_groups(both["part"], both["group"].to_numpy())
            shared = rows[rows["group"].isin(torn)]
            images, of = _count(shared["class"], order), _count(rows["class"], order)
            found[f"{first}_vs_{second}"] = {
                "images": len(shared),
                "of": len(rows),
                "per_class": {label: {"images": images[label], "of": of[label]} for label in order if of[label]},
                "groups": len(torn),
            }
    return found | {"unknown": int(sum(rows["group"].isna().sum() for rows in parts.values()))}


def _repeated(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table[table["image"].duplicated(keep=False)]
    return [
        {"image": str(image), "parts": parts.tolist()} for image, parts in rows.groupby("image", sort=False)["part"]
    ]
