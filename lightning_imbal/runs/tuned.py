"""How the settings of a run were searched, and which of its images the search has seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_imbal.runs.stage import read_split
from lightning_imbal.runs.title import title_of
from lightning_imbal.wording import number_of

if TYPE_CHECKING:
    import pandas as pd

SEEN = ["train", "val"]


def images_digest(split: "pd.DataFrame") -> str:
    """A digest of the images that are trained on and validated on, with their classes, groups and parts.

    Args:
        split: As `Stage.split` reads it.
    """
    from lightning_imbal.runs.identity import split_digest  # which needs pandas

    return split_digest(split[split["part"].isin(SEEN)])


def seen_in_search(tuned: dict[str, Any], split: "pd.DataFrame", data: str) -> dict[str, Any]:
    """What a search has to do with the images of a run: `other` if they are others, and how many it has `seen`.

    Args:
        tuned: How the settings were searched, as `best.yaml` says it.
        split: That of the run, as `Stage.split` reads it.
        data: What the data of the run are called.

    Returns:
        Nothing if it has trained and validated on the same images. Else `other`, and of the same data how many of the
        test images the search has `seen`, also by another image of the same group, unless its folder is gone.
    """
    if tuned.get("images") == images_digest(split):
        return {}
    if tuned.get("data") != data:
        return {"other": True}
    folder = Path(str(tuned.get("folder", "")))
    searched = read_split(folder / "split.csv", folder)
    if searched is None:
        return {"other": True}
    searched = searched[searched["part"].isin(SEEN)]
    test = split[split["part"] == "test"]
    seen = test["image"].isin(searched["image"])
    if "group" in test and "group" in searched:
        seen |= test["group"].isin(set(searched["group"]) - {""})
    return {"other": True, "seen": int(seen.sum())}


def told_of(tuned: dict[str, Any]) -> str:
    """What is said of a search before anything is trained, if it was on other images; else empty."""
    if not tuned.get("other"):
        return ""
    said = f"The settings were tuned on other images than these ({tuned.get('data')}, {tuned.get('folder')}): "
    if tuned.get("seen"):
        return f"{said}{seen_text(tuned['seen'])}, so that the scores will be too good. Tune on this split."
    return f"{said}whether they suit these is not known."


def tuned_text(results: dict[str, Any]) -> str:
    """A sentence on how the settings of a run were searched; empty if they were not, as far as is known."""
    said = tuned_words(results["identity"])
    return f"{title_of(results['identity'])}: {said}" if said else ""


def tuned_words(identity: dict[str, Any]) -> str:
    """The same without the name of the run."""
    if not (tuned := identity.get("tuned")):
        return ""
    settings = ", ".join(f"{name}={values}" for name, values in (tuned.get("search") or {}).items())
    said = (
        f"tuned by {tuned.get('score')} in {number_of(int(tuned.get('trials', 0)), 'trial')} of "
        f"{settings} (seed {tuned.get('seed')}), without the test part"
    )
    if seen := tuned.get("seen"):
        return f"{said}; but {seen_text(seen)}, so that the scores are too good."
    return f"{said}, but on other images." if tuned.get("other") else f"{said}."


def seen_text(seen: int) -> str:
    """How many test images a search has seen."""
    return f"it has seen {number_of(seen, 'test image')} of this run, or others of their groups"
