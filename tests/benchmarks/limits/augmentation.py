"""Augmentation of a stored picture, beside the least that a crop, a flip and a matrix of colours take."""

import cv2
import numpy as np
from pairs import Pair, Run, repeated

from lightning_imbal.data.recipes import ImageNetCrop

SIZE, PICTURES = 224, 200
STORED = (448, 597, 3)  # 600 x 450 pixels, reduced to a short side of twice the size


def pairs() -> list[Pair]:
    """Rows of the table."""
    picture = smooth_picture(np.random.default_rng(0))
    recipe, rng = ImageNetCrop(SIZE), np.random.default_rng(0)
    return [
        Pair(
            f"augment {PICTURES} pictures of {STORED[1]} x {STORED[0]} for {SIZE}, one thread: crop, flip, jitter",
            "cv2 alone: crop, resize, flip, a matrix of noise",
            on_one_thread(repeated(lambda: bare(picture, rng), PICTURES)),
            on_one_thread(repeated(lambda: recipe(image=picture)["image"], PICTURES)),
            goal=PICTURES * 0.25e-3,
            unit="s",
            rounds=15,
        )
    ]


def bare(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The least that a training recipe does: a part of the picture, in another size, mirrored or not, recoloured."""
    height, width = picture.shape[:2]
    share, shape = rng.uniform(0.08, 1), np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
    wide = min(round((height * width * share * shape) ** 0.5), width)
    high = min(round((height * width * share / shape) ** 0.5), height)
    x, y = rng.integers(width - wide + 1), rng.integers(height - high + 1)
    square = cv2.resize(picture[y : y + high, x : x + wide], (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        square = cv2.flip(square, 1)
    return cv2.transform(square, np.eye(3, 4) + rng.normal(0, 0.1, (3, 4)))


def smooth_picture(rng: np.random.Generator) -> np.ndarray:
    """A picture of few details, as a photograph has."""
    return cv2.resize(rng.integers(60, 200, (14, 19, 3), dtype=np.uint8), STORED[1::-1], interpolation=cv2.INTER_CUBIC)


def on_one_thread(run: Run) -> Run:
    """Runs without the threads of OpenCV, as in the processes that decode pictures and prepare batches."""

    def run_alone() -> None:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(0)
        run()
        cv2.setNumThreads(threads)

    return run_alone
