"""Joins what shows the same photograph to groups that a split keeps together."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from lightning.pytorch.utilities import rank_zero_info
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lightning_imbal.data.copies.find import Candidates, find_candidates, look_at_files, read_small, same_content
from lightning_imbal.data.copies.look import Look, look_at_pixels
from lightning_imbal.data.copies.store import store_of
from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.base import Pictures
from lightning_imbal.data.pictures.open import OnBadImage, unreadable


def copies_of_files(paths: pd.Series, cache_dir: str | Path, on_bad_image: OnBadImage) -> np.ndarray:
    """Numbers all pictures (N,), those of the same photograph alike; one that cannot be read is on its own.

    Args:
        paths: File of every picture.
        cache_dir: Folder that keeps what pictures look like.
        on_bad_image: Whether to refuse pictures that cannot be read.

    Raises:
        BadImageError: Some cannot be read; the message names the first.
    """
    files = paths.tolist()
    store = store_of(files, cache_dir)
    looks = look_at_files(files, store)
    bad = [look.cause for look in looks if look.cause is not None]
    if bad and on_bad_image == "raise":
        raise unreadable(len(bad), len(looks), bad[0])
    return _same_photograph(looks, find_candidates(looks, read_small(files), store))


def copies_of_pictures(pictures: Pictures) -> np.ndarray:
    """The same for pictures that are no files of their own."""
    looks = list(decode_ahead(lambda row: look_at_pixels(pictures[row]), range(len(pictures)), "Hashing pictures"))
    return _same_photograph(looks, find_candidates(looks, pictures.__getitem__))


def join_groups(group: np.ndarray, copies: np.ndarray) -> np.ndarray:
    """Groups (N,) by name, those joined that share a photograph; each has the name of its first. Tells how many.

    Args:
        group: The group of every picture by its name (N,).
        copies: Number of every picture's photograph (N,).
    """
    _, first, copies = np.unique(copies, return_index=True, return_inverse=True)
    images = np.bincount(copies)
    several = images[images > 1]
    rank_zero_info(
        f"duplicates: {several.sum()} pictures in {len(several)} sets of the same photograph are kept together."
    )
    number, names = pd.factorize(group)
    pairs = np.stack([first[copies], np.arange(len(copies))], axis=1)
    return np.asarray(names, dtype=object)[_joined(number, pairs)]


def _same_photograph(looks: Sequence[Look], found: Candidates) -> np.ndarray:
    return _joined(same_content(looks), found.pairs[found.confirmed, :2])


def _joined(number: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Numbers (N,) of which those in the rows of a pair become one: the smallest of all that hang together."""
    size = number.max(initial=-1) + 1
    ends = number[pairs.T]
    part = connected_components(coo_array((np.ones(len(pairs)), tuple(ends)), shape=(size, size)), directed=False)[1]
    return np.unique(part, return_index=True)[1][part][number]
