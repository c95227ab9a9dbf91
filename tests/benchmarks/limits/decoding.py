"""The first decode of a large JPEG: bare calls of libraries, alone and with the averaging to the stored size.

The bare calls stop at a quarter of the picture's size, 650 x 475; what is stored is 613 x 448.
"""

import atexit
import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from augmentation import on_one_thread
from pairs import Pair, repeated
from PIL import Image

from lightning_imbal.data.pictures.fast_jpeg import simplejpeg
from lightning_imbal.data.pictures.read import read_image

WIDTH, HEIGHT, SHORT_SIDE, QUALITY, NOISE = 2600, 1900, 448, 80, 3.0
QUARTER = HEIGHT // 4
TIMES = 20
GOAL = 0.0068  # s, of one

Decode = Callable[[bytes], np.ndarray]


def pairs() -> list[Pair]:
    """Rows of the table."""
    folder = Path(tempfile.mkdtemp(prefix="decoding-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "large.jpg"
    file.write_bytes(_made())
    bare: dict[str, Decode] = {"cv2 at a quarter": _by_opencv, "Pillow, draft": _by_pillow}
    if simplejpeg is not None:
        bare["simplejpeg, scaled"] = _by_simplejpeg
    whole = {f"{name} + averaging": _averaged(decode) for name, decode in bare.items()}
    return [_pair(file, name, decode) for name, decode in (bare | whole).items()]


def _pair(file: Path, name: str, decode: Decode) -> Pair:
    what = f"first decode of {WIDTH}x{HEIGHT}, {TIMES} times"
    bare = repeated(lambda: decode(file.read_bytes()), TIMES)
    product = repeated(lambda: read_image(file, SHORT_SIDE), TIMES)
    return Pair(what, name, on_one_thread(bare), on_one_thread(product), TIMES * GOAL, "s")


def _made() -> bytes:
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 216, (HEIGHT // 40, WIDTH // 40, 3), dtype=np.uint8)
    clean = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    noisy = (clean + rng.normal(0, NOISE, clean.shape)).clip(0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def _by_opencv(encoded: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_REDUCED_COLOR_4)


def _by_pillow(encoded: bytes) -> np.ndarray:
    picture = Image.open(io.BytesIO(encoded))
    picture.draft("RGB", (QUARTER, QUARTER))
    return np.asarray(picture)


def _by_simplejpeg(encoded: bytes) -> np.ndarray:
    return simplejpeg.decode_jpeg(encoded, "RGB", min_height=QUARTER, min_width=QUARTER)


def _averaged(decode: Decode) -> Decode:
    size = round(WIDTH * SHORT_SIDE / HEIGHT), SHORT_SIDE
    return lambda encoded: cv2.resize(decode(encoded), size, interpolation=cv2.INTER_AREA)
