"""Which training images a network takes for like an image: by the features that its head gets."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich import get_console
from rich.progress import track
from sklearn.neighbors import NearestNeighbors

from lightning_imbal.callbacks.test_features import as_kept, write_arrays
from lightning_imbal.data.loading.loaders import image_loader
from lightning_imbal.errors import UserError
from lightning_imbal.runs.digests import digest
from lightning_imbal.runs.identity import split_digest
from lightning_imbal.trained.explain.layers import inputs_of
from lightning_imbal.trained.explain.network import ExplainedNetwork
from lightning_imbal.trained.settings import SPLIT, own_settings
from lightning_imbal.wording import duration_text, number_of

BATCH = 64
FILE = "features_train.npz"
SHORT = 20.0  # seconds that nobody need be told of


@dataclass(frozen=True)
class TrainingFeatures:
    """What the head of a network gets for each training image.

    Args:
        image: Ids, (N,) text.
        label: Their classes, (N,) integers.
        feature: (N, D), float16.
    """

    image: np.ndarray
    label: np.ndarray
    feature: np.ndarray

    def nearest(self, feature: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions (B, K) of the training images with the least cosine distance to features (B, D), nearest first.

        Returns:
            The positions, and the distances (B, K): 1 - cosine, from 0 to 2.
        """
        search = NearestNeighbors(n_neighbors=min(number, len(self.image)), metric="cosine", algorithm="brute")
        distance, position = search.fit(self.feature.astype(np.float32)).kneighbors(feature.astype(np.float32))
        return position, distance


def training_features(network: ExplainedNetwork, folder: Path) -> TrainingFeatures:
    """Computes the features of a network's training images, as they are tested, or reads those that it has kept.

    Args:
        network: The network and its data.
        folder: Where they are kept, for this checkpoint and these images.

    Raises:
        UserError: The images are split in another way than in the training.
    """
    _check_split(network)
    data, file = network.data, folder / FILE
    rows, checkpoint = data.rows("train"), digest(network.checkpoint)
    image, label = data.table["image"].to_numpy()[rows].astype(str), data.table["label"].to_numpy()[rows]
    if (kept := _kept(file, checkpoint, image)) is not None:
        return TrainingFeatures(image, label, kept)
    found = TrainingFeatures(image, label, _computed(network, file))
    write_arrays(file, {"checkpoint": np.array(checkpoint), "image": image, "feature": found.feature})
    return found


def _check_split(network: ExplainedNetwork) -> None:
    """Refuses to take images for those of the training that are not: files or labels have changed since."""
    own = (own_settings(network.checkpoint) or {}).get(SPLIT)
    if own and own != split_digest(network.data.table):
        raise UserError(
            f"{network.checkpoint} was trained with other images, labels or another split than {network.data.root} has "
            "now, so its nearest training images are not known: give the folder of that time with data.root=FOLDER, or "
            "leave them out with --neighbours 0."
        )


def _kept(file: Path, checkpoint: str, image: np.ndarray) -> np.ndarray | None:
    """The features in a file, if they are those of this checkpoint and these images."""
    if not file.is_file():
        return None
    try:
        with np.load(file, allow_pickle=False) as arrays:
            same = str(arrays["checkpoint"]) == checkpoint and np.array_equal(arrays["image"], image)
            return arrays["feature"] if same else None
    except (ValueError, KeyError, OSError, EOFError):  # damaged: computed again
        return None


def _computed(network: ExplainedNetwork, file: Path) -> np.ndarray:
    data, parts = network.data, []
    images = data.dataset("train", [data.test_recipe])
    loader, begun = image_loader(images, BATCH, data.num_workers), time.monotonic()
    with inputs_of(network.model.head) as features, torch.no_grad():
        for batch in track(
            loader, "Features of training images", transient=True, disable=not get_console().is_terminal
        ):
            ready = network.ready({"image": batch["image"], "index": batch["index"]})
            network.model.network(ready)(ready["image"])
            parts.append(as_kept(features.pop()).cpu().numpy())
            seconds = (time.monotonic() - begun) * (len(loader) - 1)
            if len(parts) == 1 and seconds > SHORT:
                print(
                    f"Features of {number_of(len(images), 'training image')}: about {duration_text(seconds)}, once; "
                    f"{file} keeps them (--neighbours 0 does without)."
                )
    return np.concatenate(parts)
