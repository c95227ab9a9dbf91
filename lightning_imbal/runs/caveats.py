"""What speaks against the scores of a run, in sentences."""

from typing import Any

from lightning_imbal.runs.title import title_of
from lightning_imbal.runs.tuned import tuned_text


def caveats_of(results: dict[str, Any]) -> list[str]:
    """Sentences on why the scores of a run are better than those of new images would be, and what they are not of.

    As far as is known.
    """
    texts = trained_images_text(results), chosen_by_text(results), pool_text(results), tuned_text(results)
    return [*filter(None, texts), *data_remarks(results)]


def data_remarks(results: dict[str, Any]) -> list[str]:
    """Sentences about images and classes of the source that were left out of a run, or joined."""
    return [str(remark) for remark in results["identity"].get("data_remarks", [])]


def trained_images_text(results: dict[str, Any]) -> str:
    """A sentence if a run was evaluated on images that it was trained on; empty if not, as far as is known."""
    identity, images = results["identity"], sum(row["images"] for row in results["classes"])
    if not (trained := identity.get("trained_images")):
        return ""
    # Of pooled images, only the groups are counted.
    of = "" if identity.get("pool") else f"{images} "
    return (
        f"{title_of(identity)}: {trained} of the {of}{identity['part']} images were trained on, the scores say nothing "
        "of new images."
    )


def chosen_by_text(results: dict[str, Any]) -> str:
    """A sentence if an epoch, or anything else, was chosen by the images of a run; empty if not, as far as is known."""
    identity = results["identity"]
    if not (chosen := identity.get("chosen_by")):
        return ""
    listed = " and ".join(f"its {what} by {score}" for what, score in chosen.items())
    return (
        f"{title_of(identity)} has chosen {listed} on this very {identity['part']} part, so that the scores are too "
        "good; those of the test part are not."
    )


def pool_text(results: dict[str, Any]) -> str:
    """A sentence if the images of each group are put together in a run; empty if not."""
    identity = results["identity"]
    if not (pool := identity.get("pool")):
        return ""
    how = "the mean" if pool == "mean" else "the largest (scaled to a sum of one)"
    return (
        f"{title_of(identity)}: all images of a group (lesion, patient) count as one, with {how} of their "
        "probabilities."
    )


def answer_text(results: dict[str, Any]) -> str:
    """That a run took all images, of several classes, for one; empty if not."""
    confusion, names = results["confusion"], [row["name"] for row in results["classes"]]
    taken = [name for name, images in zip(names, zip(*confusion, strict=True), strict=True) if any(images)]
    return f'answers only "{taken[0]}"' if len(taken) == 1 and sum(map(any, confusion)) > 1 else ""
