"""Looks a data set over before it is used, and decodes its pictures once and for all."""

import os
from collections.abc import Sequence
from typing import Any

import pandas as pd

from lightning_imbal.data.index.listing import IMAGE_SUFFIXES
from lightning_imbal.data.labelled_images import LabelledImages
from lightning_imbal.data.pictures.open import disk_cache
from lightning_imbal.data.sample_table import count_images


def prepare(data: LabelledImages, verify: bool = False) -> dict[str, Any]:
    """Checks layout, labels and official counts, opens every picture, and builds the disk cache.

    Args:
        data: The data set; its `cache_dir` and `short_side` say where and how large.
        verify: Also reads the whole cache and compares its checksums.

    Returns:
        `classes` (name, images and official number of each), `complaints` and `remarks` (sentences), `unused` (pictures
        beside the labelled ones that have no label here) and, for pictures in files, `unreadable` (image, or the first
        that is cut from it, and cause), `decoded` (files decoded in this call), `cache` (folder), `bytes` and `depths`
        (sentences on deep pictures).

    Raises:
        UserError: The layout is not that of the data set, or the cache cannot be written.
    """
    data.on_bad_image = "skip"
    index = data.index
    counts = count_images(index["label"], data.class_names)
    official: Sequence[int | None] = data.official_counts or [None] * len(counts)
    found: dict[str, Any] = {
        "name": type(data).__name__,
        "classes": [
            {"name": name, "images": images, "official": number}
            for (name, images), number in zip(counts.items(), official, strict=True)
        ],
        "complaints": data.check_source(),
        "remarks": data.remarks,
    }
    if data.official_counts and list(counts.values()) != list(data.official_counts):
        found["complaints"].append(
            f"{found['name']} has {len(index)} images, the official release {sum(data.official_counts)}: "
            "see which classes differ."
        )
    files = data.files.drop_duplicates()
    if files.empty:
        return found
    data.depth.found = data.depth.look(values=True, dicom=True)
    images = disk_cache(files, data.file_side, data.cache_dir, found["name"], *data.depth.how)
    found["decoded"] = images.build()
    if verify:
        found["complaints"] += [
            f"{file} does not match its checksum: delete it and prepare again." for file in images.verify()
        ]
    image = index["image"][files.index].to_numpy()
    found["unreadable"] = [{"image": str(image[row]), "cause": cause} for row, cause in sorted(images.bad.items())]
    found["unused"] = _unused(files)
    found["depths"] = data.depth.said
    return found | {"cache": str(images.folder), "bytes": images.nbytes}


def _unused(path: pd.Series) -> list[str]:
    """Pictures in the folders of the labelled ones that the index does not name."""
    folders = path.str.rsplit("/", n=1).str[0].unique()
    beside = pd.Series(
        [f"{folder}/{name}" for folder in folders if os.path.isdir(folder) for name in os.listdir(folder)]
    )
    pictures = beside[beside.str.lower().str.endswith(tuple(IMAGE_SUFFIXES))]
    return sorted(pictures[~pictures.isin(path)])
