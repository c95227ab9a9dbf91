"""How like two pictures are once one is laid on the other: near 1 only for one photograph, or one view of one thing."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

SIDE = 128
FINEST = 6.0  # pixels: what varies more slowly is light and shade, which unrelated pictures share
CLIP = 2.5
DARK = 0.4  # of the brightness of most of a picture: what is darker, beside an instrument's field, shows nothing
LEAST_COMMON = 0.1  # of the area of a picture: what is alike in less of it may be so by chance
STOP = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 15, 1e-3)
NOTHING = -1.0
# Looked at by eye (docs/duplicates.md): all pairs of HAM10000 from 0.6 on are one view of one lesion, as are few below.
LEAST = 0.6
DEVIATIONS = 5


class Detail(NamedTuple):
    """Fine structure of a picture, (`SIDE`, `SIDE`) float32 of equal contrast everywhere, and 1 where it shows any."""

    pixels: np.ndarray
    shown: np.ndarray


def turned(pixels: np.ndarray, turn: int) -> np.ndarray:
    """One of the 8 ways to lay a picture: 0 to 3 are quarter turns to the left, 4 to 7 those of its mirror image."""
    return np.ascontiguousarray(np.rot90(pixels[:, ::-1] if turn >= 4 else pixels, turn % 4))


def detail_of(picture: np.ndarray) -> Detail:
    """Fine structure of a picture, uint8 RGB (H, W, 3), without what all pictures of an instrument share.

    The round field of a lens and its rim are the strongest structure of photographs of the eye and of some of the skin.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    smooth = cv2.GaussianBlur(grey, (0, 0), 2)
    field = (smooth > DARK * np.percentile(smooth, 60)).astype(np.float32)
    rim = np.ones((2 * round(1.5 * FINEST) + 1,) * 2, np.uint8)
    shown = cv2.erode(field, rim, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    if shown.mean() < 0.1:
        shown = np.ones_like(shown)
    fine = (grey - cv2.GaussianBlur(grey, (0, 0), FINEST)) * shown
    contrast = np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), FINEST))
    fine /= contrast + np.sqrt((fine * fine).sum() / shown.sum()) / 4 + 0.5  # half a grey level is noise
    return Detail(fine.clip(-CLIP, CLIP), shown)


def likeness(first: Detail, second: Detail) -> float:
    """Correlation of two pictures where both show something, the second moved and stretched to lie on the first.

    The enhanced correlation coefficient (Evangelidis and Psarakis 2008) aligns them, at half the size and then whole;
    neither brightness nor contrast matters.
    """
    move: np.ndarray = np.eye(2, 3, dtype=np.float32)
    try:
        for ours, theirs, scale in ((_half(first), _half(second), 2), (first.pixels, second.pixels, 1)):
            move = cv2.findTransformECC(ours, theirs, move, cv2.MOTION_AFFINE, STOP)[1]
            move[:, 2] *= scale
    except cv2.error:  # they have nothing in common
        return NOTHING
    flags = cv2.INTER_LINEAR + cv2.WARP_INVERSE_MAP
    moved, shown = (cv2.warpAffine(each, move, (SIDE, SIDE), flags=flags) for each in second)
    both = (shown > 0.99) & (first.shown > 0)
    if both.mean() < LEAST_COMMON:
        return NOTHING
    ours, theirs = (pixels[both] - pixels[both].mean() for pixels in (first.pixels, moved))
    spread = float(np.sqrt((ours @ ours) * (theirs @ theirs)))
    return float(ours @ theirs) / spread if spread > 0 else NOTHING


def _half(detail: Detail) -> np.ndarray:
    return cv2.resize(cv2.GaussianBlur(detail.pixels, (0, 0), 1.5), (SIDE // 2,) * 2, interpolation=cv2.INTER_AREA)


def threshold(unrelated: Sequence[float]) -> float:
    """The likeness from which two pictures are taken for the same, from that of unrelated pictures of the data set.

    It lies `DEVIATIONS` standard deviations above theirs (of Fisher's z, by median and quartiles: a few copies among
    them do not matter), and never below `LEAST`.
    """
    scores = np.array(unrelated)
    z = np.arctanh(scores[scores > NOTHING].clip(-0.999, 0.999))
    if not len(z):
        return LEAST
    low, middle, high = np.quantile(z, [0.25, 0.5, 0.75])
    return max(LEAST, float(np.tanh(middle + DEVIATIONS * (high - low) / 1.349)))
