"""Keeps the features of the test images, with a map of them in two dimensions."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.callbacks.base import model_of
from lightning_imbal.callbacks.results_writer import ResultsWriter
from lightning_imbal.contract import data_of

MAX_COMPONENTS = 50
MAX_PERPLEXITY = 30
LARGEST = torch.finfo(torch.float16).max


class SaveFeatures(Callback):
    """Writes what the head got for each image of the test part to `features.npz`, beside `predictions.parquet`.

    `fit` and `test` add it with `--save_features true`. The file has one row per image, in the order of the
    predictions: `image` (id) and `label` (class name), text (N,); `feature`, float16 (N, D); and `x` and `y`, float32
    (N,), the image's place on a map by t-SNE, NaN if it is not on it. If a predictor asks the network more than once,
    the feature is that of the first time, which is of the image as it is.

    Args:
        max_mapped: Images on the map; classes have equal shares, and what a rare class leaves goes to the others.

    Raises:
        ValueError: `max_mapped` is negative.
    """

    def __init__(self, max_mapped: int = 1000) -> None:
        if max_mapped < 0:
            raise ValueError(f"max_mapped must not be negative, but is {max_mapped}.")
        self.max_mapped = max_mapped
        self.hook: RemovableHandle | None = None

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forgets an earlier test."""
        # Kept on the device: a copy at each step would wait for the network.
        self.features: list[Tensor] = []
        self.labels: list[Tensor] = []
        self.indices: list[Tensor] = []

    def on_test_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, *_: int) -> None:
        """Waits for the first feature of a batch."""

        def keep(head: nn.Module, inputs: tuple[Any, ...]) -> None:
            hook.remove()
            self.features.append(as_kept(inputs[0].detach()))

        self.hook = hook = model_of(pl_module).head.register_forward_pre_hook(keep)
        self.labels.append(batch["label"])
        self.indices.append(batch["index"])

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leaves no hook behind."""
        if self.hook is not None:
            self.hook.remove()

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Gathers the features of all devices and writes them."""
        model, parts = model_of(pl_module), (self.indices, self.labels, self.features)
        index, label, feature = (model.gather(torch.cat(part)).cpu().numpy() for part in parts)
        self.on_test_start(trainer, pl_module)
        if not trainer.is_global_zero:
            return
        # A distributed sampler repeats images.
        index, first = np.unique(index, return_index=True)
        label, feature = label[first], feature[first]
        x, y = map_features(feature, label, self.max_mapped).T
        arrays = {
            "image": data_of(trainer).table["image"].to_numpy()[index].astype(str),
            "label": np.array(model.class_names)[label],
            "feature": feature,
            "x": x,
            "y": y,
        }
        write_arrays(_folder(trainer) / "features.npz", arrays)


def as_kept(feature: Tensor) -> Tensor:
    """Features (N, D) as files keep them: float16, what is larger as its largest number."""
    return feature.float().clamp(-LARGEST, LARGEST).half()


def write_arrays(file: Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes an NPZ file, which appears whole or not at all."""

    def write(path: Path) -> None:
        with path.open("wb") as opened:  # by its name alone, NumPy would give it another ending
            np.savez_compressed(opened, **arrays)  # type: ignore[arg-type]  # none is called allow_pickle

    write_whole(file, write)


def map_features(feature: np.ndarray, label: np.ndarray, max_mapped: int) -> np.ndarray:
    """Places (N, 2), float32, of features (N, D) on a map; NaN for those that are not finite or not chosen for it."""
    place = np.full((len(feature), 2), np.nan, dtype=np.float32)
    finite = np.flatnonzero(np.isfinite(feature).all(axis=1))
    chosen = finite[_equal_shares(label[finite], max_mapped)]
    place[chosen] = _embed(feature[chosen].astype(np.float32))
    return place


def _equal_shares(label: np.ndarray, number: int) -> np.ndarray:
    """Positions of at most so many labels: in each turn every class gives one more, drawn at random, rarest first."""
    order = np.random.default_rng(0).permutation(len(label))
    drawn = pd.Series(label[order])
    turn, count = drawn.groupby(drawn).cumcount(), drawn.map(drawn.value_counts())
    return np.sort(order[np.lexsort((count, turn))[:number]])


def _embed(feature: np.ndarray) -> np.ndarray:
    """Places (N, 2) by t-SNE; by the first two principal components if there are fewer than 5 images."""
    place = np.zeros((len(feature), 2), dtype=np.float32)
    if len(feature) == 0 or (feature == feature[0]).all():
        return place
    component = PCA(min(MAX_COMPONENTS, *feature.shape), random_state=0).fit_transform(feature)
    if len(feature) < 5 or component.shape[1] < 2:
        place[:, : component.shape[1]] = component[:, :2]
        return place
    perplexity = min(MAX_PERPLEXITY, (len(feature) - 1) / 3)
    return TSNE(init="pca", perplexity=perplexity, random_state=0).fit_transform(component)


def _folder(trainer: Trainer) -> Path:
    """Where the predictions are written."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]  # Lightning sets it, but does not declare it
    writers = (callback.folder for callback in callbacks if isinstance(callback, ResultsWriter))
    return next(writers, Path(trainer.default_root_dir))
