"""Pictures of a folder, to be predicted."""

from pathlib import Path

import albumentations as A
import numpy as np

from lightning_imbal.data.index.listing import IMAGE_SUFFIXES, pictures_below, refuse_unnamed_dicom
from lightning_imbal.data.loading.image_dataset import ImageDataset
from lightning_imbal.data.pictures.depths import look_for_depths
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.pictures.grey_levels import BY_ITSELF, Reading
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import beside


def folder_dataset(
    folder: str | Path, recipe: A.Compose, short_side: int, reading: Reading = BY_ITSELF
) -> tuple[ImageDataset, list[Path]]:
    """All pictures below a folder, without labels, and their files in the same order.

    Args:
        folder: Where to look.
        recipe: Picture to picture of the network's size.
        short_side: Larger pictures are reduced to it, in pixels.
        reading: How deep pictures are read.

    Raises:
        UserError: There are none; or one is deep, and which of its values are black and white is not known.
    """
    if not Path(folder).is_dir():
        raise UserError(f"There is no folder {folder}: {beside(folder) or 'give that of the pictures.'}")
    files = pictures_below(folder)
    if not files:
        refuse_unnamed_dicom(folder)
        raise UserError(f"No images below {folder}: looked for files ending in {', '.join(sorted(IMAGE_SUFFIXES))}.")
    paths, nothing = [str(file) for file in files], np.zeros(len(files), dtype=int)
    if reading.lacks_range:
        look_for_depths(paths).refuse_without_range(reading)
    images = ImageFiles(paths, short_side, reading=reading)
    return ImageDataset(images, nothing, np.arange(len(files)), [recipe]), files
