"""How many images per second a loader delivers from the files and from the disk cache.

python tests/benchmarks/disk_cache.py [--images DIR] [--size 224] [--cache-side 448] [--epochs 5] [--workers N]
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import cv2
import numpy as np
from torch.utils.data import DataLoader

from lightning_imbal.data.index.listing import pictures_below
from lightning_imbal.data.loading.image_dataset import ImageDataset
from lightning_imbal.data.loading.loaders import image_loader
from lightning_imbal.data.pictures.disk_cache import DiskCache
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.recipes import ImageNetCrop

BATCH_SIZE = 32
MIN_DRAWS = 800  # in an epoch: a shorter one measures little but its start
# Height, width, texture, quality, number: files as large as those of HAM10000 (277 kB) and EyePACS (1 MB).
GENERATED = {"600 x 450": (450, 600, 110.0, 99, 400), "2600 x 1900": (1900, 2600, 18.0, 90, 60)}


def skin(height: int, width: int, texture: float, seed: int) -> np.ndarray:
    """A made-up dermoscopy image in BGR: uneven light, a dark blotch with a ragged border, fine texture."""
    rng = np.random.default_rng(seed)

    def clouds(cells: int, channels: int = 1) -> np.ndarray:
        coarse = rng.standard_normal((cells, cells * 4 // 3, channels)).astype(np.float32)
        return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, channels)

    y, x = np.mgrid[-1 : 1 : height * 1j, -1.3 : 1.3 : width * 1j].astype(np.float32)
    inside = 1 / (1 + np.exp(14 * (np.hypot(x, y)[..., None] - 0.6 + 0.08 * clouds(12))))
    image = np.float32([150, 165, 205]) + 12 * clouds(4, 3) - inside * (np.float32([90, 100, 90]) + 18 * clouds(24))
    grain = cv2.GaussianBlur(rng.standard_normal((height, width), dtype=np.float32), (0, 0), 0.9)[..., None]
    return (image + texture * grain).clip(0, 255).astype(np.uint8)


def generate(folder: Path) -> dict[str, list[str]]:
    """Writes the made-up images and returns their files by shape."""
    files = {}
    for name, (height, width, texture, quality, number) in GENERATED.items():
        files[name] = [str(folder / f"{height}_{i:03d}.jpg") for i in range(number)]
        for i, file in enumerate(files[name]):
            cv2.imwrite(file, skin(height, width, texture, i), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return files


def rate(loader: DataLoader) -> float:
    """Images per second of one epoch."""
    start = time.perf_counter()
    images = sum(len(batch["index"]) for batch in loader)
    return images / (time.perf_counter() - start)


def milliseconds(work: Callable[[int], object], rows: Iterable[int]) -> float:
    """Median time of `work` on one image."""
    times = []
    for row in rows:
        start = time.perf_counter()
        work(row)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def cost_of_checksums(cache: DiskCache, size: int, epochs: int) -> None:
    """Prints what an epoch in which each picture is taken for the first time costs with its checksum and without.

    Processor time of one thread, in turn, each time with a cache that was just opened: later epochs compare nothing.
    """
    without = cache.folder.with_name(f"{cache.folder.name}-without")
    shutil.copytree(cache.folder, without)
    for file in without.glob("*.json"):
        file.write_text(json.dumps({key: value for key, value in json.loads(file.read_text()).items() if key != "sum"}))
    times: dict[Path, list[float]] = {cache.folder: [], without: []}
    opening = []
    for _ in range(epochs + 1):
        for folder, measured in times.items():
            opened = DiskCache(folder, cache.paths, cache.short_side)
            images = ImageDataset(opened, np.zeros(len(opened), int), np.arange(len(opened)), [ImageNetCrop(size)])
            start = time.thread_time()
            for row in range(len(images)):
                images[row]
            measured.append(time.thread_time() - start)
        start = time.thread_time()
        cache.build(progress=False)
        opening.append(time.thread_time() - start)
    checked, plain = (measured[1:] for measured in times.values())
    more = statistics.median(one / other - 1 for one, other in zip(checked, plain, strict=True))
    print("an epoch of first looks at the cache, processor seconds, median (least)")
    for title, measured in (("with checksums", checked), ("without", plain)):
        print(f"  {title:<28}{statistics.median(measured):>8.3f} ({min(measured):.3f})")
    print(f"  {'more, median of the pairs':<28}{more:>8.1%} ({min(checked) / min(plain) - 1:.1%})")
    print(f"  {'opening what is there, ms':<28}{1000 * statistics.median(opening):>8.1f}")


def compare(name: str, paths: list[str], folder: Path, size: int, cache_side: int, epochs: int, workers: int) -> None:
    """Measures both sides in turn and prints them."""
    files, reduced = ImageFiles(paths), ImageFiles(paths, cache_side)
    cache = DiskCache(folder / "cache" / name.replace(" ", ""), paths, cache_side)
    start = time.perf_counter()
    cache.build(progress=False)
    built = time.perf_counter() - start
    rows = np.resize(np.arange(len(paths)), max(len(paths), MIN_DRAWS))
    recipe = ImageNetCrop(size)
    datasets = {
        side: ImageDataset(images, np.zeros(len(paths), int), rows, [recipe])
        for side, images in (("files", files), ("reduced", reduced), ("cache", cache))
    }
    loaders = {side: image_loader(dataset, BATCH_SIZE, workers) for side, dataset in datasets.items()}
    rates: dict[str, list[float]] = {side: [] for side in loaders}
    for epoch in range(epochs + 1):
        for side, loader in loaders.items():
            measured = rate(loader)
            if epoch > 0:  # the first one starts the workers
                rates[side].append(measured)
    kilobytes = np.mean([os.path.getsize(path) for path in paths]) / 1000
    print(f"\n{name}: {len(paths)} files of {kilobytes:.0f} kB on average, network side {size}")
    print(f"cache: short side {cache_side}, {cache.nbytes / 1e6:.0f} MB, built in {built:.1f} s")
    print("files: decoded whole each time; reduced: decoded at reduced scale each time (cache: none)")
    print(f"{'images/s':<12}{'files':>10}{'reduced':>10}{'cache':>10}{'cache / files':>16}")
    for how, of in (("best", max), ("median", statistics.median)):
        side = {name: of(measured) for name, measured in rates.items()}
        numbers = "".join(f"{value:>10.1f}" for value in side.values())
        print(f"{how:<12}{numbers}{side['cache'] / side['files']:>16.2f}")

    cv2.setNumThreads(0)
    rows = rows[:100].tolist()
    whole, small = [files[row] for row in rows[:20]], [cache[row].copy() for row in rows[:20]]
    parts = {
        "decode the file": lambda row: files[row],
        "read the cache": lambda row: cache[row].copy(),
        "transform a whole image": lambda row: recipe(image=whole[row % 20]),
        "transform a cached image": lambda row: recipe(image=small[row % 20]),
        "all of it from the file": lambda row: datasets["files"][row],
        "all of it from the cache": lambda row: datasets["cache"][row],
    }
    print("ms per image in one thread, median")
    for part, work in parts.items():
        print(f"  {part:<28}{milliseconds(work, rows):>8.2f}")
    cost_of_checksums(cache, size, epochs)


def main() -> None:
    """Reads the arguments and compares each set of images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, help="Folder with pictures; made up if left out.")
    parser.add_argument("--size", type=int, default=224, help="Side of the square that the network sees.")
    parser.add_argument("--cache-side", type=int, help="Short side of cached images; twice the size if left out.")
    parser.add_argument("--epochs", type=int, default=5, help="Measured epochs of each side.")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="Loader processes.")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.images:
            sets = {args.images.name: [str(file) for file in pictures_below(args.images)]}
        else:
            sets = generate(Path(folder))
        for name, paths in sets.items():
            compare(name, paths, Path(folder), args.size, args.cache_side or 2 * args.size, args.epochs, args.workers)


if __name__ == "__main__":
    main()
