"""Which labels are suspicious: what networks that have not seen an image say against its label.

Northcutt, Jiang and Chuang 2021, Confident Learning: Estimating Uncertainty in Dataset Labels (JAIR 70), by cleanlab.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lightning_imbal.decisions.base import Labelled
from lightning_imbal.decisions.temperature import LEAST, bias_corrected_temperature
from lightning_imbal.errors import UserError
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.held_out import HeldOut
from lightning_imbal.wording import number_of

FEW = 10  # images of a class, of which a network learns little
OTHER_SHARE = 1.5  # how much larger or smaller a mean probability is than the share of the labels, where it is told
MISSING = "`labels` needs cleanlab: pip install 'lightning_imbal[labels]'."
NO_PROOF = (
    "Suspicion is no proof: look at the pictures before you change a label. Networks also suspect what they cannot "
    "tell apart, and never what is labelled wrongly throughout."
)


@dataclass(frozen=True, eq=False)
class Suspicions:
    """The labels of all images that were looked at, the most suspicious first.

    Args:
        table: `image`, `label`, `suggested` (the likeliest other class), `probability_label`, `probability_suggested`,
            `odds` (how many times likelier the suggested class is), `rank` (1 is the most suspicious), `rank_in_class`,
            `suspicious` (the first of a class, as many as cleanlab counts issues of it) and, where lesions or patients
            are known, `group`.
        classes: In label order, without classes that were not looked at: `class`, `images` (looked at), `all_images`
            (-1 if not known), `recognised` (for how many the networks answer the label), `suspicious`, and `taken_for`,
            what these are taken for most often.
        notes: Sentences on what must be known of both.
    """

    table: pd.DataFrame
    classes: pd.DataFrame
    notes: tuple[str, ...]


def suspicions(held: HeldOut, ordered: bool = False) -> Suspicions:
    """Ranks labels by how many times likelier another class is, and tells how many are suspicious.

    Networks trained with weights, resampling or margins have probabilities of other class frequencies than those of the
    labels, and would suspect whole classes. A temperature and a bias of each class are therefore fitted to the labels
    first, so that the mean probability of a class is its share.

    Args:
        held: What networks say that have not seen the images.
        ordered: Whether the classes have an order, as grades do.

    Raises:
        UserError: cleanlab is not installed, or all images are of one class.
    """
    images = _of_present_classes(held.images)
    calibrated = bias_corrected_temperature(images).calibrated(images.probability)
    table = _table(held.images, images, calibrated)
    classes = _classes(held, images, table)
    told = (*held.notes, *_other_shares(images), *_notes(held.images, table, classes, ordered), NO_PROOF)
    return Suspicions(table, classes, told)


def _of_present_classes(images: Predictions) -> Labelled:
    """The images without the classes of which there is none; the probabilities of the others sum to one."""
    place = np.unique(images.label)
    names = tuple(images.class_names[c] for c in place)
    if len(place) < 2:
        raise UserError(f"All images that were looked at are of the class {names[0]!r}: there is nothing to compare.")
    probability = images.probability[:, place].clip(np.finfo(np.float64).tiny)
    counts = tuple(images.class_counts[c] for c in place)
    label = np.searchsorted(place, images.label)
    return Labelled(probability / probability.sum(axis=1, keepdims=True), label, images.unit, names, counts)


def _table(images: Predictions, of: Labelled, probability: np.ndarray) -> pd.DataFrame:
    """See `Suspicions.table`; of equal ones, the first of the file is the first."""
    rows, names = np.arange(len(of.label)), np.array(of.class_names, dtype=object)
    others = probability.copy()
    others[rows, of.label] = -1
    suggested = others.argmax(axis=1)
    table = pd.DataFrame(
        {
            "image": images.image,
            "label": names[of.label],
            "suggested": names[suggested],
            "probability_label": probability[rows, of.label],
            "probability_suggested": probability[rows, suggested],
        }
    )
    table["odds"] = table["probability_suggested"] / table["probability_label"].clip(LEAST)
    group = np.where(images.grouped, images.unit, "")
    table = table.assign(group=group) if images.grouped.any() else table
    table = table.sort_values("odds", ascending=False, kind="stable", ignore_index=True)
    table.insert(6, "rank", np.arange(1, len(table) + 1))
    table.insert(7, "rank_in_class", table.groupby("label").cumcount() + 1)
    issues = dict(zip(of.class_names, _issues(of.label, probability), strict=True))
    table.insert(8, "suspicious", table["rank_in_class"] <= table["label"].map(issues))
    return table


def _issues(label: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """How many issues of each class, (C,), cleanlab finds both by the class and by the rate of noise."""
    try:
        from cleanlab.filter import find_label_issues
    except ImportError as error:
        raise UserError(MISSING) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes with a single image, which are told
        found = find_label_issues(label, probability, filter_by="both", n_jobs=1)
    return np.bincount(label[found], minlength=probability.shape[1])


def _classes(held: HeldOut, images: Labelled, table: pd.DataFrame) -> pd.DataFrame:
    """See `Suspicions.classes`."""
    by_class = table.groupby("label")
    taken = table[table["suspicious"]].groupby("label")["suggested"].agg(lambda names: names.mode().iloc[0])
    right = images.probability.argmax(axis=1) == images.label
    known = held.all_images
    every = {name: -1 if known is None else int(known[c]) for c, name in enumerate(held.images.class_names)}
    found = pd.DataFrame({"class": images.class_names})
    found["images"] = found["class"].map(by_class.size())
    found["all_images"] = found["class"].map(every)
    found["recognised"] = np.bincount(images.label[right], minlength=len(found))
    found["suspicious"] = found["class"].map(by_class["suspicious"].sum())
    found["taken_for"] = found["class"].map(taken).fillna("")
    return found


def _other_shares(images: Labelled) -> Iterator[str]:
    """That the networks believe in other class frequencies than the labels have, which is mended before the ranking."""
    ratio = images.probability.mean(axis=0) / (np.bincount(images.label) / len(images.label))
    c = int(np.abs(np.log(ratio)).argmax())
    if not 1 / OTHER_SHARE < ratio[c] < OTHER_SHARE:
        yield (
            f"The mean probability of {images.class_names[c]} is {ratio[c]:.2g} times its share of the labels, as "
            "class weights, samplers and margins make it, or many wrong labels: the probabilities here are fitted to "
            "the labels."
        )


def _notes(images: Predictions, table: pd.DataFrame, classes: pd.DataFrame, ordered: bool) -> Iterator[str]:
    """What limits the list, and what the labels alone tell."""
    suspicious, likeliest = table[table["suspicious"]], (table["odds"] < 1).mean()
    yield (
        f"The label is the likeliest class of {likeliest:.0%} of the images: the rest is wrong labels and mistakes of "
        "the networks, which no list can tell apart."
    )
    if absent := [name for name in images.class_names if name not in set(classes["class"])]:
        yield f"No image of {', '.join(absent)} was looked at, and none is suggested to be."
    if len(few := classes[classes["images"] < FEW]):
        named = ", ".join(f"{row['class']} ({row['images']})" for _, row in few.iterrows())
        yield f"Of so few images a network learns too little to judge their labels: {named}."
    if len(lost := classes[(classes["recognised"] == 0) & (classes["images"] >= FEW)]):
        yield (
            f"The networks recognise no image of {', '.join(lost['class'])}: what is said of these labels says more "
            "of the networks."
        )
    if ordered and len(suspicious):
        grade = {name: place for place, name in enumerate(images.class_names)}
        near = (suspicious["label"].map(grade) - suspicious["suggested"].map(grade)).abs() == 1
        yield (
            f"{near.sum()} of {number_of(len(suspicious), 'suspicious label')} "
            f"{'is' if near.sum() == 1 else 'are'} one grade off, where borderline images are more frequent than wrong "
            "labels."
        )
    if "group" in table:
        known = table[table["group"] != ""]
        several = known.groupby("group", sort=False)["label"].nunique()
        if len(several := several[several > 1]):
            have = "has" if len(several) == 1 else "have"
            yield (
                f"{number_of(len(several), 'group')} (such as {several.index[0]}) {have} images of several classes: if "
                "a group is one lesion, one of its labels is wrong."
            )
