"""Sends all pictures of a data set through a network once, and writes its features as files."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from jsonargparse import Namespace
from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_info
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from lightning_imbal.callbacks.results_writer import software
from lightning_imbal.cli.parts.trainer import build_trainer
from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.features.facts import Facts
from lightning_imbal.data.features.write import appearing
from lightning_imbal.data.splits.base import PARTS
from lightning_imbal.errors import UserError
from lightning_imbal.modules.feature_encoder import FeatureEncoder
from lightning_imbal.wording import duration_text

PATIENCE = 10.0  # seconds
ONE_DEVICE = {"devices": 1, "num_nodes": 1, "strategy": "auto", "logger": False, "callbacks": [], "plugins": None}
SILENT = {"enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
WHOLE = {"limit_predict_batches": None, "fast_dev_run": False, "overfit_batches": 0.0}


def trainer_of(chosen: Namespace) -> Trainer:
    """The Trainer that runs the network: as the configuration says, but on one device.

    Raises:
        UserError: Several are asked for.
    """
    for name in ("devices", "num_nodes"):
        if str(chosen[name]).isdigit() and int(chosen[name]) > 1:
            raise UserError(f"`features` runs on one device, not on {chosen[name]}: set trainer.{name}=1.")
    return build_trainer({**chosen, **ONE_DEVICE, **SILENT, **WHOLE})


def encode_all(
    trainer: Trainer, backbone: nn.Module, data: ImbalDataModule, facts: Facts, views: int, out: Path
) -> Facts:
    """Writes the features of all parts into a new folder, and returns what is known of them.

    Args:
        trainer: Runs the network.
        backbone: The network.
        data: The pictures.
        facts: What made the features, as far as it is known.
        views: Augmented versions of each training picture; 0: as it is tested.
        out: The folder.
    """
    images = {part: len(data.rows(part)) for part in PARTS}
    versions = {part: max(views, 1) if part == "train" else 1 for part in PARTS}
    number = sum(images[part] * versions[part] for part in PARTS)
    rank_zero_info(f"Sending {number:,} pictures through {facts['backbone']}, which sees them only once.")
    size = 0
    with appearing(out) as folder, Shown(number) as shown:
        for part in filter(images.__getitem__, PARTS):
            filled = Filled(partial(folder.array, part), images[part], versions[part], shown.advance)
            encoder = FeatureEncoder(backbone, data.normalize, filled.take)
            for view in range(versions[part]):
                loader = data.loader_to_encode(part, view if views and part == "train" else None)
                filled.begin(view)
                trainer.predict(encoder, loader, return_predictions=False)
                filled.check()
            size = filled.finish()
        made = {"size": size, "images": images, "precision": str(trainer.precision), **software()}
        deep = {"kept": data.depth.kept, "identity": data.depth.identity}
        return folder.finish(facts | made | {"deep": deep}, data.table)


class Filled:
    """An array of features that is filled batch by batch.

    Args:
        make: Makes it, of the shape (N, V, D).
        images: N.
        versions: V.
        advance: Is told how many came.
    """

    def __init__(
        self,
        make: Callable[[tuple[int, int, int]], np.memmap],
        images: int,
        versions: int,
        advance: Callable[[int], None],
    ) -> None:
        self.make, self.images, self.versions, self.advance = make, images, versions, advance
        self.array: np.memmap | None = None
        self.view = self.place = 0

    def begin(self, view: int) -> None:
        """Goes on with the next version."""
        self.view, self.place = view, 0

    def take(self, feature: Tensor) -> None:
        """Puts the features of a batch, (B, D), in their place."""
        if self.array is None:
            self.array = self.make((self.images, self.versions, feature.shape[1]))
        self.array[self.place : self.place + len(feature), self.view] = feature.numpy()
        self.place += len(feature)
        self.advance(len(feature))

    def check(self) -> None:
        """Refuses to take half of a version for a whole one, whatever has ended the network early."""
        if self.place != self.images:
            raise UserError(f"Only {self.place} of {self.images} pictures were seen: nothing is kept, run it again.")

    def finish(self) -> int:
        """Writes all to the file, and returns D."""
        assert self.array is not None
        self.array.flush()
        return self.array.shape[2]


class Shown:
    """A bar with the time left; where there is no terminal, one line that says it.

    Args:
        number: Of pictures.
    """

    def __init__(self, number: int) -> None:
        columns = [TextColumn("Features"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
        self.number, self.done, self.told = number, 0, False
        self.bar = Progress(*columns)
        self.bar.disable = not self.bar.console.is_terminal
        self.task, self.began = self.bar.add_task("", total=number), time.monotonic()

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def advance(self, number: int) -> None:
        """Counts pictures."""
        self.done += number
        self.bar.advance(self.task, number)
        if self.bar.disable and not self.told and (seconds := time.monotonic() - self.began) > PATIENCE:
            self.told = True
            left = duration_text(seconds / self.done * (self.number - self.done))
            rank_zero_info(f"{self.done:,} of {self.number:,} pictures in {duration_text(seconds)}: about {left} left.")
