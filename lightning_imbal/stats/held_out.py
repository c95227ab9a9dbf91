"""What networks say of images that they were not trained on, of several runs together: each image once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lightning_imbal.errors import UserError
from lightning_imbal.runs.caveats import data_remarks
from lightning_imbal.runs.predictions import Predictions, mean_probability
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.caveats import in_trained_groups
from lightning_imbal.stats.ensemble import check_labels, ordered
from lightning_imbal.stats.rounds import Round
from lightning_imbal.wording import number_of

FOLDS = "all folds of a cross-validation look at every image: `compare --folds 5`, or `fit` with each fold of KFold"
SAME = "give runs on the same images and label file"


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What networks say of images that they were not trained on.

    Args:
        images: Each image once, with the mean of its probabilities over the networks that have not seen it.
        all_images: How many images of each class there are in all parts, (C,); None if no run has kept its split.
        notes: Sentences on where the probabilities are from, and what that limits.
    """

    images: Predictions
    all_images: np.ndarray | None
    notes: tuple[str, ...]


def held_out(runs: Sequence[Run]) -> HeldOut:
    """Puts together what runs have predicted of images that they were not trained on.

    Of the runs that have tested an image, such as seeds of a fold, the mean is taken. An image that none has tested is
    taken from the validation parts, as far as these were predicted.

    Raises:
        UserError: A run has no predictions, or was pooled; or the runs have other classes, images or labels; or they
            were trained on all that they have predicted.
    """
    _check_places(runs)
    tested = {run: _unseen(run, _predictions(run), run.identity["part"], runs[0]) for run in runs}
    validated = {run: _unseen(run, run.validation, "val", runs[0]) for run in runs if run.validation is not None}
    splits = {run: split for run in runs if (split := _split_of(run)) is not None}
    _check_splits(splits)
    check_labels(tested)
    if validated:
        check_labels(validated)
    known = [*{image for each in tested.values() for image in each.image}]
    only_validated = [each.only(~np.isin(each.image, known)) for each in validated.values()]
    parts = [each for each in (*tested.values(), *only_validated) if len(each.image)]
    if not parts:
        raise UserError(f"{runs[0].folder} was trained on all images that it has predicted: give a test on others.")
    joined = Round(tuple(parts)).joined
    once = joined.only(~pd.Index(joined.image).duplicated())
    images = replace(once, probability=mean_probability(parts), decided=None)
    split = next(iter(splits.values()), None)
    all_images = None if split is None else split["class"].value_counts().reindex(images.class_names, fill_value=0)
    notes = (*_coverage(images, split, len(np.setdiff1d(images.image, known))), *_limits(runs, splits, tested))
    return HeldOut(images, None if all_images is None else all_images.to_numpy(), notes)


def _check_places(runs: Sequence[Run]) -> None:
    places = [run.folder.resolve() for run in runs]
    if twice := [run.folder for run, place in zip(runs, places, strict=True) if places.count(place) > 1]:
        raise UserError(f"{twice[0]} is given twice: give each run once.")


def _predictions(run: Run) -> Predictions:
    if run.identity.get("pool"):
        raise UserError(f"{run.folder} has put images together (--pool), but labels are of images: test without it.")
    if run.predictions is None:
        raise UserError(f"{run.folder} has no predictions.parquet, which labels are judged by: run `test` again.")
    return run.predictions


def _unseen(run: Run, found: Predictions, part: str, first: Run) -> Predictions:
    """Predictions of a run without images that its stages have learned from; of the test part, also been chosen by.

    The classes are in the order of the first run.
    """
    if not np.isfinite(found.probability).all():
        number = int((~np.isfinite(found.probability)).any(axis=1).sum())
        raise UserError(
            f"{run.folder} has no probabilities for {number_of(number, 'image')} (NaN): its training has diverged, "
            "leave it out or train it again."
        )
    splits = [split for stage in run.stages if (split := stage.split()) is not None]
    learned = {image for split in splits for image in split["image"][split["part"].isin({"train", "val"} - {part})]}
    seen = np.isin(found.image, [*learned])
    if part == run.identity["part"] and (run.identity.get("trained_images") or 0) > seen.sum():
        raise UserError(
            f"{run.folder} was trained on {run.identity['trained_images']} of its {part} images, and which ones is not "
            "known: give runs that were not."
        )
    return ordered(found.only(~seen), run, first)


def _split_of(run: Run) -> pd.DataFrame | None:
    """The split of a run, if it is that of the images that it has tested."""
    split = run.split()
    return split if split is not None and set(_predictions(run).image) <= set(split["image"]) else None


def _check_splits(splits: Mapping[Run, pd.DataFrame]) -> None:
    """Refuses runs on other images, or on another label file, also where none has tested what differs."""
    labels = {run: split.drop_duplicates("image").set_index("image")["class"] for run, split in splits.items()}
    if not labels:
        return
    (first, known), *others = labels.items()
    for run, label in others:
        if len(differ := known.index.symmetric_difference(label.index)):
            raise UserError(
                f"{first.folder} and {run.folder} are not of the same images ({number_of(len(differ), 'image')} in one "
                f"alone, such as {differ[0]}): {SAME}."
            )
        now = label.reindex(known.index)
        if len(changed := known.index[known != now]):
            raise UserError(
                f"{changed[0]} is {known[changed[0]]} in {first.folder} and {now[changed[0]]} in {run.folder}, and "
                f"{number_of(len(changed) - 1, 'more image')} {'is' if len(changed) == 2 else 'are'} of another class: "
                f"{SAME}."
            )


def _coverage(images: Predictions, split: pd.DataFrame | None, validated: int) -> Iterator[str]:
    """Which share of the images was looked at, and how to look at the others."""
    number = len(images.image)
    of_validation = f", {validated:,} of them in a validation part, which has chosen the epoch" if validated else ""
    if split is None:
        yield f"Looked at {number_of(number, 'image')}{of_validation}; how many there are is not known (no split.csv)."
        return
    rest = split["image"].nunique() - number
    share = f"{number:,} of {number + rest:,} images ({number / (number + rest):.0%}){of_validation}"
    yield f"Looked at {share}, each by networks that were not trained on it."
    if rest:
        yield f"Nothing is said of the other {rest:,}, which were trained on; {FOLDS}."


def _limits(
    runs: Sequence[Run], splits: Mapping[Run, pd.DataFrame], tested: Mapping[Run, Predictions]
) -> Iterator[str]:
    """What speaks against the probabilities of some runs."""
    if unknown := [str(run.folder) for run in runs if run not in splits]:
        yield f"Not verified, for there is no split.csv of it: that {unknown[0]} was not trained on these images." + (
            f" So too of {number_of(len(unknown) - 1, 'other run')}." if len(unknown) > 1 else ""
        )
    of_ensembles = [run.results for run in runs if run.identity.get("members")]  # whose members' splits are not here
    yield from dict.fromkeys(remark for results in of_ensembles for remark in data_remarks(results))
    left_out = {run: len(_predictions(run).image) - len(each.image) for run, each in tested.items()}
    if total := sum(left_out.values()):
        yield f"Left out: {number_of(total, 'prediction')} of images that the network had learned from."
    for run, split in splits.items():
        label = pd.Series(np.array(tested[run].class_names)[tested[run].label], index=tested[run].image)
        before = split.drop_duplicates("image").set_index("image")["class"].reindex(label.index)
        if changed := int((label != before).sum()):
            yield (
                f"{run.folder} was tested with other labels than it was trained with ({number_of(changed, 'image')}): "
                "those of the test are looked at."
            )
    if shared := sum(in_trained_groups(split, run.identity["part"]) for run, split in splits.items()):
        yield (
            f"{number_of(shared, 'test image')} {'is' if shared == 1 else 'are'} of a group (lesion, patient) that "
            "was also trained on: a wrong label that its images share is not seen there."
        )
    elif splits and not any("group" in split for split in splits.values()):
        yield (
            "No group (lesion, patient) of the images is known: a wrong label that several images of one share is not "
            "seen if some of them were trained on."
        )
