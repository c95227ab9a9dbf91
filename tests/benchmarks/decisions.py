"""What it costs to try decision rules on all methods of a table, from predictions that are stored.

python tests/benchmarks/decisions.py [--methods 51] [--seeds 3] [--images 2003] [--validation 1002]

Runs that were never trained are written into a folder that goes away. Then their predictions are read, seven rules are
fitted on the validation images of each, and these and argmax are scored on the test images with 2,000 resamples and
paired intervals. Beside it the same without resamples, by `classification_scores`: what the intervals cost.
"""

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch

from lightning_imbal.decisions import ExpectedCost, Offsets, PriorAdjusted, Rule, Sensitivity, Specificity
from lightning_imbal.metrics import classification_scores
from lightning_imbal.runs.results import as_results
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.decided import decided_runs
from lightning_imbal.stats.rule_results import rule_results

COUNTS = [779, 4693, 360, 229, 769, 81, 99]  # of the training part of ISIC 2018
NAMES = [f"class {c}" for c in range(len(COUNTS))]


def main() -> None:
    """Reads the arguments, measures both ways, and prints their times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"methods": 51, "seeds": 3, "images": 2003, "validation": 1002}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        rng, place = np.random.default_rng(0), Path(folder)
        share = np.array(COUNTS) / sum(COUNTS)
        labels = {part: rng.choice(len(NAMES), getattr(args, part), p=share) for part in ("images", "validation")}
        for method in range(args.methods):
            for seed in range(args.seeds):
                write_run(place / f"method{method}_seed{seed}", labels, rng)
        costs = pd.DataFrame(1.0 - np.eye(len(NAMES)), index=NAMES, columns=NAMES)
        costs.to_csv(place / "costs.csv")
        rules: dict[str, Rule] = {
            "PriorAdjusted": PriorAdjusted(),
            "PriorAdjusted for balanced accuracy": PriorAdjusted("balanced_accuracy"),
            "Offsets": Offsets(),
            "Offsets for balanced accuracy": Offsets("balanced_accuracy"),
            "ExpectedCost": ExpectedCost(str(place / "costs.csv")),
            "Sensitivity": Sensitivity({NAMES[0]: 0.8}),
            "Specificity": Specificity({NAMES[0]: 0.9}),
        }
        start = time.perf_counter()
        methods = {
            f"method{method}": [Run(place / f"method{method}_seed{seed}", f"seed {seed}") for seed in range(args.seeds)]
            for method in range(args.methods)
        }
        found = rule_results(methods, rules)
        whole = time.perf_counter() - start
        start = time.perf_counter()
        for runs in methods.values():
            for rule in rules.values():
                for run in decided_runs(runs, rule):
                    known = run.predictions
                    assert known is not None
                    answers = torch.eye(len(NAMES))[torch.from_numpy(known.answers)]
                    classification_scores(answers, torch.from_numpy(known.label), COUNTS, NAMES, {})
        alone = time.perf_counter() - start
    print(f"{args.methods} methods x {args.seeds} seeds x {len(rules) + 1} rules, {len(found.refused)} refused")
    print(f"fitted, and scored with 2,000 resamples and paired intervals: {whole:.1f} s")
    print(f"fitted, and scored once, without intervals: {alone:.1f} s")


def write_run(folder: Path, labels: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    """Leaves what a test leaves: predictions of the test and the validation part, and their scores."""
    folder.mkdir()
    for part, label in labels.items():
        logits = rng.normal(size=(len(label), len(NAMES))) + 1.5 * np.eye(len(NAMES))[label] + np.log(COUNTS)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        what, values = ("logit", logits) if part == "validation" else ("probability", np.exp(logits))
        table = pd.DataFrame(values, columns=[f"{what}/{name}" for name in NAMES])
        table.insert(0, "image", [f"{part} {row}" for row in range(len(label))])
        table.insert(1, "label", np.array(NAMES)[label])
        name = "predictions_val.parquet" if part == "validation" else "predictions.parquet"
        table.to_parquet(folder / name)
        if part == "images":
            scores = classification_scores(torch.from_numpy(values), torch.from_numpy(label), COUNTS, NAMES, {})
            cell = label * len(NAMES) + values.argmax(axis=1)
            confusion = np.bincount(cell, minlength=len(NAMES) ** 2).reshape(len(NAMES), -1).tolist()
            identity = {"name": folder.name, "data": "made", "split": {}, "part": "test", "versions": {}, "seed": 0}
            results = {"identity": identity, **as_results(scores, confusion, NAMES, COUNTS, {})}
            (folder / "metrics.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main()
