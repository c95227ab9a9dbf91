"""How far the one matrix of a recipe's colours is from the four steps of albumentations, on pictures of a folder.

python tests/benchmarks/colours.py FOLDER [--pictures 64] [--draws 8] [--sheet crops.png]

The same draws, applied in both ways. The sheet shows 64 crops of the strongest recipe: left by the four steps, right by
the matrix. Levels are those of 0 to 255.
"""

import argparse
import random
from functools import partial
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from lightning_imbal.data.loading.colour import ColourMatrix
from lightning_imbal.data.recipes import FlipJitter, ImageNetCrop, ScaleShiftRotate, StrongCrop

RECIPES = {
    "ImageNetCrop, jitter 0.4, hue 0.2": ImageNetCrop,
    "ImageNetCrop, jitter 0.4, hue 0.1": partial(ImageNetCrop, hue=0.1),
    "ImageNetCrop, jitter 0.1, hue 0.02": partial(ImageNetCrop, min_scale=0.5, jitter=0.1, hue=0.02),
    "StrongCrop, jitter 0.4, hue 0.1": StrongCrop,
    "FlipJitter, jitter 0.4, hue 0.1": FlipJitter,
    "ScaleShiftRotate, jitter 0.25, hue 0.01": ScaleShiftRotate,
}
HUES = (0.02, 0.1, 0.2)
SIZE, SHEET = 112, 8
COLUMNS = ("recipe", "difference", "brighter by", "95 % of pictures", "pixels > 8", "means", "their deviation")


def main() -> None:
    """Reads the arguments, prints the table, and writes the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args()
    pictures = read(args.folder, args.pictures)
    table = Table(*COLUMNS)
    hues = {f"hue {hue} alone": partial(ImageNetCrop, jitter=0, hue=hue) for hue in HUES}
    for name, recipe in {**hues, **RECIPES}.items():
        table.add_row(name, *compared(recipe(SIZE), pictures, args.draws))
    Console(width=160).print(table)
    if args.sheet:
        cv2.imwrite(str(args.sheet), sheet(ImageNetCrop(SIZE), pictures)[..., ::-1])


def read(folder: Path, number: int) -> list[np.ndarray]:
    """So many pictures of a folder, drawn at random, RGB."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in {".jpg", ".jpeg", ".png", ".bmp"})
    chosen = np.random.default_rng(0).permutation(len(files))[:number]
    return [cv2.cvtColor(cv2.imread(str(files[each])), cv2.COLOR_BGR2RGB) for each in chosen]


def in_steps(recipe: A.Compose) -> A.Compose:
    """A recipe with albumentations' own jitter in the place of the matrix."""

    def step(each: A.BasicTransform) -> A.BasicTransform:
        if not isinstance(each, ColourMatrix):
            return each
        return A.ColorJitter(each.brightness, each.contrast, each.saturation, each.hue, p=each.p)

    return A.Compose([step(each) for each in recipe.transforms])


def drawn(recipe: A.Compose, picture: np.ndarray, seed: int) -> np.ndarray:
    """The picture as a seed augments it."""
    recipe.set_random_state(np.random.default_rng(seed), random.Random(seed))
    return recipe(image=picture)["image"]


def compared(recipe: A.Compose, pictures: list[np.ndarray], draws: int) -> list[str]:
    """Cells of the table: what `COLUMNS` names."""
    told = []
    for number, picture in enumerate(pictures * draws):
        theirs, ours = (drawn(each, picture, number).astype(float) for each in (in_steps(recipe), recipe))
        gap = ours - theirs
        told.append([np.abs(gap).mean(), gap.mean(), (np.abs(gap) > 8).mean(), theirs.mean(), ours.mean()])
    difference, shift, far, theirs, ours = np.array(told).T
    return [
        f"{difference.mean():.2f}",
        f"{shift.mean():.2f}",
        f"{np.quantile(difference, 0.95):.1f}",
        f"{100 * far.mean():.1f} %",
        f"{theirs.mean():.1f}, {ours.mean():.1f}",
        f"{theirs.std():.1f}, {ours.std():.1f}",
    ]


def sheet(recipe: A.Compose, pictures: list[np.ndarray]) -> np.ndarray:
    """Crops side by side, RGB: the same draws in four steps and by the matrix."""
    halves = []
    for each in (in_steps(recipe), recipe):
        crops = [drawn(each, pictures[number % len(pictures)], number) for number in range(SHEET**2)]
        halves.append(np.vstack([np.hstack(crops[row * SHEET : (row + 1) * SHEET]) for row in range(SHEET)]))
    return np.hstack([halves[0], np.full((len(halves[0]), 16, 3), 255, np.uint8), halves[1]])


if __name__ == "__main__":
    main()
