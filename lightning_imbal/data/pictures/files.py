"""Pictures decoded from their files each time they are asked for."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.errors import BadImageError


class ImageFiles(Pictures):
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
