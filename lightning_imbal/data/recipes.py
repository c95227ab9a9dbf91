"""Augmentation recipes of the papers: albumentations pipelines on uint8 RGB pictures of any size.

A recipe is born with the side of the square the network sees; normalisation is not part of it, it belongs to the
DataModule, which also reduces larger pictures to a short side of twice the size. Squashing averages over the pixel
area, so that small inputs do not alias. Colours change by one matrix (`ColourMatrix`). What a rotation, shift or
shrinkage leaves empty is black. No recipe writes into the picture it is given.
"""

from collections.abc import Callable

import albumentations as A

from lightning_imbal.data.loading.colour import ColourMatrix

TransformFactory = Callable[[int], A.Compose]


class ImageNetCrop(A.Compose):
    """Training recipe of Marrakchi et al. 2021, section 4.3: random crop and scale, flip, colour distortion.

    With `hue=0.1` it is T1 of ECL (Zhang et al. 2023, section 3.1): there "default on ImageNet", after He et al. 2016.

    Args:
        size: Side of the square, in pixels.
        min_scale: Smallest crop as a fraction of the picture's area.
        jitter: Strength of the change in brightness, contrast and saturation, as a fraction.
        hue: Strength of the change in hue, as a fraction of the colour circle.
    """

    def __init__(self, size: int, min_scale: float = 0.08, jitter: float = 0.4, hue: float = 0.2) -> None:
        super().__init__(_imagenet(size, min_scale, jitter, hue))


class StrongCrop(A.Compose):
    """T2 of ECL (Zhang et al. 2023, section 3.1): T1, then vertical flip, rotation by up to 90 degrees, grey in 20 %.

    The paper gives no strengths: the angle, the share of grey pictures, the jitter and the hue are the released code's.

    Args:
        size: Side of the square, in pixels.
        min_scale: Smallest crop as a fraction of the picture's area.
        jitter: Strength of the change in brightness, contrast and saturation, as a fraction.
        hue: Strength of the change in hue, as a fraction of the colour circle.
        jitter_probability: Share of the pictures whose colours change.
    """

    def __init__(
        self,
        size: int,
        min_scale: float = 0.08,
        jitter: float = 0.4,
        hue: float = 0.1,
        jitter_probability: float = 1.0,
    ) -> None:
        extra = [A.VerticalFlip(), A.Rotate(90, p=1.0), A.ToGray(p=0.2)]
        super().__init__([*_imagenet(size, min_scale, jitter, hue, jitter_probability), *extra])


class FlipJitter(A.Compose):
    """First view of the code released with ECL (Zhang et al. 2023): squash, horizontal flip, colour jitter; no crop.

    Args:
        size: Side of the square, in pixels.
        jitter: Strength of the change in brightness, contrast and saturation, as a fraction.
        hue: Strength of the change in hue, as a fraction of the colour circle.
        jitter_probability: Share of the pictures whose colours change.
    """

    def __init__(self, size: int, jitter: float = 0.4, hue: float = 0.1, jitter_probability: float = 0.8) -> None:
        super().__init__([_squash(size), A.HorizontalFlip(), _colour_jitter(jitter, hue, jitter_probability)])


class RotateCrop(A.Compose):
    """Training recipe of Zeng et al. 2023, section 3.1, "Implementation details": rotation, random crop, flip.

    `rotation=0` is the recipe of Chen et al. 2021, section 3.1, for Skin7; with `ratio=1` that for OCTMNIST and X-ray6.

    Args:
        size: Side of the square, in pixels.
        rotation: Largest angle in either direction, in degrees; 0 leaves the rotation out.
        ratio: Side of the square that is cropped from over `size`.
    """

    def __init__(self, size: int, rotation: float = 30.0, ratio: float = 300 / 224) -> None:
        side = round(size * ratio)
        # Rotated after the squash, oblong pictures would be sheared; shrinking with the aspect kept only saves pixels.
        shrunk = A.SmallestMaxSize(side, area_for_downscale="image")
        rotate = [shrunk, A.Rotate(rotation, p=1.0)] if rotation else []
        super().__init__([*rotate, _squash(side), A.RandomCrop(size, size), A.HorizontalFlip()])


class ScaleShiftRotate(A.Compose):
    """Training recipe of Galdran et al. 2021, section 2.4 ("standard data augmentation"), as in the released code.

    Squash; then either scale by 0.95 to 1.20, shift sideways by up to 5 % or rotate by up to 45 degrees; then colour
    jitter, horizontal flip and vertical flip.

    Args:
        size: Side of the square, in pixels.
    """

    def __init__(self, size: int) -> None:
        geometric = [
            A.Affine(scale=(0.95, 1.2), keep_ratio=True),
            A.Affine(translate_percent={"x": (-0.05, 0.05)}),
            A.Rotate(45),
        ]
        flips = [A.HorizontalFlip(), A.VerticalFlip()]
        super().__init__([_squash(size), A.OneOf(geometric, p=1.0), _colour_jitter(0.25, hue=0.01), *flips])


class ShiftCrop(A.Compose):
    """Training recipe for pictures where a flip changes the meaning: pad by an eighth, random crop.

    Args:
        size: Side of the square, in pixels.
    """

    def __init__(self, size: int) -> None:
        padded = size + 2 * (size // 8)
        super().__init__([_squash(size), A.PadIfNeeded(padded, padded), A.RandomCrop(size, size)])


class Squash(A.Compose):
    """Test recipe: resizes to a square without keeping the aspect ratio.

    Args:
        size: Side of the square that training sees, in pixels.
        ratio: Side of the test square over `size`: Marrakchi et al. 2021 train at 224 and test at 256.
    """

    def __init__(self, size: int, ratio: float = 1.0) -> None:
        super().__init__([_squash(round(size * ratio))])


class CenterCrop(A.Compose):
    """Test recipe of Zeng et al. 2023, section 3.1, and of the code of Chen et al. 2021: squash, centre crop.

    Args:
        size: Side of the square, in pixels.
        ratio: Side of the square that is cropped from over `size`.
    """

    def __init__(self, size: int, ratio: float = 300 / 224) -> None:
        super().__init__([_squash(round(size * ratio)), A.CenterCrop(size, size)])


def _squash(side: int) -> A.Resize:
    return A.Resize(side, side, area_for_downscale="image")


def _colour_jitter(strength: float, hue: float, probability: float = 1.0) -> ColourMatrix:
    factor = (1 - strength, 1 + strength)
    return ColourMatrix(factor, factor, factor, hue, p=probability)


def _imagenet(
    size: int, min_scale: float, jitter: float, hue: float, jitter_probability: float = 1.0
) -> list[A.BasicTransform]:
    # From pictures of twice the side, interpolating is as good as averaging over areas and six times as fast.
    crop = A.RandomResizedCrop((size, size), scale=(min_scale, 1.0))
    return [crop, A.HorizontalFlip(), _colour_jitter(jitter, hue, jitter_probability)]
