"""Folds of a cross-validation that was never trained, of images some of whose labels are wrong."""

import numpy as np
import pandas as pd
import torch
from made_posteriors import drawn
from made_predictions import make
from made_runs import NAMES, write_test

from lightning_imbal.runs.run import Run
from lightning_imbal.stats.held_out import HeldOut

SHARE = np.array([0.7, 0.15, 0.1, 0.05])


def flipped(images=4000, share=0.05, seed=0, distance=2.5, power=1.0, bias=0.0):
    """Probabilities of a network, labels of which a share is wrong, and true classes."""
    rng = np.random.default_rng(seed)
    probability, true = drawn(rng, images, SHARE, SHARE, distance, power, bias)
    label = np.where(rng.random(images) < share, (true + rng.integers(1, 4, images)) % 4, true)
    return probability, label, true


def held(probability, label, **others):
    return HeldOut(make(label, probability, **others), None, ())


def names(number):
    return [f"ISIC_{row:04d}" for row in number]


def write_split(folder, label, part, group=None, stage="stage1"):
    """Leaves the split of a stage: the parts of the first images, in their order."""
    table = pd.DataFrame({"image": names(range(len(part))), "class": np.array(NAMES)[label], "part": part})
    if group is not None:
        table["group"] = group
    (folder / stage).mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / stage / "split.csv", index=False)


def write_folds(folder, probability, label, folds=3, group=None, seed=0):
    """Leaves the folds of a cross-validation as runs: fold k has tested every image whose number is k modulo folds."""
    place, runs = np.arange(len(label)) % folds, []
    for fold in range(folds):
        run, tested = folder / f"ce+seed{seed}+fold{fold}", place == fold
        split = {"kind": "KFold", "folds": folds, "fold": fold, "seed": None}
        number = np.flatnonzero(tested)
        write_test(run, torch.tensor(probability[tested]), label[tested], number, split=split, seed=seed)
        write_split(run, label, np.where(tested, "test", np.where(place == (fold + 1) % folds, "val", "train")), group)
        runs.append(Run(run))
    return runs
