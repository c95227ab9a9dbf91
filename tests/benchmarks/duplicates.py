"""What the search for copies finds in real data sets, which made copies it finds, and how long 100,000 pictures take.

python tests/benchmarks/duplicates.py [--ham DIR --lesions CSV] [--fundus DIR] [--smears DIR] [--number 100000]

A pair is true if the lesion or the patient is the same (by the file names or the CSV), or if it was looked at: `SEEN`.
Before: all pairs whose hashes differ in at most 30 bits. Files of the same bytes count in neither. A made copy
counts as found if it is a candidate by its hash: what is one by `alike_pairs` alone is not counted.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from lightning_imbal.data.copies.candidates import near_pairs, usual_distance
from lightning_imbal.data.copies.find import Candidates, find_candidates, look_at_files, read_small, same_content
from lightning_imbal.data.copies.likeness import detail_of, likeness, turned
from lightning_imbal.data.copies.look import SHORT_SIDE, TURNS, Look, hashes_of
from lightning_imbal.data.index.listing import pictures_below
from lightning_imbal.data.pictures.ahead import decode_ahead

BEFORE = 30
# Different lesions or patients by their numbers, the same by the eye.
SEEN = [
    *(("ISIC_0025226", "ISIC_0030074"), ("ISIC_0027027", "ISIC_0029036"), ("ISIC_0034228", "ISIC_0034248")),
    *(("ISIC_0024602", "ISIC_0032283"), ("ISIC_0025312", "ISIC_0028123"), ("ISIC_0027636", "ISIC_0027994")),
    *(("ISIC_0027820", "ISIC_0028209"), ("ISIC_0027820", "ISIC_0030835"), ("ISIC_0028209", "ISIC_0030835")),
    ("ISIC_0029152", "ISIC_0033173"),
    *(("Patient058_L", "Patient155_L"), ("Patient058_R", "Patient155_R"), ("Patient067_L", "Patient237_L")),
    *(("Patient067_R", "Patient237_R"), ("Patient044_L", "Patient087_L"), ("Patient044_R", "Patient087_R")),
    *(("29", "30"), ("151", "152"), ("233", "234"), ("243", "244"), ("251", "252"), ("262", "263"), ("267", "273")),
    *(("268", "274"), ("269", "275"), ("270", "276"), ("271", "277"), ("272", "278"), ("383", "384"), ("440", "441")),
]


def cut(pixels: np.ndarray, share: float, where: float = 0.5) -> np.ndarray:
    """Takes a share of the height and width away, at `where` of it on the upper left side."""
    height, width = pixels.shape[:2]
    down, right = round(height * share), round(width * share)
    top, left = round(down * where), round(right * where)
    return pixels[top : height - down + top, left : width - right + left]


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    """A picture saved as JPEG and read again."""
    return cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def half(pixels: np.ndarray) -> np.ndarray:
    """A picture at half its size."""
    return cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def tilted(pixels: np.ndarray) -> np.ndarray:
    """A picture turned by two degrees, its corners cut off."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 2, 1.08)
    return cv2.warpAffine(pixels, turn, (width, height), flags=cv2.INTER_LINEAR)


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "JPEG of quality 30": lambda pixels: jpeg(pixels, 30),
    "half size": half,
    "cut by 1 % on each side": lambda pixels: cut(pixels, 0.02),
    "cut by 2 % on each side": lambda pixels: cut(pixels, 0.04),
    "cut by 3 % on each side": lambda pixels: cut(pixels, 0.06),
    "cut by 3 % on two sides": lambda pixels: cut(pixels, 0.03, 1.0),
    "darker, less contrast": lambda pixels: cv2.convertScaleAbs(pixels, alpha=0.7, beta=5),
    "brighter, more contrast": lambda pixels: cv2.convertScaleAbs(pixels, alpha=1.4, beta=-40),
    "other white balance": lambda pixels: (pixels * [0.8, 1, 1.15]).clip(0, 255).astype(np.uint8),
    "cut by 2 %, darker, 0.7 of the size, JPEG 50": lambda pixels: jpeg(
        cv2.resize(cv2.convertScaleAbs(cut(pixels, 0.04), alpha=0.85, beta=8), None, fx=0.7, fy=0.7), 50
    ),
    "tilted by 2 degrees": tilted,
    "mirrored": lambda pixels: pixels[:, ::-1],
    "quarter turn": lambda pixels: np.rot90(pixels),
}


def bits_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Bits in which hashes (..., 4) differ."""
    return np.bitwise_count(first ^ second).sum(axis=-1, dtype=np.int64)


def real(paths: list[str], group: pd.Series, looks: list[Look]) -> Candidates:
    """Prints what is found in a data set, before and after."""
    names = [Path(path).stem for path in paths]
    seen = {frozenset(pair) for pair in SEEN}

    def is_true(pair: np.ndarray) -> bool:
        first, second = pair[:2]
        return group[first] == group[second] or {names[first], names[second]} in seen

    start = time.perf_counter()
    found = find_candidates(looks, read_small(paths))
    took = time.perf_counter() - start
    before = found.pairs[found.pairs[:, 2] <= BEFORE]
    print(f"{len(paths)} pictures; {len(paths) - len(set(same_content(looks)))} have the bytes of another one")
    print(f"candidates: {found.total} within {found.distance} bits; confirmed from {found.threshold:.2f}; {took:.1f} s")
    for name, pairs in (("before", before), ("after", found.pairs[found.confirmed])):
        true = np.array([is_true(pair) for pair in pairs], dtype=bool)
        print(f"  {name:<8} found {len(pairs):>5}  true {true.sum():>5}  false {(~true).sum():>5}")
        for first, second, *_ in pairs[~true][:20]:
            print(f"    false or not yet seen: {names[first]} {names[second]}")
    rejected = [is_true(pair) for pair in found.pairs[~found.confirmed]]
    print(f"  rejected by the pixels {len(rejected)}, true by their numbers {sum(rejected)}")
    mirrored = find_candidates(looks, read_small(paths), mirrored=True)
    turn = mirrored.pairs[mirrored.confirmed, 3]
    print(f"  with mirrored and turned copies: {len(turn)}, of which turned {(turn > 0).sum()}")
    return found


def made(paths: list[str], looks: list[Look], found: Candidates, number: int) -> None:
    """Prints which share of made copies is found, before and after."""
    rows = [row for row in range(len(paths)) if looks[row].hashes is not None]
    rows = sorted(np.random.default_rng(0).permutation(rows)[:number].tolist())
    print(f"  share found of {len(rows)} made copies{'before':>32}{'after':>8}{'mirrored':>10}")
    for name, change in COPIES.items():

        def compare(row: int, change: Callable[[np.ndarray], np.ndarray] = change) -> tuple[bool, bool, bool]:
            copied = np.ascontiguousarray(change(cv2.imread(paths[row]))[..., ::-1])
            scale = SHORT_SIDE / min(copied.shape[:2])
            if scale < 0.9:
                copied = cv2.resize(copied, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            bits = bits_between(looks[row].hashes[0], hashes_of(copied)[0])
            detail = detail_of(read_small(paths)(row))
            turn = int(bits.argmin())
            like = [likeness(detail, detail_of(turned(copied, each))) >= found.threshold for each in (0, turn)]
            return bits[0] <= BEFORE, bits[0] <= found.distance and like[0], bits[turn] <= found.distance and like[1]

        shares = np.mean(list(decode_ahead(compare, rows, name, progress=False)), axis=0)
        print(f"  {name:<48}{shares[0]:>12.1%}{shares[1]:>8.1%}{shares[2]:>10.1%}")


def speed(number: int) -> None:
    """Prints how long hashes of unrelated pictures are compared."""
    hashes = np.random.default_rng(0).integers(0, 2**64, (number, TURNS, 4), dtype=np.uint64)
    for turns in (1, TURNS):
        start = time.perf_counter()
        distance = usual_distance(hashes, turns, number)
        chosen = time.perf_counter() - start
        near_pairs(hashes, turns, distance, number)
        took = time.perf_counter() - start
        print(f"{number} hashes in {turns} turns: {took:.1f} s, {chosen:.1f} s of which choose the distance")


def main() -> None:
    """Reads the arguments and prints each table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ham", type=Path, help="Folder of the pictures of HAM10000.")
    parser.add_argument("--lesions", type=Path, help="Its CSV with the columns image and lesion_id.")
    parser.add_argument("--fundus", type=Path, help="Folder of the fundus photographs, PatientNNN_L.jpg.")
    parser.add_argument("--smears", type=Path, help="Folder of the blood smears of Chula.")
    parser.add_argument("--made", type=int, default=200, help="Pictures of which copies are made.")
    parser.add_argument("--number", type=int, default=100_000, help="Hashes compared with each other.")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores")
    for name in ("ham", "fundus", "smears"):
        if (folder := getattr(args, name)) is None:
            continue
        paths = [str(file) for file in pictures_below(folder)]
        stem = pd.Series([Path(path).stem for path in paths])
        lesion = pd.read_csv(args.lesions, index_col="image")["lesion_id"] if name == "ham" else None
        group = stem.map(lesion) if lesion is not None else stem.str.rsplit("_", n=1).str[0]
        print(f"\n{name}")
        start = time.perf_counter()
        looks = look_at_files(paths, None)
        took = time.perf_counter() - start
        print(f"hashed in {took:.1f} s: {len(paths) / took:.0f} pictures/s")
        made(paths, looks, real(paths, group, looks), args.made)
    print()
    speed(args.number)


if __name__ == "__main__":
    main()
