"""What all pictures of a data set have in common, however they are kept."""

from typing import Protocol

import numpy as np


class Pictures(Protocol):
    """Pictures by their row in the sample table, uint8 RGB (H, W, 3)."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> np.ndarray: ...
