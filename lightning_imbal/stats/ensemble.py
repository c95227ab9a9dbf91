"""Several runs as one: the mean of their probabilities, of folds of a cross-validation all images together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lightning_imbal.errors import UserError
from lightning_imbal.runs.predictions import Predictions, mean_probability
from lightning_imbal.runs.reading import ATTRIBUTE
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.rounds import Round, rounds_of
from lightning_imbal.wording import fold_text, number_of

MEND = "give runs on the same test images, or all folds of one cross-validation"


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What several runs predict together.

    Args:
        members: The runs.
        rounds: The same, folds of one cross-validation together.
        predictions: Mean probabilities of every image; classes have as many training images as on average.
        split: As `Run.split` has it.
        validation: Mean probabilities of the validation images, if all runs have predicted the same ones.
    """

    members: Sequence[Run]
    rounds: Sequence[Sequence[Run]]
    predictions: Predictions
    split: pd.DataFrame
    validation: Predictions | None = None


def ensemble(runs: Sequence[Run]) -> Ensemble:
    """Takes the mean over runs on the same test images (seeds, methods); folds are put together.

    Of several cross-validations, each image's probabilities are averaged over those that tested it. Classes in another
    order are put into that of the first run, whose groups of classes and of images these are too.

    Raises:
        UserError: There are fewer than two runs, one has no predictions, or they do not fit together.
    """
    _check_runs(runs)
    found = {run: _predictions(run, runs[0]) for run in runs}
    check_labels(found)
    rounds = rounds_of(runs)
    if any(len(folds) > 1 for folds in rounds):
        for folds in rounds:
            _check_folds(folds, found)
    whole = [Round(tuple(found[run] for run in folds)).joined for folds in rounds]
    for folds, each in zip(rounds[1:], whole[1:], strict=True):
        _check_images((rounds[0][0], whole[0]), (folds[0], each))
    counts = np.mean([each.class_counts for each in found.values()], axis=0).round().astype(int)
    together = replace(averaged(whole), class_counts=tuple(counts.tolist()))
    return Ensemble(runs, rounds, together, _split(rounds, together), _validation(runs))


def averaged(several: Sequence[Predictions]) -> Predictions:
    """The mean of the probabilities that each image has in several predictions of the same images."""
    return replace(several[0], probability=mean_probability(several), decided=None)


def _check_runs(runs: Sequence[Run]) -> None:
    """Refuses what is too few, twice the same, or of another part."""
    places = [run.folder.resolve() for run in runs]
    if twice := [run.folder for run, place in zip(runs, places, strict=True) if places.count(place) > 1]:
        raise UserError(f"{twice[0]} is given twice: give each run once.")
    if len(runs) < 2:
        raise UserError("An ensemble is of two runs or more: give another RUN.")
    first = runs[0]
    for run in runs:
        if run.identity["part"] != first.identity["part"]:
            raise UserError(
                f"{run.folder} was evaluated on the {run.identity['part']} part, {first.folder} on the "
                f"{first.identity['part']} part: give runs on the same part."
            )
        if run.identity.get("pool") != first.identity.get("pool"):
            raise UserError(
                f"{run.folder} and {first.folder} were not pooled alike: test both with the same --pool, or without."
            )


def _validation(runs: Sequence[Run]) -> Predictions | None:
    """Mean probabilities of the validation images: folds have others each, and so have none together."""
    known = [(run, run.validation) for run in runs]
    first = known[0][1]
    if first is None or any(each is None or set(each.image) != set(first.image) for _, each in known):
        return None
    return averaged([ordered(each, run, runs[0]) for run, each in known if each is not None])


def _predictions(run: Run, first: Run) -> Predictions:
    """Those of a run, with the classes in the order of the first one."""
    if run.predictions is None:
        raise UserError(f"{run.folder} has no predictions.parquet, which an ensemble is made of: run `test` again.")
    return ordered(run.predictions, run, first)


def ordered(found: Predictions, run: Run, first: Run) -> Predictions:
    """Predictions of a run with the classes in the order of the first one.

    Raises:
        UserError: One of them has a class that the other has not.
    """
    names, order = run.class_names, first.class_names
    for here, there, known in ((run, first, order), (first, run, names)):
        if other := [name for name in here.class_names if name not in known]:
            raise UserError(
                f"{here.folder} has the class {other[0]!r}, which {there.folder} has not: give runs of the same "
                "classes."
            )
    place = np.array([names.index(name) for name in order])
    return replace(
        found,
        label=place.argsort()[found.label],
        probability=found.probability[:, place],
        class_names=tuple(order),
        class_counts=tuple(found.class_counts[each] for each in place),
    )


def check_labels(found: dict[Run, Predictions]) -> None:
    """Refuses an image of two classes.

    Raises:
        UserError: The message names the image, and the two runs.
    """
    runs = list(found)
    table = pd.concat(
        [
            pd.DataFrame({"image": each.image, "label": each.label, "run": row})
            for row, each in enumerate(found.values())
        ]
    )
    first = table.drop_duplicates("image").set_index("image")
    other = table[table["label"].to_numpy() != first["label"].reindex(table["image"]).to_numpy()]
    if len(other):
        row = other.iloc[0]
        label, run = first.loc[row["image"]]
        names = found[runs[0]].class_names
        raise UserError(
            f"{row['image']} is {names[label]} in {runs[run].folder} and {names[row['label']]} in "
            f"{runs[row['run']].folder}: give runs on the same labels."
        )


def _check_folds(folds: Sequence[Run], found: dict[Run, Predictions]) -> None:
    """Refuses a cross-validation that lacks a fold, and folds that are none."""
    splits = [run.identity["split"] for run in folds]
    there = {split.get("fold") for split in splits}
    if None in there:
        raise UserError(f"{folds[0].folder} is no fold of a cross-validation, as other runs are: {MEND}.")
    number = splits[0].get("folds") or max(there) + 1
    if missing := sorted(set(range(number)) - there):
        told = f"{fold_text(missing[0], number)} (--data.split.fold {missing[0]})"
        raise UserError(
            f"{told} is missing beside {', '.join(str(run.folder) for run in folds)}: train it too, "
            "for some of the folds are not the whole."
        )
    tested: dict[str, Run] = {}
    for run in folds:
        if both := [image for image in found[run].image if image in tested]:
            raise UserError(
                f"{run.folder} and {tested[both[0]].folder} have both tested {both[0]}, and "
                f"{number_of(len(both) - 1, 'more image')}, but are other folds: {MEND}."
            )
        tested |= dict.fromkeys(found[run].image, run)
    if (split := folds[0].split()) is not None:
        learned = split["image"][split["part"].isin(["train", "val"])]
        if untested := [image for image in learned if image not in tested]:
            raise UserError(
                f"No fold beside {folds[0].folder} has tested {untested[0]}, and {len(untested) - 1} more of its "
                "training images: give all folds."
            )


def _check_images(first: tuple[Run, Predictions], other: tuple[Run, Predictions]) -> None:
    """Refuses runs, or whole cross-validations, on other images."""
    missing, further = (
        sorted(set(one.image) - set(two.image)) for one, two in ((first[1], other[1]), (other[1], first[1]))
    )
    told = [
        f"{number_of(len(images), 'image')}, such as {images[0]}, only by {run.folder}"
        for images, run in ((missing, first[0]), (further, other[0]))
        if images
    ]
    if told:
        raise UserError(
            f"{first[0].folder} and {other[0].folder} were not tested on the same images ({'; '.join(told)}): {MEND}."
        )


def _split(rounds: Sequence[Sequence[Run]], predictions: Predictions) -> pd.DataFrame:
    """That of the first run which knows its own; of folds every image is tested."""
    part = rounds[0][0].identity["part"]
    for [run, *others] in rounds:
        split = None if others else run.split()
        if split is not None and set(predictions.image) <= set(split["image"][split["part"] == part]):
            return split
    names = np.array(predictions.class_names)[predictions.label]
    split = pd.DataFrame({"image": predictions.image, "class": names, "part": part})
    known = predictions.grouped
    if known.any():
        split = split.assign(group=np.where(known, predictions.unit, ""))
    return split.join(pd.DataFrame(predictions.attributes).add_prefix(ATTRIBUTE))
