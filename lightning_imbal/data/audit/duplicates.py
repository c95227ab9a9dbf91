"""Finds pictures that are the same file, or show the same photograph, in different parts of a split."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lightning_imbal.data.copies.find import Candidates, find_candidates, look_at_files, read_small, same_content
from lightning_imbal.data.copies.look import Look
from lightning_imbal.data.copies.store import store_of
from lightning_imbal.data.splits.base import PARTS
from lightning_imbal.data.splits.groups import torn_groups

MAX_LISTED = 10_000
UNKNOWN = (
    *("identical_files", "near_duplicates", "near_duplicate_pairs", "rejected_pairs", "unlooked_pairs", "likeness"),
    *("flat_images", "images", "absent_files"),
)


def inspect_pictures(
    table: pd.DataFrame,
    distance: int | None = None,
    mirrored: bool = False,
    cache_dir: str | Path | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Compares the pictures of an audit table.

    Args:
        table: Columns `image`, `part`, `class`, `group` and `path`.
        distance: Largest number of the 256 bits in which the hashes of near-duplicates differ; None takes what suits
            the data set, see `usual_distance`.
        mirrored: Whether mirrored and turned copies are found as well.
        cache_dir: Folder that keeps what pictures look like; None reads every picture.
        progress: Whether progress bars are shown.

    Returns:
        `identical_files`, `near_duplicates` (the likest `MAX_LISTED`), `near_duplicate_pairs` (number of all),
        `rejected_pairs` (number of those whose hashes are near, but not their pixels), `unlooked_pairs` (number of
        those in all parts that were too many to be looked at), `likeness` (from which a pair is confirmed),
        `flat_images` (number left out of that search, for they show nothing), `images` and `absent_files`, all None if
        no path is known; `distance`, `mirrored` and `unreadable`.
    """
    absent = int(table["path"].isna().sum())
    table = table[table["path"].notna()].reset_index(drop=True)
    if table.empty:
        return dict.fromkeys(UNKNOWN) | {"distance": distance, "mirrored": mirrored, "unreadable": []}
    file, unique = pd.factorize(table["path"])
    paths = unique.tolist()
    store = store_of(paths, cache_dir)
    looks = look_at_files(paths, store, progress)
    found = find_candidates(looks, read_small(paths), store, distance, mirrored, progress)
    content = same_content(looks)[file]
    bad = table["image"][[looks[i].cause is not None for i in file]]
    return {
        "identical_files": _identical(table, file, content),
        **_across_parts(table, content, same_content(looks), found),
        "unlooked_pairs": found.total - len(found.pairs),
        "likeness": round(found.threshold, 3),
        "distance": found.distance,
        "mirrored": mirrored,
        "flat_images": sum(look.hashes is None and look.cause is None for look in looks),
        "unreadable": [{"image": image, "cause": looks[file[row]].cause} for row, image in bad.items()],
        "images": _formats(looks),
        "absent_files": absent,
    }


def _across_parts(
    table: pd.DataFrame, content: np.ndarray, content_of_file: np.ndarray, found: Candidates
) -> dict[str, Any]:
    """Pairs in different parts and not in the same group, the first in the later part."""
    rows = pd.DataFrame({"content": content, "row": np.arange(len(table))})
    pairs = pd.DataFrame(content_of_file[found.pairs[:, :2]], columns=["one", "other"])
    pairs = pairs.assign(bits=found.pairs[:, 2], turn=found.pairs[:, 3], likeness=found.likeness)
    pairs["confirmed"] = found.confirmed
    for name in ("one", "other"):
        pairs = pairs.merge(rows.rename(columns={"content": name, "row": f"row_{name}"}), on=name)
    part, group = table["part"].map(PARTS.index).to_numpy(), pd.factorize(table["group"])[0]
    first, second = pairs["row_one"].to_numpy(), pairs["row_other"].to_numpy()
    later = part[first] > part[second]
    pairs["first"], pairs["second"] = np.where(later, first, second), np.where(later, second, first)
    apart = (group[first] != group[second]) | (group[first] < 0)
    pairs = pairs[(part[first] != part[second]) & apart]
    near = pairs[pairs["confirmed"]].sort_values(["likeness", "bits"], ascending=[False, True], kind="stable")
    who = table[["image", "part", "class"]].astype(object)
    who = who.where(who.notna(), None).to_dict("records")
    return {
        "near_duplicates": [
            {
                "distance": pair.bits,
                "likeness": round(pair.likeness, 3),
                "turned": bool(pair.turn),
                "first": who[pair.first],
                "second": who[pair.second],
            }
            for pair in near[:MAX_LISTED].itertuples()
        ],
        "near_duplicate_pairs": len(near),
        "rejected_pairs": len(pairs) - len(near),
    }


def _identical(table: pd.DataFrame, file: np.ndarray, content: np.ndarray) -> dict[str, Any]:
    rows = table[["image", "part"]].assign(file=file, content=content).groupby("content")
    copied = rows["file"].transform("nunique") > 1
    across = copied & np.isin(content, torn_groups(table["part"], content))
    found = table[["image", "part"]][across].groupby(content[across])
    return {
        "across_parts": [group.to_dict("records") for _, group in found],
        "within_parts": int(np.unique(content[copied & ~across]).size),
    }


def _formats(looks: Sequence[Look]) -> dict[str, Any]:
    sizes = pd.Series([look.size for look in looks], dtype=object).value_counts()
    modes = pd.Series([look.mode for look in looks], dtype=object).value_counts()
    other = int(sizes[20:].sum())
    counts = {"sizes": sizes[:20].to_dict() | ({"other": other} if other else {}), "modes": modes.to_dict()}
    return {name: {key: int(number) for key, number in count.items()} for name, count in counts.items()}
