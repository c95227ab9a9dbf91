"""What reading deep pictures costs pictures of 8 bits, and what 8 bits cost deep pictures.

python tests/benchmarks/depth.py [--rounds 40]

`Before` is how every file was decoded before the depth was looked at: `cv2.IMREAD_COLOR`.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import cv2
import numpy as np
from disk_cache import skin

from lightning_imbal.data.pictures import read
from lightning_imbal.data.pictures.depths import look_for_depths
from lightning_imbal.data.pictures.grey_levels import AS_FOUND, Reading

SIZES = {"600 x 450": (450, 600), "128 x 128": (128, 128), "28 x 28": (28, 28)}
PICTURES = 20


def read_before(path: str, short_side: int | None) -> np.ndarray:
    """As `read_image` was, with nothing between the bytes and OpenCV."""
    encoded = b"" if read._is_endless(path) else Path(path).read_bytes()
    assert not read._is_truncated(encoded)
    return read._decode(encoded, short_side)  # type: ignore[return-value]


def more_time(work: Callable[[], object], other: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """Least processor seconds of both, and the median of how much more the first one needs, in turn."""
    times: tuple[list[float], list[float]] = [], []
    for number in range(rounds + 2):
        pair = [(0, work), (1, other)]
        for which, each in pair if number % 2 else pair[::-1]:
            start = time.thread_time()
            each()
            times[which].append(time.thread_time() - start)
    ours, others = (measured[2:] for measured in times)
    more = statistics.median(one / two - 1 for one, two in zip(ours, others, strict=True))
    return min(ours), min(others), more


def cost_for_8_bits(folder: Path, rounds: int) -> None:
    """Prints how long reading takes now and before, for JPEG and PNG files of several sizes."""
    print("reading pictures of 8 bits, milliseconds of processor time each, least of all rounds")
    print(f"{'':<22}{'before':>10}{'now':>10}{'least':>9}{'median':>9}")
    for name, (height, width) in SIZES.items():
        for suffix in ("jpg", "png"):
            files = [str(folder / f"{height}_{number}.{suffix}") for number in range(PICTURES)]
            for number, file in enumerate(files):
                cv2.imwrite(file, skin(height, width, 60.0, number))
            now, before, more = more_time(
                lambda files=files: [read.read_image(file, 448, AS_FOUND) for file in files],  # type: ignore[misc]
                lambda files=files: [read_before(file, 448) for file in files],  # type: ignore[misc]
                rounds,
            )
            each = 1000 / PICTURES
            print(f"{suffix} {name:<18}{before * each:>10.3f}{now * each:>10.3f}{now / before - 1:>9.1%}{more:>9.1%}")


def start_of_a_set(folder: Path) -> None:
    """Prints how long it takes to look at the headers of many files, and at the values of deep ones."""
    png = cv2.imencode(".png", skin(128, 128, 60.0, 0))[1].tobytes()
    deep = cv2.imencode(".png", np.random.default_rng(0).integers(0, 4096, (512, 512), dtype=np.uint16))[1].tobytes()
    for name, content, number in (("headers of 8-bit PNG", png, 2000), ("values of 12-bit PNG, 512 x 512", deep, 200)):
        paths = [str(folder / f"{len(content)}_{place}.png") for place in range(number)]
        for path in paths:
            Path(path).write_bytes(content)
        start = time.perf_counter()
        look_for_depths(paths, values=True)
        print(f"{name}: {1000 * (time.perf_counter() - start) / number:.3f} ms each on {os.cpu_count()} cores")


def loss_of_8_bits(seed: int = 0) -> None:
    """Prints what is left of a faint disc in a 12-bit picture with noise, in 8 and in 16 bits of the whole range.

    The disc is brighter than what is around it by a few of the 4,096 steps; d-prime is that difference of means over
    the standard deviation of single pixels.
    """
    rng = np.random.default_rng(seed)
    print("\na 12-bit picture, read over its whole range 0 to 4095: a step of 8 bits is 16 of its values")
    for bits, white in ((8, 255), (16, 65535)):
        values = rng.integers(0, 4096, 2**20).astype(np.uint16)
        image = Reading((0, 4095), bits=bits)(read.decode_raw(_png(values.reshape(1024, 1024)), "a.png"), "a.png")
        error = image[..., 0].ravel() * (4095 / white) - values
        print(f"  {bits:>2} bits: root mean square error {np.sqrt((error**2).mean()):.3f} of its values")
    print(
        f"  {'around':>8}{'disc':>6}{'noise':>8}{'bits':>6}{'levels':>8}{'d-prime of pixels':>20}{'of the values':>16}"
    )
    y, x = np.mgrid[-1:1:256j, -1:1:256j]
    disc = np.hypot(x, y) < 0.5
    for around, contrast, noise in ((994, 4, 0.5), (1000, 4, 0.5), (1000, 4, 2.0), (1000, 8, 4.0), (1000, 16, 8.0)):
        exact = around + contrast * disc + noise * rng.standard_normal(disc.shape)
        values = np.rint(exact).astype(np.uint16)
        for bits in (8, 16):
            image = Reading((0, 4095), bits=bits)(read.decode_raw(_png(values), "a.png"), "a.png")[..., 0]
            line = f"  {around:>8}{contrast:>6}{noise:>8}{bits:>6}{len(np.unique(image)):>8}"
            print(f"{line}{_apart(image, disc):>20.2f}{_apart(values, disc):>16.2f}")


def _png(values: np.ndarray) -> bytes:
    return cv2.imencode(".png", values)[1].tobytes()


def _apart(image: np.ndarray, disc: np.ndarray) -> float:
    """Difference of the means inside and outside, over the mean of the two standard deviations."""
    inside, outside = image[disc].astype(float), image[~disc].astype(float)
    spread = np.sqrt((inside.var() + outside.var()) / 2)
    return float(inside.mean() - outside.mean()) / spread if spread else 0.0


def main() -> None:
    """Reads the arguments and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40, help="Measured rounds over the pictures of each kind.")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        cost_for_8_bits(Path(folder), args.rounds)
        start_of_a_set(Path(folder))
    loss_of_8_bits()


if __name__ == "__main__":
    main()
