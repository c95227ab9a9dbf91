"""What limits the numbers of finished runs: classes with few test images, groups that were also trained on."""

from collections.abc import Iterator

import pandas as pd

from lightning_imbal.runs.caveats import caveats_of
from lightning_imbal.stats.analysis import test_counts
from lightning_imbal.stats.results import Results
from lightning_imbal.wording import number_of

FEW_IMAGES = 10
MAX_NAMED = 5


def limits_of(results: Results) -> list[str]:
    """Sentences about the finished runs of a table with one column; the split is that of the first."""
    [rows] = results.runs.values()
    runs = [run for of_row in rows.values() for run in of_row]
    split = runs[0].split()
    shared = [] if split is None else shared_groups(split, runs[0].identity["part"])
    optimistic = [sentence for run in runs for sentence in caveats_of(run.results)]
    return [
        *dict.fromkeys(optimistic),
        *shared,
        *few_test_images(test_counts([of_row for of_row in rows.values() if of_row])),
    ]


def few_test_images(counts: dict[str, int]) -> Iterator[str]:
    """Names the classes with fewer than 10 test images, if there are any.

    Args:
        counts: Test images of every class.
    """
    few = [
        f"{name} ({number_of(images, 'image')}, one more or less moves it by about {1 / max(images, 1):.2f})"
        for name, images in counts.items()
        if images < FEW_IMAGES
    ]
    if few:
        more = f" and {len(few) - MAX_NAMED} more" if len(few) > MAX_NAMED else ""
        yield f"Too few test images for an F1 that means much: {', '.join(few[:MAX_NAMED])}{more}."


def in_trained_groups(split: pd.DataFrame, part: str) -> int:
    """How many of the images that were evaluated are of a known group that was also trained on; `split` as below."""
    if "group" not in split:
        return 0
    learned = split["group"][split["part"].isin({"train", "val"} - {part})]
    return int(split["group"][split["part"] == part].isin(set(learned) - {""}).sum())


def shared_groups(split: pd.DataFrame, part: str) -> Iterator[str]:
    """What is known of lesions and patients on both sides of a split.

    Args:
        split: `part` and, where known, `group` of every image, as text.
        part: That was evaluated.
    """
    known = split[split["group"] != ""] if "group" in split else split[:0]
    if known.empty:
        yield (
            "No group (lesion, patient) of the images is known: it was split image by image, and the scores are "
            "too good if images of one patient are on both sides."
        )
        return
    tested = split[split["part"] == part]
    shared, unknown = in_trained_groups(split, part), (tested["group"] == "").sum()
    # Of all folds of a cross-validation together, every image was tested.
    if len(tested) < len(split):
        yield (
            f"{shared:,} of {len(tested):,} {part} images are of a group (lesion, patient) that was also trained on"
            + (": the scores may be too good." if shared else ".")
        )
    if unknown:
        yield f"Of {unknown:,} {part} images no group is known."
