"""What crosses between data and modules: one batch, and what a module may ask of the data it is trained on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, runtime_checkable

import numpy as np
from torch import Tensor, nn
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from lightning.pytorch import Trainer


class Batch(TypedDict, total=False):
    """What a step of training or testing gets.

    Attributes:
        image: (B, 3, H, W), or (B, V, 3, H, W) for V views.
        colour: (B, 3, 4) or (B, V, 3, 4), the change of colours that is left to the device.
        feature: (B, D), where features are stored instead of images.
        label: (B,).
        index: Rows (B,) of the sample table.
        metadata: Attributes (B, K) of the images as numbers, for a module that has asked for them.
        other: A second batch, drawn by the data's `paired_sampler`.
    """

    image: Tensor
    colour: Tensor
    feature: Tensor
    label: Tensor
    index: Tensor
    metadata: Tensor
    other: "Batch"


@runtime_checkable
class ImbalData(Protocol):
    """What a module may ask of the data that it is trained on.

    Attributes:
        normalize: How pictures are normalised, with the buffers `mean` and `std`.
        train_recipes: The augmentation of each view of a training image.
        paired_sampler: Builds what draws a second image beside each one; None if there is none.
        stored: Stored features by part.
    """

    @property
    def normalize(self) -> nn.Module: ...

    @property
    def train_recipes(self) -> Sequence[Any]: ...

    @property
    def paired_sampler(self) -> Any: ...

    @property
    def stored(self) -> Mapping[str, Any]: ...

    def rows(self, part: str) -> np.ndarray:
        """Row numbers of a part in the sample table."""

    def store_features(
        self, encode: Callable[[DataLoader[Any]], Tensor], views: int, val: bool = True, whole_batches: bool = False
    ) -> None:
        """Puts stored features in the place of the images of the training and the validation part."""

    def forget_features(self) -> None:
        """Puts the images back."""

    def give_metadata(self, encoding: list[dict[str, Any]]) -> None:
        """From now on, batches hold the attributes of their images as `metadata`, in such numbers; or none of them."""

    def val_dataloader(self) -> DataLoader[Any] | Iterable[Any]:
        """Loads the validation part; nothing if the split has none."""


@runtime_checkable
class FeatureData(Protocol):
    """Data that may give features which were stored before, instead of images.

    Attributes:
        features: Their folder; None where images are looked at.
        image_size: Side of the images that they are of, in pixels.
    """

    @property
    def features(self) -> str | None: ...

    @property
    def image_size(self) -> int: ...

    def read_features(self, views: int | None, whole_batches: bool = False) -> None:
        """Puts them in the place of the images of every part."""

    def versions(self, views: int | None) -> int:
        """How many versions of a training image there are to use, of so many that are wanted."""

    def check_features(self, network: dict[str, Any]) -> None:
        """Refuses them where they are not of this data and of a network of which so much is known."""


@runtime_checkable
class DeepData(Protocol):
    """Data whose pictures may have more than 8 bits, of which a trained network knows what is black and white.

    Attributes:
        depth: With `kept`, what a checkpoint keeps, and `identity`, how such pictures are read (empty without any).
    """

    @property
    def depth(self) -> Any: ...

    def take_depth(self, kept: dict[str, Any]) -> None:
        """Reads pictures as those of the training that has kept this."""


@runtime_checkable
class OpenNormalization(Protocol):
    """A normalisation of pictures whose mean and deviation may be left open, for the weights of a network to decide."""

    def take(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Takes those of the two that were left open, per RGB channel, pixels in 0..1."""


def data_of(trainer: "Trainer") -> Any:
    """The DataModule of a Trainer, of any kind."""
    return trainer.datamodule  # type: ignore[attr-defined]  # Lightning sets it, but does not declare it


def known_data(datamodule: Any) -> ImbalData | None:
    """The DataModule of a Trainer, if a module may ask it all this; None if it is of another kind."""
    return datamodule if isinstance(datamodule, ImbalData) else None


def image_count(data: ImbalData) -> Callable[[str], int]:
    """What counts the images of a part: what losses, heads and predictors want to know of the data."""
    return lambda part: len(data.rows(part))
