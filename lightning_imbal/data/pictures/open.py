"""Opens the pictures of an index in the way that was asked for, and finds those that cannot be used."""

from typing import Literal

import pandas as pd

from lightning_imbal.data.index.find_files import absent_files
from lightning_imbal.data.pictures.disk_cache import DiskCache, cache_folder
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.pictures.grey_levels import BY_ITSELF, Reading
from lightning_imbal.data.pictures.memory_cache import MemoryCache
from lightning_imbal.errors import BadImageError, DatasetNotFoundError
from lightning_imbal.processes import is_first

Cache = Literal["none", "memory", "disk"]
OnBadImage = Literal["raise", "skip"]
CACHE_DIR = "~/.cache/lightning_imbal"


def open_images(
    path: pd.Series,
    short_side: int,
    cache: Cache,
    cache_dir: str,
    name: str,
    on_bad_image: OnBadImage,
    reading: Reading = BY_ITSELF,
    identity: str = "",
) -> ImageFiles | MemoryCache | DiskCache:
    """Opens pictures by row number, through a cache or not.

    Args:
        path: File of every row.
        short_side: Larger pictures are reduced to it, in pixels.
        cache: Decode at each use, keep decoded in memory, or keep decoded in a memory-mapped file.
        cache_dir: Folder of all disk caches, and of what is known of pictures without one.
        name: Name of the data set, for what is kept of it there.
        on_bad_image: Whether to refuse pictures that a cache could not decode.
        reading: How deep pictures are read.
        identity: What decides how they look, see `Depths.identity`.

    Raises:
        BadImageError: Some could not be decoded; the message names the first.
    """
    if cache == "none":
        folder = cache_folder(cache_dir, name, path.tolist(), short_side, identity)
        return ImageFiles(path.tolist(), short_side, folder.with_name(f"{folder.name}.opened"), reading)
    images: MemoryCache | DiskCache
    if cache == "memory":
        images = MemoryCache(ImageFiles(path.tolist(), short_side, reading=reading))
    else:
        images = on_disk = disk_cache(path, short_side, cache_dir, name, reading, identity)
        on_disk.build(progress=is_first())
    if images.bad and on_bad_image == "raise":
        raise unreadable(len(images.bad), len(images), images.bad[min(images.bad)])
    return images


def unreadable(number: int, of: int, first: str) -> BadImageError:
    """The refusal of pictures that cannot be decoded, with the cause of the first."""
    return BadImageError(
        f"{number} of {of} images cannot be read. The first: {first} Or leave them out with data.on_bad_image=skip."
    )


def disk_cache(
    path: pd.Series, short_side: int, cache_dir: str, name: str, reading: Reading = BY_ITSELF, identity: str = ""
) -> DiskCache:
    """The disk cache of these pictures, whether it has been built or not."""
    paths = path.tolist()
    return DiskCache(cache_folder(cache_dir, name, paths, short_side, identity), paths, short_side, reading)


def refuse_absent(path: pd.Series, owner: str) -> None:
    """Looks for every file, without opening it.

    Raises:
        DatasetNotFoundError: Some are absent; the message names the first.
    """
    absent = path[absent_files(path)]
    if len(absent):
        raise DatasetNotFoundError(
            f"{len(absent)} of the {len(path)} images of {owner} are absent, the first is {absent.iloc[0]}: "
            "unpack the data set again, or leave them out with data.on_bad_image=skip."
        )
