"""What the bootstrap of a table costs, all resamples at once, relative to scoring one resample after the other.

python tests/benchmarks/bootstrap.py [--runs 20] [--images 3000] [--resamples 2000] [--some 20]

The scores are those of a table: ten summaries with AUC and the F1 of each of 7 classes. One after the other means
`classification_scores` on the drawn images of one run; it is timed for some resamples and stands for all.
"""

import argparse
import time

import numpy as np
import torch

from lightning_imbal.metrics import classification_scores
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.bootstrap import draw, resampled_rounds
from lightning_imbal.stats.rounds import Round

CLASS_COUNTS = (4693, 779, 769, 360, 229, 99, 81)  # of the training part of ISIC 2018
SUMMARIES = ("accuracy", "balanced_accuracy", "f1", "precision", "scr", "auc", "mcc", "kappa", "kendall_tau", "ece")


def main() -> None:
    """Reads the arguments, measures both ways, and prints their times and how far the scores differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--some", type=int, default=20, help="Resamples that are scored one after the other.")
    args = parser.parse_args()

    rng = np.random.default_rng(0)
    names = tuple(f"class {c}" for c in range(len(CLASS_COUNTS)))
    image = np.arange(args.images).astype(str).astype(object)
    label = rng.choice(len(names), args.images, p=np.array(CLASS_COUNTS) / sum(CLASS_COUNTS))

    def run() -> Predictions:
        logits = rng.normal(size=(args.images, len(names))) + 2 * np.eye(len(names))[label]
        probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return Predictions(image, image, np.ones(len(image), dtype=bool), label, probability, names, CLASS_COUNTS, {})

    rows = {f"row {number}": [Round((run(),))] for number in range(args.runs)}
    keys = [*SUMMARIES, *(f"f1/{name}" for name in names)]
    start = time.perf_counter()
    ours = resampled_rounds(rows, keys, draw(args.images, args.resamples))
    at_once = time.perf_counter() - start

    # Units are drawn in the order of their sorted names.
    order, first = np.argsort(image), rows["row 0"][0].joined
    drawn = [np.repeat(order, count) for count in draw(args.images, args.resamples)[: args.some]]
    start = time.perf_counter()
    scores = [
        classification_scores(
            torch.from_numpy(first.probability[rows]),
            torch.from_numpy(label[rows]),
            list(CLASS_COUNTS),
            list(names),
            {},
        )
        for rows in drawn
    ]
    each = (time.perf_counter() - start) / args.some * args.resamples * args.runs
    apart = max(abs(ours["row 0"][key][0, at] - score[key]) for key in keys for at, score in enumerate(scores))
    print(f"{args.resamples} resamples of {args.runs} runs x {args.images} images, {len(keys)} scores")
    print(f"all at once            {at_once:8.1f} s")
    print(f"one after the other    {each:8.1f} s (from {args.some} resamples of one run)")
    print(f"ratio                  {each / at_once:8.0f}    (scores differ by at most {apart:.1e})")


if __name__ == "__main__":
    main()
