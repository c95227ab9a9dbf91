"""From a sampler's list to the draws of an epoch, which are the same however they are loaded."""

from collections.abc import Iterator
from itertools import islice

import torch
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor
from torch.utils.data import DistributedSampler, Sampler

from lightning_imbal.data.loading.image_dataset import Draw
from lightning_imbal.seeding import epoch_generator, run_seed


class EpochDraws(DistributedSampler[Draw | tuple[Draw, Draw]]):
    """The list of an inner sampler, cut to whole batches, each draw with a seed of its own for the augmentation.

    What an image looks like thus depends on the run's seed, the epoch and the position in the epoch alone: not on the
    number of workers, not on the number of devices, and not on whether the run was interrupted in an earlier epoch.
    Every rank keeps each `num_replicas`-th draw, so that the ranks' k-th batches together are the k-th batch of one
    process. (Lightning's own wrapper would shuffle the list once more; it leaves a DistributedSampler as it is.)

    Args:
        sampler: Yields positions in the training part.
        batch_size: The global batch size. A list shorter than one batch is one batch.
        num_replicas: Number of processes that share the list.
        rank: Which of them this is.
        paired: A second sampler: its k-th draw goes with the k-th of the first, until the shorter list ends.
    """

    def __init__(
        self,
        sampler: Sampler[int],
        batch_size: int,
        num_replicas: int = 1,
        rank: int = 0,
        paired: Sampler[int] | None = None,
    ) -> None:
        super().__init__(sampler, num_replicas, rank, shuffle=False, seed=run_seed())  # type: ignore[arg-type]  # asks for a length
        self._drawn, self._first = False, 0
        self.samplers = [sampler] if paired is None else [sampler, paired]
        length = min(map(len, self.samplers))  # type: ignore[arg-type]  # torch leaves it to each sampler
        batch = batch_size if length >= batch_size else num_replicas
        self.total_size = length // batch * batch
        if self.total_size < length < batch_size:
            rank_zero_info(
                f"An epoch has {length} images, less than a batch of {batch_size}, which {num_replicas} devices cannot "
                f"share: {length - self.total_size} of them left out."
            )
        self.num_samples = self.total_size // num_replicas

    def set_epoch(self, epoch: int) -> None:
        """Sets the 0-based epoch whose list comes next; after it come those of the epochs after it."""
        super().set_epoch(epoch)
        self._drawn = False
        for sampler in self.samplers:
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(epoch)

    def leave_out(self, number: int) -> None:
        """Begins the next list after so many of this process's draws."""
        self._first = number

    def drawn(self) -> list[Tensor]:
        """Draws the next list: for each sampler positions and seeds of this process, (2, n)."""
        if self._drawn:
            self.set_epoch(self.epoch + 1)
        self._drawn = True
        generator = epoch_generator(self.seed, self.epoch)
        first, self._first = self._first * self.num_replicas + self.rank, 0
        drawn = []
        for sampler in self.samplers:
            position = torch.tensor(list(islice(sampler, self.total_size)), dtype=torch.long)
            seed = torch.randint(2**62, (self.total_size,), generator=generator)[: len(position)]
            drawn.append(torch.stack([position, seed])[:, first :: self.num_replicas])
        return drawn

    def __iter__(self) -> Iterator[Draw | tuple[Draw, Draw]]:
        draws = [zip(*drawn.tolist(), strict=True) for drawn in self.drawn()]
        return draws[0] if len(draws) == 1 else zip(*draws, strict=False)
