"""Seconds and megabytes of the page of 20 runs x 3,000 images, with curves, decisions, maps of features and pictures.

python tests/benchmarks/report_page.py
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))
from made_runs import NAMES, write_features, write_run, write_stage, write_validation

RUNS, IMAGES, EPOCHS = 20, 3000, 100


def write_pictures(root: Path) -> None:
    """The pictures that the runs were tested on, and their labels."""
    rng = np.random.default_rng(0)
    (root / "images").mkdir(parents=True)
    for number in range(IMAGES):
        coarse = rng.integers(0, 256, (15, 20, 3), dtype=np.uint8)
        cv2.imwrite(str(root / "images" / f"ISIC_{number:04d}.jpg"), cv2.resize(coarse, (200, 150)))
    table = pd.DataFrame({"image": [f"ISIC_{number:04d}" for number in range(IMAGES)], "label": NAMES * (IMAGES // 4)})
    table.to_csv(root / "labels.csv", index=False)


def write_runs(folder: Path, root: Path) -> list[Path]:
    """Five methods, four seeds each."""
    runs = [folder / f"own+method{number // 4}+seed{number % 4}" for number in range(RUNS)]
    data = {"class_path": "lightning_imbal.data.CSVData"}
    data["init_args"] = {"root": str(root / "images"), "labels": str(root / "labels.csv"), "suffix": ".jpg"}
    for number, run in enumerate(runs):
        write_run(run, images=IMAGES, skill=1 + number // 4 / 10, noise=number, seed=number % 4)
        write_validation(run, images=IMAGES // 5, skill=1 + number // 4 / 10, noise=number)
        write_stage(run / "stage1", epochs=EPOCHS, seed=number)
        write_features(run, size=512)
        file = run / "stage1" / "config.yaml"
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"data": data}))
    return runs


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(Path(folder, "data"))
        runs, page = write_runs(Path(folder, "runs"), Path(folder, "data")), Path(folder, "page.html")
        started = time.perf_counter()
        command = [sys.executable, "-m", "lightning_imbal", "report", *map(str, runs), "--html", str(page)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
        text = page.read_text()
        print(f"{RUNS} runs x {IMAGES:,} images: {seconds:.1f} s, {page.stat().st_size / 1e6:.1f} MB,", end=" ")
        print(f"{text.count('data:image/jpeg')} pictures")


if __name__ == "__main__":
    main()
