"""What stored features depend on: the data, how pictures are prepared, the network; and what of it is another one."""

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

Facts = dict[str, Any]
TITLES = {  # of what must be the same, in the order in which it is told
    "data": "data set",
    "backbone": "backbone",
    "weights": "weights of the backbone",
    "probe": "answer of the backbone to a test pattern",
    "image_size": "image_size",
    "short_side": "short_side",
    "test_recipe": "test_transform",
    "train_recipe": "train_transform",
    "seed": "seed of the augmentation",
    "views": "number of augmented versions",
    "mean": "mean",
    "std": "std",
    "depth": "reading of deep pictures",
}
OF_AUGMENTATION = ("train_recipe", "seed", "views")
NEAR = 0.02  # relative: the same weights on another machine or in another precision
PICTURES = "pictures"  # by part, the digest of the sizes of their files
LONGEST = 40  # letters of a value in a sentence


def differences(before: Facts, now: Facts, augmented: bool) -> Iterator[str]:
    """What is another now, in words: `image_size 64, now 96`.

    Args:
        before: The facts of stored features.
        now: Those of who wants them, as far as they are known.
        augmented: Whether the augmentation counts: whoever only reads what is stored draws none.
    """
    for name, title in TITLES.items():
        if name not in now or (name in OF_AUGMENTATION and not augmented):
            continue
        if name == "backbone" and before.get("weights") == now.get("weights"):
            continue  # the same one by another name
        was, is_now = before.get(name), now[name]
        if is_near(was, is_now) if name == "probe" else json.dumps(was) == json.dumps(is_now):
            continue
        pair = [text if len(text := str(value)) <= LONGEST else "" for value in (was, is_now)]
        named = name not in ("weights", "probe") and all(pair)
        another = "other" if name == "weights" else "another"
        yield f"{title} {pair[0]}, now {pair[1]}" if named else f"{another} {title}"
    were, are = before.get(PICTURES, {}), now.get(PICTURES, {})
    if parts := [part for part in were if are.get(part) and were[part] != are[part]]:
        yield f"picture files of other sizes in {' and '.join(parts)}"


def sizes_digest(files: Iterable[str]) -> str:
    """SHA-256 of how many bytes files have: it shows most pictures that were changed, and opens none.

    It is empty if a file is absent, of which nothing can be said.
    """
    try:
        sizes = [Path(file).stat().st_size for file in files]
    except FileNotFoundError:
        return ""
    return sha256(str(sizes).encode()).hexdigest()


def is_near(before: Any, now: Any) -> bool:
    """Whether two lists of numbers are the same but for rounding."""
    if before is None or len(before) != len(now):
        return False
    apart = sum((a - b) ** 2 for a, b in zip(before, now, strict=True))
    return bool(apart <= NEAR**2 * sum(b**2 for b in before))


def about(facts: Mapping[str, Any]) -> Facts:
    """What results that were made of stored features say of them."""
    kept = ("backbone", "weights", "split", "image_size", "views", "precision", "finished")
    return {name: facts[name] for name in kept if name in facts}
