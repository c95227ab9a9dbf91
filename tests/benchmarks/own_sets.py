"""The whole way of own images on real sets: `init`, then `compare` by the configuration that it wrote.

python tests/benchmarks/own_sets.py --out FOLDER [--isic DIR] [--fundus DIR] [--smears DIR] [--methods ce ce_crw] [...]

Smears are those of Chula RBC-12 (Naruenatthanaset et al. 2021): each has a text file with the places and classes of its
red cells, which are cut out into a folder for each class. Further options go to `compare`.
"""

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

CELLS = (
    *("normal", "macrocyte", "microcyte", "spherocyte", "target cell", "stomatocyte", "ovalocyte", "teardrop"),
    *("burr cell", "schistocyte", "uncategorised", "hypochromia"),  # elliptocytes come from other pictures
)
SIDE = 80  # pixels of a cell


def cut_cells(smears: Path, folder: Path) -> None:
    """Cuts the cells out of all smears that have labels."""
    for name in CELLS:
        (folder / name).mkdir(parents=True)
    for labels in sorted((smears / "Label").glob("*.txt")):
        rows = [line.split() for line in labels.read_text().splitlines() if line.strip()]
        picture = cv2.imread(str(smears / "Dataset" / f"{labels.stem}.jpg"))
        if picture is None:
            continue
        wide = cv2.copyMakeBorder(picture, *[SIDE // 2] * 4, cv2.BORDER_REPLICATE)
        for number, (x, y, cell) in enumerate(np.array(rows, dtype=float).astype(int).reshape(-1, 3)):
            if cell < len(CELLS):
                file = folder / CELLS[cell] / f"smear{int(labels.stem):03d}_{number:03d}.jpg"
                assert cv2.imwrite(str(file), wide[y : y + SIDE, x : x + SIDE])


def run(*arguments: str, folder: Path) -> None:
    """Runs a verb in a folder and prints the command and what it took."""
    print(f"$ lightning_imbal {shlex.join(arguments)}", flush=True)
    start = time.perf_counter()
    status = subprocess.run([sys.executable, "-m", "lightning_imbal", *arguments], cwd=folder).returncode
    print(f"[status {status}, {(time.perf_counter() - start) / 60:.1f} minutes]\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for configurations, cells and runs")
    for name in ("isic", "fundus", "smears"):
        parser.add_argument(f"--{name}", type=Path, metavar="DIR")
    args, options = parser.parse_known_args()
    args.out.mkdir(parents=True, exist_ok=True)
    sets = {name: getattr(args, name).absolute() for name in ("isic", "fundus", "smears") if getattr(args, name)}
    if "smears" in sets:
        cells = args.out.absolute() / "cells"
        if not cells.exists():
            cut_cells(sets["smears"], cells)
        sets["smears"] = cells
    for name, place in sets.items():
        if not (args.out / f"{name}.yaml").exists():
            run("init", str(place), "--output", f"{name}.yaml", folder=args.out)
        run("compare", "--config", f"{name}.yaml", "--runs", f"runs_{name}", *options, folder=args.out)


if __name__ == "__main__":
    main()
