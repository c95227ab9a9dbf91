"""The network of a finished run and its data, and what it makes of some images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lightning.fabric.utilities import move_data_to_device
from torch.utils.data import default_collate

from lightning_imbal.callbacks.test_features import as_kept
from lightning_imbal.contract import Batch
from lightning_imbal.data.loading.image_dataset import ImageDataset
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_metadata import WithMetadata
from lightning_imbal.predictors.plain import Plain
from lightning_imbal.runs.digests import check_checkpoint
from lightning_imbal.runs.run import Run
from lightning_imbal.trained.explain.layers import inputs_of, last_feature_map
from lightning_imbal.trained.explain.maps import attention_rollout, attentions_of, grad_cam
from lightning_imbal.trained.network import load_network

BATCH = 16  # images that go through the network at once, once for each class that is asked for
ATTENTION = "attention"  # what the only map of attention rollout is called


@dataclass(frozen=True)
class Seen:
    """Images as a network saw them, and where it looked.

    Args:
        image: RGB (B, H, W, 3), floats in 0..1.
        maps: (B, H, W) in 0..1, by what it is a map of: `predicted`, `label` or `attention`.
        feature: What the head of the network got, (B, D).
        cells: Height and width of the maps, before they were enlarged.
    """

    image: np.ndarray
    maps: dict[str, np.ndarray]
    feature: np.ndarray
    cells: tuple[int, int]


class ExplainedNetwork:
    """The network of a run, which is asked about images of its data.

    Args:
        run: A finished run of `fit`, or the results of a `test` of its checkpoint.
        how: `gradcam`, `rollout`, or `auto`: rollout of vision transformers, else Grad-CAM.
        root: Where its data are now, if not where its settings say.

    Raises:
        UserError: The run has no network of its own, its checkpoint is not there, or nothing says where the data are.
    """

    def __init__(self, run: Run, how: str, root: str | None = None) -> None:
        self.checkpoint = checkpoint_of(run)
        check_checkpoint(self.checkpoint)
        self.model = load_network(self.checkpoint, root)
        if not self.model.transforms.data_is_known:  # type: ignore[union-attr]  # it has been given some
            raise UserError(
                f"{self.checkpoint} lies alone and does not know where the pictures of {run.folder} are: give their "
                "folder with data.root=FOLDER."
            )
        self.data = self.model.transforms.data  # type: ignore[union-attr]  # it has been given some
        if self.data.cache == "memory":
            self.data.cache = "none"  # which would read the whole data set
        if hasattr(self.data, "download"):
            self.data.download = False
        self.model.requires_grad_(False).to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        if isinstance(self.model, WithMetadata) and self.model.asks_beside_image:
            self.data.give_metadata(self.model.metadata_encoding)
        self.how = how if how != "auto" else "rollout" if attentions_of(self.model.backbone) else "gradcam"

    @property
    def adjusted_by(self) -> str:
        """What changes its logits before they are answers; empty if nothing does."""
        perturb = getattr(self.model, "perturb", None)
        predictor = perturb if perturb is not None else self.model.predictor
        return "" if isinstance(predictor, Plain) else type(predictor).__name__

    def rows_of(self, images: Sequence[str], run: Run) -> np.ndarray:
        """Rows of images in the table of the data.

        Raises:
            UserError: It does not have all of them, or is not here.
        """
        try:
            rows = pd.Index(self.data.table["image"].astype("str")).get_indexer(list(images))
        except UserError as error:
            raise UserError(f"The mistakes of {run.folder} cannot be explained: {error}") from error
        if (rows < 0).any():
            unknown = images[int(np.flatnonzero(rows < 0)[0])]
            raise UserError(
                f"{unknown}, which {run.folder} has tested, is not in the data of {self.checkpoint}: give the folder "
                "that `fit` wrote to."
            )
        return rows

    def see(self, rows: np.ndarray, predicted: np.ndarray) -> Seen:
        """What the network makes of images.

        Args:
            rows: Of the table of the data, (B,).
            predicted: The class that each was taken for, (B,).

        Raises:
            UserError: A picture cannot be read, or the network has no map to show.
        """
        asked = np.split(predicted, range(BATCH, len(rows), BATCH))
        parts = [self._see(batch, of_batch) for batch, of_batch in zip(self._batches(rows), asked, strict=True)]
        return Seen(
            np.concatenate([part.image for part in parts]),
            {name: np.concatenate([part.maps[name] for part in parts]) for name in parts[0].maps},
            np.concatenate([part.feature for part in parts]),
            parts[0].cells,
        )

    def pictures(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Images as the network sees them, RGB (H, W, 3), floats in 0..1."""
        for batch in self._batches(rows):
            yield from _shown(batch)

    def _batches(self, rows: np.ndarray) -> Iterator[Batch]:
        images = ImageDataset(self.data.images, self.data.table["label"].to_numpy(), rows, [self.data.test_recipe])
        for first in range(0, len(rows), BATCH):
            yield default_collate([images[each] for each in range(first, min(first + BATCH, len(rows)))])

    def _see(self, batch: Batch, predicted: np.ndarray) -> Seen:
        asked = {"predicted": torch.from_numpy(predicted), "label": batch["label"]}
        asked = asked if self.how == "gradcam" else {ATTENTION: batch["label"]}
        times = len(asked)
        images, index = (torch.cat([batch[name]] * times) for name in ("image", "index"))
        repeated = self.ready({"image": images, "index": index})
        network = self.model.network(repeated).eval()
        with inputs_of(self.model.head) as features:
            if self.how == "gradcam":
                place = last_feature_map(self.model.backbone, repeated["image"][:1])
                maps, cells = grad_cam(network, place, repeated["image"], torch.cat([*asked.values()])), place.cells
            else:
                maps, cells = attention_rollout(network, self.model.backbone, repeated["image"])
        named = dict(zip(asked, np.split(maps, times), strict=True))
        feature = as_kept(features[-1][: len(predicted)]).cpu().numpy()
        return Seen(_shown(batch), named, feature, cells)

    def ready(self, batch: Batch) -> Batch:
        """A batch as the network takes it: on its device, normalised, with attributes if it asks for them."""
        batch = self.data.on_before_batch_transfer(batch, 0)
        return self.data.normalize.batch(move_data_to_device(batch, self.model.device), torch.float32)


def _shown(batch: Batch) -> np.ndarray:
    """The pictures of a batch, RGB (B, H, W, 3), floats in 0..1."""
    image = batch["image"] if batch["image"].is_floating_point() else batch["image"] / 255
    return image.permute(0, 2, 3, 1).float().numpy()


def checkpoint_of(run: Run) -> Path:
    """The checkpoint whose results those of a run are.

    Raises:
        UserError: They are of several networks, or of groups of images, or the checkpoint is not there.
    """
    identity = run.identity
    if identity.get("members"):
        raise UserError(f"{run.folder} is the mean of several networks: explain the mistakes of one of these runs.")
    if identity.get("pool"):
        raise UserError(
            f"{run.folder} answers for groups of images, of which a network sees one at a time: explain the mistakes "
            "of the run whose images they are."
        )
    checkpoint = Path(identity.get("checkpoint") or run.best_checkpoint)
    if not checkpoint.is_file():
        raise UserError(
            f"There is no checkpoint {checkpoint}, without which the mistakes of {run.folder} cannot be explained: put "
            "it back, or train again."
        )
    return checkpoint
