"""Small copies of the pictures of a run's data set. Importing this imports torch."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import yaml
from jsonargparse import ArgumentError

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.build import build_data
from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.errors import BadImageError, UserError
from lightning_imbal.runs.folder import stages_of

QUALITY = 80


def thumbnails(folder: Path, images: Sequence[str], side: int = 128, root: str | None = None) -> dict[str, bytes]:
    """Reads some pictures of a run's data set, whose folder is looked for from the working directory if relative.

    Args:
        folder: The run, or a folder inside it.
        images: Ids of the pictures.
        side: Longer side of what is returned, in pixels. A smaller picture has its pixels repeated, as often as fits.
        root: Folder of the data set, if it is no longer where the run says.

    Returns:
        JPEG files by id, without ids that the data set does not have and pictures that cannot be read.

    Raises:
        UserError: The run does not tell its data set, or that is not here; the message names the run.
    """
    try:
        data = _data_of(folder, root)
        data.short_side = side
        rows = pd.Index(data.index["image"].astype("str")).get_indexer(images)
        pictures = data.images
    except UserError as error:
        raise UserError(f"The pictures of {folder} cannot be shown: {error}") from error
    known = {str(image): int(row) for image, row in zip(images, rows, strict=True) if row >= 0}
    encoded = decode_ahead(lambda row: _thumbnail(pictures, row, side), list(known.values()), "Reading pictures")
    return {image: jpeg for image, jpeg in zip(known, encoded, strict=True) if jpeg is not None}


def _data_of(folder: Path, root: str | None) -> ImbalDataModule:
    """Builds the data module of a run's last stage, so that it reads no more than what is asked for."""
    file = next((stage / "config.yaml" for stage in reversed(stages_of(folder))), None)
    if file is None or not file.is_file():
        raise UserError("it has no stage with a config.yaml: give the folder that `fit` wrote to.")
    settings = (yaml.safe_load(file.read_text()) or {}).get("data")
    if not settings:
        raise UserError(f"{file} names no data: give the folder that `fit` wrote to.")
    if root is not None:
        settings["init_args"] = (settings.get("init_args") or {}) | {"root": root}
    try:
        data = build_data(settings)
    except ArgumentError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f"the data of {file} are unknown here ({reason}): go to where the run was started.") from error
    # Pictures that are absent are left out, and nothing is downloaded for a page.
    data.cache, data.on_bad_image = "none", "skip"
    data.depth.asked = replace(data.depth.asked, bits=8)
    if hasattr(data, "download"):
        data.download = False
    return data


def _thumbnail(pictures: Pictures, row: int, side: int) -> bytes | None:
    """The JPEG file of a picture; None if it cannot be read."""
    try:
        return small_jpeg(pictures[row], side)
    except BadImageError:
        return None


def small_jpeg(picture: np.ndarray, side: int) -> bytes:
    """A JPEG file of a picture, grey (H, W) or RGB (H, W, 3), uint8.

    Args:
        picture: The picture.
        side: Longer side of what is returned, in pixels. A smaller picture has its pixels repeated, as often as fits.
    """
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    else:
        picture = picture.repeat(int(scale), axis=0).repeat(int(scale), axis=1)
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
