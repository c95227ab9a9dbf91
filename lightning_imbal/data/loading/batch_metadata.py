"""The attributes of a batch's images, as numbers."""

from collections.abc import Callable
from functools import cached_property

import pandas as pd
import torch
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor

from lightning_imbal.contract import Batch
from lightning_imbal.data.index.attributes import Encoding, encoded
from lightning_imbal.runs.reading import ATTRIBUTE


class BatchMetadata:
    """Adds `metadata` (B, K) to a batch, by the rows of its images in the sample table.

    Args:
        encoding: Of the training that a network was made by, as `fitted_encoding` returns it.
        table: Returns the sample table; asked when the first row is wanted.
    """

    def __init__(self, encoding: Encoding, table: Callable[[], pd.DataFrame]) -> None:
        self.encoding, self.table = encoding, table

    @cached_property
    def of_rows(self) -> Tensor:
        """The attributes of every row of the sample table, (N, K)."""
        table = self.table()
        names = dict.fromkeys(column["attribute"] for column in self.encoding)
        if absent := [name for name in names if ATTRIBUTE + name not in table]:
            rank_zero_info(f"Of no image the attribute {' or '.join(absent)} is known here: it counts as missing.")
        return torch.from_numpy(encoded(table, self.encoding))

    @cached_property
    def missing(self) -> Tensor:
        """Those of an image of which none is known, (K,)."""
        rank_zero_info("Nothing is known of these pictures but how they look: each attribute counts as missing.")
        return torch.from_numpy(encoded(pd.DataFrame(index=[0]), self.encoding))[0]

    def __call__(self, batch: Batch, known: bool = True) -> Batch:
        """Returns the batch with `metadata`.

        Args:
            batch: With `index`.
            known: Whether `index` is that of the sample table.
        """
        index = batch["index"]
        metadata = self.of_rows[index] if known else self.missing.expand(len(index), -1)
        return {**batch, "metadata": metadata}
