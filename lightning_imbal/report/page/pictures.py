"""Small pictures of images, as a page holds them."""

import base64
from collections.abc import Sequence
from pathlib import Path

from lightning_imbal.command_line import as_options
from lightning_imbal.errors import UserError

THUMBNAIL = 128


def pictures_of(folders: Sequence[Path], images: Sequence[str], root: str | None = None) -> tuple[dict[str, str], str]:
    """Small pictures of a data set, as addresses that hold them; and, if there are none, why.

    Args:
        folders: Of runs on it: one must tell where it is, and the first may have lost its configuration.
        images: Ids of the pictures.
        root: Where the data set is now, if not where the runs say.
    """
    # It builds the data set of a run, and so needs torch.
    from lightning_imbal.data.thumbnails import thumbnails

    complaints = []
    for folder in folders if images else ():
        try:
            found = thumbnails(folder, images, THUMBNAIL, root)
            return {image: address(jpeg) for image, jpeg in found.items()}, ""
        except UserError as error:
            complaints.append(as_options(str(error)))
    return {}, complaints[0] if complaints else ""


def address(jpeg: bytes) -> str:
    """An address that holds a picture."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
