"""Pictures as uint8 RGB arrays by row number: decoded on demand, or once and kept in memory."""

import io
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from lightning.pytorch.utilities import rank_zero_only
from PIL import Image
from rich import get_console
from rich.progress import track

from lightning_imbal.errors import BadImageError

T = TypeVar("T")
JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
# All in BGR: OpenCV has no reduced flags in RGB, and none at all before 4.11.
FLAG_OF_REDUCTION = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}


def read_image(path: str | Path, short_side: int | None = None) -> np.ndarray:
    """Decodes a picture file to uint8 RGB (H, W, 3), upright by its EXIF orientation.

    Args:
        path: The file.
        short_side: A picture whose short side is longer by more than a tenth is reduced to it, keeping its aspect. A
            large JPEG is decoded at a half, a quarter or an eighth of its size before it is averaged: in half the time.

    Raises:
        BadImageError: The file cannot be read, is truncated or is no picture; the message names it. Its cause is an
            OSError if the file could not be read.
    """
    try:
        encoded = Path(path).read_bytes()
    except OSError as error:
        mend = "allow it to be read" if isinstance(error, PermissionError) else "restore the file"
        raise BadImageError(f"Cannot read the image {path} ({error.strerror}): {mend}.") from error
    if not encoded:
        raise BadImageError(f"The image {path} is empty: replace or remove it.")
    if _is_truncated(encoded):
        raise BadImageError(f"The image {path} is truncated or damaged: copy it again, or remove it.")
    try:
        image = _decode(encoded, short_side)
    except cv2.error:
        image = None
    if image is None:
        raise BadImageError(f"Cannot decode the image {path}: it is damaged or no picture; replace or remove it.")
    return image


def _is_truncated(encoded: bytes) -> bool:
    """Whether the end of a JPEG or PNG is missing: OpenCV 4 fills what is missing with grey and says nothing."""
    if encoded.startswith(PNG_START):
        return encoded.rfind(PNG_END) < 0
    if not encoded.startswith(JPEG_START) or encoded.endswith(JPEG_END):
        return False
    # Some cameras write more behind the end of a picture. Pillow refuses one that is not all there.
    stream = io.BytesIO(encoded)
    try:
        picture = Image.open(stream)
        begin_of_pixels = stream.tell()
        picture.load()
    except (OSError, SyntaxError, Image.DecompressionBombError):
        return True
    return encoded.find(JPEG_END, begin_of_pixels) < 0


def _decode(encoded: bytes, short_side: int | None) -> np.ndarray | None:
    buffer = np.frombuffer(encoded, np.uint8)
    if short_side is None:
        image = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    else:
        full_size = _jpeg_size(encoded)
        reduction = next(n for n in FLAG_OF_REDUCTION if n == 1 or min(full_size) >= n * short_side)
        image = cv2.imdecode(buffer, FLAG_OF_REDUCTION[reduction])
        if image is not None:
            image = _shrink(image, short_side, full_size, reduction)
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _shrink(image: np.ndarray, short_side: int, full_size: tuple[int, int], reduction: int) -> np.ndarray:
    height, width = image.shape[:2]
    if reduction > 1:  # the exact aspect ratio is that of the whole picture, turned as this one is
        is_turned = width != -(-full_size[0] // reduction)
        height, width = full_size if is_turned else full_size[::-1]
    scale = short_side / min(height, width)
    if scale > 0.9:  # shrinking costs more than these pixels
        return image
    return cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)


def _jpeg_size(encoded: bytes) -> tuple[int, int]:
    """Width and height of a JPEG before it is turned, from its header; (0, 0) for any other file."""
    if not encoded.startswith(JPEG_START):
        return 0, 0
    try:
        return Image.open(io.BytesIO(encoded)).size
    except (OSError, Image.DecompressionBombError):
        return 0, 0


class ImageFiles(Sequence[np.ndarray]):
    """Pictures decoded from their files each time they are asked for.

    Args:
        paths: One file per row of the sample table.
        short_side: Larger pictures are reduced to it, keeping their aspect ratio; None keeps them as they are.
    """

    def __init__(self, paths: Sequence[str], short_side: int | None = None) -> None:
        self.paths, self.short_side = paths, short_side

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> np.ndarray:
        return read_image(self.paths[row], self.short_side)

    def attempt(self, row: int) -> np.ndarray | BadImageError:
        """Returns the picture, or why there is none."""
        try:
            return self[row]
        except BadImageError as error:
            return error

    @cached_property
    def bad(self) -> dict[int, str]:
        """Why a picture cannot be read, by row. Opens all of them when it is first asked for."""

        def cause(row: int) -> str | None:
            found = self.attempt(row)
            return str(found) if isinstance(found, BadImageError) else None

        causes = decode_ahead(cause, range(len(self)), "Opening images")
        return {row: text for row, text in enumerate(causes) if text is not None}


class MemoryCache(Sequence[np.ndarray]):
    """Pictures decoded once, on all cores, and kept in memory.

    Args:
        files: Where the pictures come from.
    """

    def __init__(self, files: ImageFiles) -> None:
        self.images = list(decode_ahead(files.attempt, range(len(files)), "Decoding images"))

    @cached_property
    def bad(self) -> dict[int, str]:
        """Why a picture could not be read, by row; empty if all are good."""
        return {row: str(image) for row, image in enumerate(self.images) if isinstance(image, BadImageError)}

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> np.ndarray:
        image = self.images[row]
        if isinstance(image, BadImageError):
            raise image
        return image


def decode_ahead(decode: Callable[[int], T], rows: Sequence[int], title: str, progress: bool = True) -> Iterator[T]:
    """Yields what `decode` returns for each row, in order, while all cores work on the rows that follow.

    Only a few results wait to be taken, so that memory is bounded. Rank zero shows a progress bar.
    """
    cores = os.cpu_count() or 1
    pool, waiting = _threads(cores), deque()
    shown = progress and rank_zero_only.rank == 0 and get_console().is_terminal
    try:
        for row in track(rows, title, transient=True, disable=not shown):
            waiting.append(pool.submit(decode, row))
            if len(waiting) > 4 * cores:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
        wait(waiting)


@cache
def _threads(number: int) -> ThreadPoolExecutor:
    """Threads that decode, kept for the next time.

    A loader forks this process soon after. A thread that is just ending, or one of OpenCV's own, may hold a lock of
    OpenCV at that moment, for which the new process would wait forever.
    """
    cv2.setNumThreads(1)
    return ThreadPoolExecutor(number)
