"""The cache in memory."""

import os
import threading

import numpy as np
import pytest
from made_pictures import write

from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.pictures.memory_cache import MemoryCache
from lightning_imbal.errors import BadImageError


class TestMemoryCache:
    def test_holds_what_the_files_give(self, isic_root):
        for short_side in (None, 9, 32):
            files = ImageFiles(sorted(map(str, isic_root.glob("*/*.jpg")))[:5], short_side)
            cache = MemoryCache(files)
            assert len(cache) == len(list(cache)) == 5
            assert all(np.array_equal(kept, decoded) for kept, decoded in zip(cache, files, strict=True))

    def test_bad_file_is_named(self, tmp_path):
        good = write(tmp_path / "good.png", np.zeros((4, 4, 3), np.uint8))
        (tmp_path / "bad.jpg").touch()
        files = ImageFiles([str(good), str(tmp_path / "bad.jpg")])
        for images in (files, MemoryCache(files)):
            assert list(images.bad) == [1] and "bad.jpg is empty" in images.bad[1]
            assert images[0].shape == (4, 4, 3)
            with pytest.raises(BadImageError, match="bad.jpg"):
                images[1]

    def test_few_results_wait(self):
        taken, most, lock = 0, 0, threading.Lock()

        def decode(row):
            nonlocal most
            with lock:
                most = max(most, row - taken)
            return row

        for taken, row in enumerate(decode_ahead(decode, range(1000), "Testing", progress=False)):
            assert row == taken
        assert most <= 4 * os.cpu_count() + 1
