"""Augmentation recipes of the papers: albumentations pipelines on uint8 RGB pictures of any size.

A recipe is born with the side of the square the network sees; normalisation is not part of it, it belongs to the
DataModule. Downscaling averages over the pixel area, so that small inputs do not alias.
"""

from collections.abc import Callable

import albumentations as A

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

TransformFactory = Callable[[int], A.Compose]


class ImageNetCrop(A.Compose):
    """Training recipe of Marrakchi et al. 2021, section 4.3: random crop and scale, flip, colour distortion.

    Args:
        size: Side of the square, in pixels.
        min_scale: Smallest crop as a fraction of the picture's area.
        jitter: Strength of the change in brightness, contrast and saturation.
        hue: Strength of the change in hue, as a fraction of the colour circle.
    """

    def __init__(self, size: int, min_scale: float = 0.08, jitter: float = 0.4, hue: float = 0.2) -> None:
        super().__init__(
            [
                A.RandomResizedCrop((size, size), scale=(min_scale, 1.0), area_for_downscale="image"),
                A.HorizontalFlip(),
                A.ColorJitter((1 - jitter, 1 + jitter), (1 - jitter, 1 + jitter), (1 - jitter, 1 + jitter), hue, p=1.0),
            ]
        )


class ShiftCrop(A.Compose):
    """Training recipe for pictures where a flip changes the meaning: pad by an eighth, random crop.

    Args:
        size: Side of the square, in pixels.
    """

    def __init__(self, size: int) -> None:
        padded = size + 2 * (size // 8)
        super().__init__([A.Resize(size, size), A.PadIfNeeded(padded, padded), A.RandomCrop(size, size)])


class Squash(A.Compose):
    """Test recipe: resizes to a square without keeping the aspect ratio.

    Args:
        size: Side of the square that training sees, in pixels.
        ratio: Side of the test square over `size`: Marrakchi et al. 2021 train at 224 and test at 256.
    """

    def __init__(self, size: int, ratio: float = 1.0) -> None:
        side = round(size * ratio)
        super().__init__([A.Resize(side, side, area_for_downscale="image")])
