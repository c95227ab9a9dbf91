"""How many of 5 % flipped labels are found by looking at as many of the most suspicious.

python tests/benchmarks/labels.py [--repeats 8] [--share 0.05] [--lesions 2400] [--side 96] [--data DIR]

Labels are flipped lesion by lesion, to any other class alike or to others as often as they are. Then five-fold
cross-validated logistic regression on digits (made long-tailed), and on features of dermatoscopic images by a frozen
mobilenetv2_100 (ISIC 2018 and the weights are looked for in DIR, LIGHTNING_IMBAL_DATA or ../shared/data), gives
probabilities, of which the labels are ranked: as `lightning_imbal labels` does, without what it fits first, and by
other scores of cleanlab. Intervals are of 95 % over the repeats, which flip and split anew.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from cleanlab.rank import get_label_quality_scores
from scipy.stats import t as student
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from lightning_imbal.decisions.base import Labelled
from lightning_imbal.decisions.temperature import bias_corrected_temperature
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.held_out import HeldOut
from lightning_imbal.stats.label_truth import found_of_truth
from lightning_imbal.stats.wrong_labels import suspicions

FOLDS = 5
FLIPS = {"any": "to any other class alike", "frequent": "to others as often as they are"}


class Images(NamedTuple):
    """Features (N, D), true classes (N,), lesions (N,), and the names of the classes."""

    feature: np.ndarray
    label: np.ndarray
    lesion: np.ndarray
    names: tuple[str, ...]


def main() -> None:
    """Reads the arguments, and prints tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"repeats": 8, "share": 0.05, "lesions": 2400, "side": 96}.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("LIGHTNING_IMBAL_DATA") or beside))
    args = parser.parse_args()
    print_tables("Digits, 17 to 170 of each", digits(), args.repeats, args.share)
    if (args.data / "isic2018").is_dir() and (args.data / "weights").is_dir():
        print_tables("ISIC 2018", isic(args.data, args.lesions, args.side), args.repeats, args.share)
    else:
        print(f"SKIPPED: no isic2018 and weights in {args.data}")


def digits() -> Images:
    """Scikit-learn's digits, of which the last classes are rare."""
    feature, label = load_digits(return_X_y=True)
    kept = np.concatenate([np.flatnonzero(label == c)[: int(170 * 0.1 ** (c / 9))] for c in range(10)])
    return Images(feature[kept] / 16, label[kept], np.arange(len(kept)), tuple("0123456789"))


def isic(data: Path, lesions: int, side: int) -> Images:
    """All images of some lesions, and what a network that was trained on ImageNet sees in them."""
    import cv2
    import timm
    import torch
    from safetensors.torch import load_file

    folder = data / "isic2018"
    table = pd.read_csv(folder / "ISIC2018_Task3_Training_GroundTruth.csv").set_index("image")
    lesion = pd.read_csv(folder / "ISIC2018_Task3_Training_LesionGroupings.csv").set_index("image")["lesion_id"]
    lesion = lesion.astype(object).reindex(table.index)
    chosen = np.random.default_rng(0).permutation(lesion.unique())[:lesions]
    table, lesion = table[lesion.isin(chosen)], lesion[lesion.isin(chosen)]
    network = timm.create_model("mobilenetv2_100", num_classes=0).eval()
    weights = load_file(data / "weights" / "mobilenetv2_100_imagenet.safetensors")
    network.load_state_dict({name: value for name, value in weights.items() if not name.startswith("classifier")})
    mean, std = (torch.tensor(values)[:, None, None] for values in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))

    def read(image: str) -> torch.Tensor:
        picture = cv2.imread(str(folder / "ISIC2018_Task3_Training_Input" / f"{image}.jpg"))[:, :, ::-1]
        picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
        return (torch.from_numpy(picture.astype(np.float32)) / 255 - mean) / std

    with torch.inference_mode():
        batches = np.array_split(table.index.to_numpy(), max(1, len(table) // 64))
        feature = np.concatenate([network(torch.stack([*map(read, batch)])).numpy() for batch in batches])
    feature = PCA(128, random_state=0).fit_transform(StandardScaler().fit_transform(feature))
    feature = StandardScaler().fit_transform(feature) / 2
    return Images(feature, table.to_numpy().argmax(axis=1), lesion.to_numpy(dtype=str), tuple(table.columns))


def flipped(images: Images, share: float, kind: str, rng: np.random.Generator) -> np.ndarray:
    """The labels, of which those of a share of the lesions are wrong."""
    _, first, place = np.unique(images.lesion, return_index=True, return_inverse=True)
    label, number = images.label[first].copy(), len(images.names)
    weight = np.ones(number) if kind == "any" else np.bincount(images.label, minlength=number).astype(float)
    for row in rng.choice(len(label), round(share * len(label)), replace=False):
        others = np.where(np.arange(number) == label[row], 0, weight)
        label[row] = rng.choice(number, p=others / others.sum())
    return label[place]


def out_of_fold(images: Images, label: np.ndarray, weight: str | None, seed: int) -> np.ndarray:
    """Probabilities (N, C), each by a model that has not seen the lesion."""
    probability = np.zeros((len(label), len(images.names)))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(images.feature, label, images.lesion):
        model = LogisticRegression(C=0.1 if len(images.names) == 7 else 1.0, max_iter=300, class_weight=weight)
        model.fit(images.feature[train], label[train])
        probability[np.ix_(test, model.classes_)] = model.predict_proba(images.feature[test])
    return probability


def rankings(of: Labelled) -> Iterator[tuple[str, np.ndarray]]:
    """What else labels could be ranked by, (N,): the smallest first."""
    fitted = bias_corrected_temperature(of).calibrated(of.probability)
    for name, probability in {"raw": of.probability, "fitted": fitted}.items():
        for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
            yield f"{name}, {method}", get_label_quality_scores(of.label, probability, method=method)
    for method in ("self_confidence", "normalized_margin"):
        score = get_label_quality_scores(of.label, fitted, method=method, adjust_pred_probs=True)
        yield f"fitted, {method}, adjust_pred_probs", score
    rows, others = np.arange(len(of.label)), of.probability.copy()
    others[rows, of.label] = 0
    yield "raw, odds", of.probability[rows, of.label] / others.max(axis=1)
    confidence = pd.Series(fitted[rows, of.label])
    yield (
        "fitted, self_confidence, the same share of each class",
        confidence.groupby(of.label).rank(pct=True).to_numpy(),
    )


def print_tables(title: str, images: Images, repeats: int, share: float) -> None:
    """Prints what is found, by ranking, and of each class."""
    found: list[dict[str, object]] = []
    classes: list[pd.DataFrame] = []
    names = np.array(images.names)
    name = np.array([f"i{row}" for row in range(len(images.label))])
    truth = pd.Series(names[images.label], index=name)
    for kind in FLIPS:
        for seed in range(repeats):
            label = flipped(images, share, kind, np.random.default_rng(seed))
            for weight in (None, "balanced"):
                probability = out_of_fold(images, label, weight, seed)
                counts = tuple(np.bincount(label, minlength=len(names)).tolist())
                unit = images.lesion.astype(str).astype(object)
                of = Labelled(probability, label, unit, images.names, counts)
                alone = np.ones(len(label), dtype=bool)
                known = Predictions(name, unit, alone, label, probability, images.names, counts, {})
                table = suspicions(HeldOut(known, None, ())).table
                result = found_of_truth(table, truth)
                classes.append(result.assign(flips=kind, weight=str(weight)))
                row = {"flips": kind, "weight": str(weight)}
                found += [row | {"ranking": "`labels`"} | shares(result)]
                table = table.set_index("image")
                for ranking, score in rankings(of):
                    order = table.loc[name[np.argsort(score, kind="stable")]].reset_index()
                    found += [row | {"ranking": ranking} | shares(found_of_truth(order, truth))]
    print(f"\n## {title}: {len(images.label)} images, {repeats} repeats\n")
    columns = ["recall", "of_class", "by chance"]
    half = student.ppf(0.975, repeats - 1) / np.sqrt(repeats) if repeats > 1 else np.nan
    by = pd.DataFrame(found).groupby(["flips", "weight", "ranking"], sort=False)
    print(by[columns].mean().assign(half=by["recall"].std() * half).round(3).reset_index().to_string(index=False))
    print()
    per = pd.concat(classes).groupby(["flips", "weight", "label"], sort=False).mean(numeric_only=True)
    print(per.round(1).reset_index().to_string(index=False))


def shares(result: pd.DataFrame) -> dict[str, float]:
    """Recall of all, mean recall of the classes that the wrong labels name, and what chance would find."""
    share = result["found"] / result["wrong"]
    return {"recall": share[0], "of_class": share[1:].mean(), "by chance": (result["by_chance"] / result["wrong"])[0]}


if __name__ == "__main__":
    main()
