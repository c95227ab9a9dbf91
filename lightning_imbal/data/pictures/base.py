"""What all pictures of a data set have in common, however they are kept."""

from typing import Protocol

import numpy as np


class Pictures(Protocol):
    """Pictures by their row in the sample table, RGB (H, W, 3), uint8 or, where so many bits are asked for, uint16."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> np.ndarray: ...
