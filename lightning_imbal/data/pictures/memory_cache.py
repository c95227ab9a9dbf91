"""Pictures decoded once a run and kept in memory."""

from functools import cached_property

import numpy as np

from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.errors import BadImageError


class MemoryCache(Pictures):
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
