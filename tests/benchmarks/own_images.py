"""Seconds and memory that `init` and `audit` take for a folder of many pictures, and for a label file that names them.

python tests/benchmarks/own_images.py [--pictures 100000] [--side 64] [--verbs init audit]
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

CLASSES, OF_A_PATIENT = ("no_finding", "nodule", "mass", "hernia"), 4
ENVIRONMENT = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"}


def generate(root: Path, pictures: int, side: int) -> list[tuple[str, str, str]]:
    """Writes pictures of noise, four of each patient, in folders of classes; returns name, class and patient."""
    rng, rows = np.random.default_rng(0), []
    for name in CLASSES:
        (root / name).mkdir(parents=True)
    for i in range(pictures):
        patient = i // OF_A_PATIENT
        label = CLASSES[0] if patient % 4 else CLASSES[patient % 3 + 1]
        stem = f"{patient:08d}_{i % OF_A_PATIENT:03d}"
        noise = cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
        assert cv2.imwrite(str(root / label / f"{stem}.jpg"), noise)
        rows.append((stem, label, str(patient)))
    return rows


def measure(arguments: list[str], folder: Path) -> str:
    """Runs a verb; its seconds and the most memory that it held."""
    script = (
        "import resource, sys; from lightning_imbal.cli import main; status = main(sys.argv[1:]); "
        "print('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(status)"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )
    seconds = time.perf_counter() - start
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    peak = next(int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("PEAK"))
    return f"{seconds:7.1f} s {peak / 1024:7.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--verbs", nargs="+", default=["init", "audit"])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rows = generate(folder / "images", args.pictures, args.side)
        with open(folder / "labels.csv", "w", newline="") as file:
            csv.writer(file).writerows([("image_id", "finding", "patient_id"), *rows])
        few = generate(folder / "few", 40, args.side)
        print(f"{args.pictures:,} pictures of {args.side} x {args.side} pixels, {os.cpu_count()} cores")
        print(f"start of the program: init on {len(few)} pictures: {measure(['init', 'few'], folder)}")
        calls = {
            "init FOLDER": ["init", "images", "--output", "folder.yaml"],
            "init FOLDER with a label file": ["init", "images", "--data.labels", "labels.csv", "--output", "csv.yaml"],
            "audit, first time": ["audit", "folder.yaml", "--data.cache_dir", "cache"],
            "audit, again": ["audit", "folder.yaml", "--data.cache_dir", "cache"],
        }
        for name, arguments in calls.items():
            if arguments[0] in args.verbs:
                print(f"{name:32} {measure(arguments, folder)}", flush=True)


if __name__ == "__main__":
    main()
