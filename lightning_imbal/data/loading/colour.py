"""Colour jitter as one matrix: what albumentations does in four steps is done once, also to a batch on the device."""

from typing import Any

import albumentations as A
import cv2
import numpy as np
import torch
from torch import Tensor

from lightning_imbal.errors import UserError

LUMA = np.array([0.299, 0.587, 0.114])  # of RGB, as OpenCV makes grey of it
GRID = 8  # pixels each way that tell how the colours of a picture turn
CHROMA = np.array([[1.0, -1, 0], [0, 1, -1]])  # nothing of what is grey
RIDGE = 1e-7 * np.eye(2)  # where a picture has fewer than two colours
IDENTITY, UNCHANGED = np.eye(3), np.eye(3, 4)
STEPS = 1024  # to which OpenCV rounds the factors of pixels of uint8
FLIPS = (A.HorizontalFlip, A.VerticalFlip)


class ColourMatrix(A.ColorJitter):  # type: ignore[misc]  # albumentations declares no types
    """Draws what `albumentations.ColorJitter` draws, and does it to an RGB picture by one matrix (3, 4).

    Brightness, contrast and saturation are linear in the pixels. A turn of the hue of HSV is so between two of the six
    pure colours: in its place stands the matrix that is nearest to it on this picture. Pixels are clipped and rounded
    once, not after each step.
    """

    on_device = False
    _matrix = UNCHANGED

    def apply(
        self,
        img: np.ndarray,
        brightness: float,
        contrast: float,
        saturation: float,
        hue: float,
        order: list[int],
        **params: Any,
    ) -> np.ndarray:
        """Returns the picture, uint8 or float32 in 0..1, in its new colours, or as it is with `on_device`."""
        self._matrix = colour_matrix(img, brightness, contrast, saturation, hue, order)
        if self.on_device:
            return img
        if img.dtype == np.uint8:
            return cv2.transform(img, _in_steps(self._matrix))
        image = cv2.transform(img, self._matrix)
        return image.clip(0, 1, out=image)

    def take_matrix(self) -> Tensor:
        """The matrix (3, 4) of a picture that has just been augmented, once: the next one may be left as it is."""
        matrix, self._matrix = self._matrix, UNCHANGED
        return torch.from_numpy(matrix.astype(np.float32))


def colour_matrix(
    image: np.ndarray, brightness: float, contrast: float, saturation: float, hue: float, order: list[int]
) -> np.ndarray:
    """Four steps in an order as one matrix (3, 4), for columns of red, green, blue and 1.

    Args:
        image: RGB (H, W, 3).
        brightness: Factor of all channels.
        contrast: Factor of the distance from the picture's mean grey, as it is when this step is reached.
        saturation: Factor of the distance from each pixel's grey.
        hue: Share of the colour circle.
        order: Numbers of the four above, from 0.
    """
    # The hue turns alike before and after the others, but pixels have another grey then. Of the rest, saturation keeps
    # the mean grey, brightness scales all that contrast adds, and factors do not mind their order.
    turn, turned = hue_matrix(image, hue) if hue else IDENTITY, order.index(3)
    grey = LUMA @ turn if turned < order.index(2) else LUMA
    colours = saturation * turn + (1 - saturation) * grey
    mean_grey = (LUMA @ colours if turned < order.index(1) else LUMA) @ cv2.mean(image)[:3]
    matrix = np.empty((3, 4))
    matrix[:, :3] = brightness * contrast * colours
    matrix[:, 3] = brightness * (1 - contrast) * mean_grey
    return matrix


def _in_steps(matrix: np.ndarray) -> np.ndarray:
    """The matrix with factors that OpenCV does not round, so that grey, which all rows treat alike, stays grey."""
    steps = np.rint(STEPS * matrix)
    of_grey = np.rint(STEPS * matrix[0, :3].sum())
    steps[:, 1] = of_grey - steps[:, 0] - steps[:, 2]
    return steps / STEPS


def hue_matrix(image: np.ndarray, hue: float) -> np.ndarray:
    """The matrix (3, 3) that keeps grey and is nearest to a turn of the hue, by least squares over a picture's pixels.

    The turn commutes with the other three steps, so that the colours before any of them tell of it.
    """
    height, width = image.shape[:2]
    pixels = image[:: -(-height // GRID), :: -(-width // GRID)].astype(np.float32)
    turned = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    turned[..., 0] += 360 * (hue % 1)  # type: ignore[arg-type]  # OpenCV takes 360 and more as well, but nothing below 0
    change = cv2.cvtColor(turned, cv2.COLOR_HSV2RGB) - pixels
    chroma = np.subtract(pixels[..., :2], pixels[..., 1:], dtype=np.float64).reshape(-1, 2)
    _, slope = cv2.solve(chroma.T @ chroma + RIDGE, chroma.T @ change.reshape(-1, 3))
    return IDENTITY + slope.T @ CHROMA


def leave_to_device(recipe: A.Compose) -> None:
    """From now on, the recipe draws and tells the colours of its pictures, and leaves them as they are.

    Raises:
        UserError: Their change is not the last step but for flips: what comes after it would see other pixels.
    """
    steps = [step for step in recipe.transforms if not isinstance(step, FLIPS)]
    if not steps or not isinstance(steps[-1], ColourMatrix):
        raise UserError(
            f"{type(recipe).__name__} does not end by changing colours, which data.colour_on_device needs: leave that "
            "out, or take ImageNetCrop, FlipJitter or ScaleShiftRotate."
        )
    steps[-1].on_device = True


def left_to_device(recipe: A.Compose) -> list[ColourMatrix]:
    """The step that a recipe leaves to the device; none if it leaves nothing."""
    return [step for step in recipe.transforms if isinstance(step, ColourMatrix) and step.on_device]


def recoloured(image: Tensor, matrix: Tensor) -> Tensor:
    """Returns pictures (..., 3, H, W), uint8 or floats in 0..1, as floats in 0..1 in new colours.

    Args:
        image: The pictures.
        matrix: Of each picture, (..., 3, 4), in units of its pixels.
    """
    matrix = matrix.to(torch.promote_types(matrix.dtype, torch.float32))  # a Trainer of half precision has rounded it
    matrix = matrix if image.is_floating_point() else matrix / 255
    red, green, blue, offset = (column[..., None, None] for column in matrix.unbind(-1))
    channels = [channel.to(matrix.dtype) for channel in image.split(1, dim=-3)]
    # No matrix product: on a GPU it might keep ten bits of a pixel.
    changed = torch.addcmul(offset, red, channels[0])
    return changed.addcmul_(green, channels[1]).addcmul_(blue, channels[2]).clamp_(0, 1)
