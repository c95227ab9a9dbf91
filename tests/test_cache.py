"""Decoding of pictures, the cache in memory and the cache on disk."""

import io
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from lightning_imbal.data.pictures import disk_cache
from lightning_imbal.data.pictures.ahead import decode_ahead
from lightning_imbal.data.pictures.disk_cache import DiskCache, cache_folder
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.pictures.memory_cache import MemoryCache
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.errors import BadImageError, UserError

RGB = (200, 100, 50)
TURNED = Image.Exif()
TURNED[0x0112] = 6  # the camera was turned by 90 degrees
DiskUsage = namedtuple("DiskUsage", "total used free")


def smooth(height, width, seed=0):
    """A picture without noise, which looks alike at every scale."""
    coarse = np.random.default_rng(seed).integers(40, 216, (3, 4, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def encode(image, kind, **options):
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, kind, **options)
    return buffer.getvalue()


def write(path, pixels):
    """Writes a picture whose channels are in the order that cv2 expects, also where the path is not ASCII."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
    return path


def difference(image, other):
    return np.abs(image.astype(int) - other.astype(int)).mean()


class TestReadImage:
    @pytest.mark.parametrize(
        "pixel, expected",
        [
            (np.array(RGB[::-1], np.uint8), RGB),
            (np.array([*RGB[::-1], 128], np.uint8), RGB),
            (np.array(RGB[::-1], np.uint16) * 257, RGB),
            (np.array([90], np.uint8), (90, 90, 90)),
            (np.array([90], np.uint16) * 257, (90, 90, 90)),
        ],
        ids=["rgb", "rgba", "16 bit", "grey", "16 bit grey"],
    )
    @pytest.mark.parametrize("short_side", [None, 3, 9])
    def test_any_png_becomes_uint8_rgb(self, tmp_path, pixel, expected, short_side):
        path = write(tmp_path / "image.png", np.broadcast_to(pixel, (6, 8, len(pixel))).copy())
        image = read_image(path, short_side)
        assert image.shape == ((3, 4, 3) if short_side == 3 else (6, 8, 3)) and image.dtype == np.uint8
        assert (image == expected).all()

    @pytest.mark.parametrize("mode, kind", [("P", "PNG"), ("LA", "PNG"), ("CMYK", "JPEG"), ("L", "JPEG")])
    @pytest.mark.parametrize("short_side", [None, 20])
    def test_other_colour_modes(self, tmp_path, mode, kind, short_side):
        picture = Image.fromarray(smooth(60, 80)).convert(mode)
        path = tmp_path / "image.bin"
        path.write_bytes(encode(picture, kind))
        image = read_image(path, short_side)
        expected = np.asarray(picture.convert("RGB"))
        if short_side:
            expected = cv2.resize(expected, (27, 20), interpolation=cv2.INTER_AREA)
        assert image.shape == expected.shape and difference(image, expected) < 3

    def test_path_is_not_ascii(self, tmp_path):
        path = write(tmp_path / "Läsionen 皮膚" / "bösartig.png", np.full((4, 4, 3), 9, np.uint8))
        assert (read_image(str(path)) == 9).all()

    @pytest.mark.parametrize("short_side, shape", [(None, (240, 180, 3)), (20, (27, 20, 3)), (100, (133, 100, 3))])
    def test_exif_orientation_is_followed(self, tmp_path, short_side, shape):
        path = tmp_path / "turned.jpg"
        path.write_bytes(encode(smooth(180, 240), "JPEG", exif=TURNED))
        image = read_image(path, short_side)
        upright = np.rot90(smooth(180, 240), -1).copy()
        expected = cv2.resize(upright, shape[1::-1], interpolation=cv2.INTER_AREA)
        assert image.shape == shape and difference(image, expected) < 3

    @pytest.mark.parametrize("short_side", [20, 30, 64, 75, 150])
    @pytest.mark.parametrize("shape", [(301, 403), (403, 301), (303, 301), (301, 303)])
    @pytest.mark.parametrize("progressive", [False, True])
    def test_reduced_decoding_is_area_averaging(self, tmp_path, short_side, shape, progressive):
        path = tmp_path / "image.jpg"
        path.write_bytes(encode(smooth(*shape), "JPEG", quality=95, progressive=progressive))
        whole = read_image(path)
        scale = short_side / min(shape)
        size = (round(shape[1] * scale), round(shape[0] * scale))
        expected = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
        image = read_image(path, short_side)
        assert image.shape == expected.shape and min(image.shape[:2]) == short_side
        assert image.dtype == np.uint8 and image.flags.c_contiguous
        assert difference(image, expected) < 2

    @pytest.mark.parametrize("short_side, expected", [(271, 301), (270, 270), (400, 301)])
    def test_a_tenth_too_much_is_left(self, tmp_path, short_side, expected):
        path = tmp_path / "image.jpg"
        path.write_bytes(encode(smooth(301, 403), "JPEG"))
        assert min(read_image(path, short_side).shape[:2]) == expected

    def test_large_jpeg_is_decoded_at_the_smallest_scale_that_suffices(self, tmp_path, monkeypatch):
        path, flags, imdecode = tmp_path / "image.jpg", [], cv2.imdecode
        path.write_bytes(encode(smooth(320, 400), "JPEG"))
        monkeypatch.setattr(cv2, "imdecode", lambda data, flag: flags.append(flag) or imdecode(data, flag))
        for short_side in (40, 41, 80, 81, 160, 161, 320, 321):
            read_image(path, short_side)
        names = [f"IMREAD_REDUCED_COLOR_{n}" for n in (8, 4, 4, 2, 2)] + 3 * ["IMREAD_COLOR"]
        assert flags == [getattr(cv2, name) for name in names]


def bad_contents():
    rng = random.Random(0)
    jpeg, png = encode(smooth(120, 160), "JPEG"), encode(smooth(120, 160), "PNG")
    yield from {
        "empty": b"",
        "noise": rng.randbytes(500),
        "text": b"<html>404 not found</html>",
        "jpeg header only": b"\xff\xd8\xff\xe0" + bytes(500),
        "padded half of a jpeg": jpeg[: len(jpeg) // 2] + bytes(len(jpeg) - len(jpeg) // 2),
        "half of a progressive jpeg": encode(smooth(120, 160), "JPEG", progressive=True)[:900],
        "damaged png": png[:200] + bytes(100) + png[300:],
    }.items()
    for name, content in (("jpeg", jpeg), ("png", png)):
        yield f"half of a {name}", content[: len(content) // 2]
        yield from ((f"{name} less {cut} bytes", content[:-cut]) for cut in range(1, 21))


class TestBadImages:
    @pytest.mark.parametrize("short_side", [None, 16])
    @pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in bad_contents()])
    def test_content(self, tmp_path, content, short_side):
        path = tmp_path / "lesion_7.jpg"
        path.write_bytes(content)
        with pytest.raises(BadImageError, match="lesion_7.jpg") as caught:
            ImageFiles([str(path)], short_side)[0]
        assert not isinstance(caught.value.__cause__, OSError)

    @pytest.mark.parametrize(
        "content, said",
        [
            (b"", "is empty"),
            (encode(smooth(60, 80), "JPEG")[:-9], "is truncated"),
            (b"text", "damaged or no picture"),
        ],
    )
    def test_message_says_the_cause(self, tmp_path, content, said):
        (tmp_path / "lesion_7.jpg").write_bytes(content)
        with pytest.raises(BadImageError, match=f"lesion_7.jpg.* {said}.* remove it"):
            read_image(tmp_path / "lesion_7.jpg")

    def test_missing_file(self, tmp_path):
        with pytest.raises(BadImageError, match=r"lesion_7.jpg \(No such file.*\): restore") as caught:
            read_image(tmp_path / "lesion_7.jpg")
        assert isinstance(caught.value.__cause__, OSError)

    def test_folder_instead_of_a_file(self, tmp_path):
        with pytest.raises(BadImageError, match="Is a directory"):
            read_image(tmp_path)

    def test_file_that_may_not_be_read(self, tmp_path, monkeypatch):
        def refuse(path):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(BadImageError, match=r"lesion_7.jpg \(Permission denied\): allow it"):
            read_image(tmp_path / "lesion_7.jpg")

    @pytest.mark.parametrize(
        "tail", [bytes(1), bytes(1000), b"\n", b"made by a camera" * 9, b"\xff\xd8\xff\xe0 and more"]
    )
    @pytest.mark.parametrize("kind", ["JPEG", "PNG"])
    def test_bytes_behind_the_end_are_no_fault(self, tmp_path, kind, tail):
        content = encode(smooth(60, 80), kind)
        (tmp_path / "whole").write_bytes(content)
        (tmp_path / "longer").write_bytes(content + tail)
        assert np.array_equal(read_image(tmp_path / "longer"), read_image(tmp_path / "whole"))
        assert read_image(tmp_path / "longer", 20).shape == (20, 27, 3)


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


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(disk_cache, "SHARD", 4)


@pytest.fixture
def paths(tmp_path, small_shards):
    """Ten pictures of different shapes, some of which are reduced: two full shards and a half one."""
    found = []
    for i in range(10):
        path = tmp_path / "images" / f"ISIC_{i:03d}.{'png' if i % 3 else 'jpg'}"
        found.append(str(write(path, smooth(24 + 9 * i, 90 - 4 * i, seed=i))))
    return found


@pytest.fixture
def cache(tmp_path, paths):
    built = DiskCache(tmp_path / "cache", paths, 40)
    assert built.build(progress=False) == 10
    return built


def again(cache, **changes):
    """The same cache as another process would open it."""
    return DiskCache(**{"folder": cache.folder, "paths": cache.paths, "short_side": cache.short_side} | changes)


def times(cache):
    return {file.name: file.stat().st_mtime_ns for file in cache.folder.glob("shard-*")}


def change(path, seed=99):
    write(Path(path), smooth(50, 50, seed))
    os.utime(path, ns=(1, 1))


class TestDiskCache:
    def test_equals_the_files(self, cache, paths):
        assert len(cache) == len(list(cache)) == 10
        files = ImageFiles(paths, 40)
        assert all(np.array_equal(kept, decoded) for kept, decoded in zip(cache, files, strict=True))
        assert np.array_equal(cache[-1], files[9]) and np.array_equal(cache[np.int64(4)], files[4])
        assert cache.nbytes == sum(image.nbytes for image in files)
        assert cache.nbytes == sum(file.stat().st_size for file in cache.folder.glob("*.bin"))
        with pytest.raises(IndexError):
            cache[10]

    def test_files(self, cache):
        assert sorted(times(cache)) == [f"shard-{i:05d}.{suffix}" for i in range(3) for suffix in ("bin", "json")]
        assert cache.stale() == [] and cache.bad == {} and cache.verify(progress=False) == []

    def test_no_pictures(self, tmp_path):
        empty = DiskCache(tmp_path / "cache", [], 40)
        assert empty.build() == empty.nbytes == len(list(empty)) == 0 and empty.bad == {}

    def test_second_build_decodes_nothing(self, cache, monkeypatch):
        before = times(cache)
        monkeypatch.setattr("lightning_imbal.data.pictures.files.read_image", None)
        monkeypatch.setattr(disk_cache, "FileLock", None)  # the folder may be one that cannot be written
        assert again(cache).build() == 0
        assert times(cache) == before

    def test_unbuilt_cache_is_refused(self, cache):
        (cache.folder / "shard-00001.json").unlink()
        with pytest.raises(UserError, match="not complete"):
            again(cache)[0]

    def test_pictures_are_read_only_views(self, cache):
        assert not cache[3].flags.writeable and not cache[3].flags.owndata
        with pytest.raises(ValueError, match="read-only"):
            cache[3][0, 0, 0] = 1
        assert type(cache[3]) is np.ndarray

    def test_open_files_are_bounded(self, cache, monkeypatch):
        monkeypatch.setattr(disk_cache, "MAX_MAPS", 2)
        expected, views = [image.copy() for image in cache], [*cache, *cache]
        assert len(cache._maps) == 2
        assert all(np.array_equal(view, image) for view, image in zip(views, 2 * expected, strict=True))

    def test_pickled_without_pixels(self, cache):
        images = [image.copy() for image in cache]
        size = len(pickle.dumps(cache))
        assert size < 3000 + 2 * len("".join(cache.paths)) < cache.nbytes
        copy = pickle.loads(pickle.dumps(cache))
        assert copy._maps == {} and len(cache._maps) == 3
        assert all(np.array_equal(kept, image) for kept, image in zip(copy, images, strict=True))

    @pytest.mark.parametrize("row, shard", [(0, 0), (3, 0), (4, 1), (7, 1), (8, 2), (9, 2)])
    def test_changed_file_rebuilds_its_shard(self, cache, paths, row, shard):
        before = times(cache)
        change(paths[row])
        assert cache.stale() == [shard]
        assert cache.build() == (2 if shard == 2 else 4)
        assert {name for name, now in times(cache).items() if now != before[name]} == {
            f"shard-{shard:05d}.bin",
            f"shard-{shard:05d}.json",
        }
        assert all(np.array_equal(*pair) for pair in zip(cache, ImageFiles(paths, 40), strict=True))

    def test_file_that_is_gone_keeps_its_picture(self, cache, paths):
        expected = read_image(paths[5], 40)
        shutil.rmtree(Path(paths[5]).parent)
        assert cache.stale() == [] and cache.build() == 0
        assert np.array_equal(cache[5], expected)

    def test_other_paths_or_side_rebuild(self, cache, paths):
        assert again(cache, short_side=39).stale() == [0, 1, 2]
        assert again(cache, paths=[*paths[:9], paths[0]]).stale() == [2]
        fewer = again(cache, paths=paths[:6])
        assert fewer.stale() == [1] and fewer.build() == 2
        assert sorted(times(fewer)) == [f"shard-{i:05d}.{suffix}" for i in range(2) for suffix in ("bin", "json")]
        assert all(np.array_equal(*pair) for pair in zip(fewer, ImageFiles(paths[:6], 40), strict=True))

    def test_same_file_twice(self, tmp_path, paths):
        twice = DiskCache(tmp_path / "cache", [paths[0], paths[1], paths[0]], 40)
        twice.build()
        assert twice.stale() == [] and np.array_equal(twice[0], twice[2])

    def test_damaged_byte_is_found(self, cache):
        file = cache.folder / "shard-00001.bin"
        content = bytearray(file.read_bytes())
        content[77] ^= 1
        file.write_bytes(content)
        assert cache.stale() == [] and cache.verify(progress=False) == ["shard-00001.bin"]
        file.unlink()
        assert cache.verify(progress=False) == ["shard-00001.bin"]
        assert cache.build() == 4 and cache.verify(progress=False) == []

    @pytest.mark.parametrize("suffix", ["bin", "json"])
    @pytest.mark.parametrize("left", [0, 100, None])
    def test_half_file_is_stale(self, cache, suffix, left):
        file = cache.folder / f"shard-00001.{suffix}"
        file.unlink() if left is None else os.truncate(file, left)
        assert cache.stale() == [1]
        assert cache.build() == 4 and cache.stale() == [] == cache.verify(progress=False)

    def test_leftovers_are_removed(self, cache):
        for name in ("shard-00001.bin.part", "shard-00007.json", "shard-00002.json.part"):
            (cache.folder / name).write_bytes(b"half")
        (cache.folder / "notes.txt").touch()
        (cache.folder / "shard-00001.json").unlink()
        cache.build()
        assert len(times(cache)) == 6 and (cache.folder / "notes.txt").exists()

    def test_bad_pictures_are_recorded(self, cache, paths):
        Path(paths[2]).write_bytes(b"no picture")
        Path(paths[9]).write_bytes(Path(paths[9]).read_bytes()[:-30])
        for row in (4, 5, 6, 7):
            Path(paths[row]).write_bytes(b"")
        assert cache.build() == 10
        for images in (cache, again(cache), pickle.loads(pickle.dumps(cache))):
            assert sorted(images.bad) == [2, 4, 5, 6, 7, 9]
            assert "ISIC_002" in images.bad[2] and "is empty" in images.bad[5]
            with pytest.raises(BadImageError, match="ISIC_009.* is truncated"):
                images[9]
            assert np.array_equal(images[8], read_image(paths[8], 40))
        assert cache.stale() == [] == cache.verify(progress=False)
        change(paths[2])
        assert cache.build() == 4 and 2 not in cache.bad

    def test_missing_picture_is_read_when_it_comes(self, tmp_path, paths):
        Path(paths[1]).rename(tmp_path / "away")
        cache = DiskCache(tmp_path / "cache", paths, 40)
        cache.build()
        assert list(cache.bad) == [1] and cache.stale() == []
        (tmp_path / "away").rename(paths[1])
        assert cache.build() == 4 and cache.bad == {}

    def test_picture_that_may_not_be_read_is_tried_again(self, tmp_path, paths, monkeypatch):
        read_bytes = Path.read_bytes

        def refuse(path):
            if path.name == "ISIC_001.png":
                raise PermissionError(13, "Permission denied", str(path))
            return read_bytes(path)

        cache = DiskCache(tmp_path / "cache", paths, 40)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_bytes", refuse)
            cache.build()
        assert list(cache.bad) == [1]
        assert cache.build() == 4 and cache.bad == {}

    def test_full_disk_is_refused(self, tmp_path, paths, monkeypatch):
        cache = DiskCache(tmp_path / "cache", paths, 40)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: DiskUsage(10**12, 10**12, 10))
        with pytest.raises(UserError, match=r"[0-9.]+ GB .*cache.*--data.cache_dir.*--data.short_side"):
            cache.build()
        assert sorted(times(cache)) == ["shard-00000.bin", "shard-00000.json"]
        monkeypatch.undo()
        monkeypatch.setattr(disk_cache, "SHARD", 4)
        assert cache.build() == 6

    def test_disk_that_fills_up_is_reported(self, tmp_path, paths, monkeypatch):
        def fail(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(UserError, match="No space left on device.*--data.cache_dir"):
            DiskCache(tmp_path / "cache", paths, 40).build()

    def test_unwritable_folder_is_refused(self, tmp_path, paths):
        (tmp_path / "file").touch()
        with pytest.raises(UserError, match="Cannot write the image cache .*file.*--data.cache_dir"):
            DiskCache(tmp_path / "file" / "cache", paths, 40).build()

    def test_killed_build_is_resumed(self, tmp_path, paths):
        script = """
import sys, time
from lightning_imbal.data.pictures import disk_cache, files
read_image = files.read_image
disk_cache.SHARD = 4
files.read_image = lambda *args: time.sleep(0.1) or read_image(*args)
disk_cache.DiskCache(sys.argv[1], sys.argv[2:], 40).build()
"""
        cache = DiskCache(tmp_path / "cache", paths * 10, 40)
        process = subprocess.Popen([sys.executable, "-c", script, str(cache.folder), *cache.paths])
        while not (cache.folder / "shard-00001.json").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        before = times(cache)
        finished = [name for name in before if name.endswith(".json")]
        assert 2 <= len(finished) < 25
        assert cache.build() == 100 - 4 * len(finished)
        after = times(cache)
        assert all(after[name] == before[name] for name in finished)
        assert all(after["shard-00000." + suffix] == before["shard-00000." + suffix] for suffix in ("bin", "json"))
        assert len(after) == 50 and cache.verify(progress=False) == [] == cache.stale()
        assert all(np.array_equal(*pair) for pair in zip(cache, ImageFiles(paths * 10, 40), strict=True))

    def test_processes_that_build_together_share_the_work(self, tmp_path, paths):
        caches = [DiskCache(tmp_path / "cache", paths, 40) for _ in range(3)]
        decoded = []
        threads = [threading.Thread(target=lambda c=c: decoded.append(c.build(progress=False))) for c in caches]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(decoded) == [0, 0, 10]
        assert all(np.array_equal(*pair) for pair in zip(*caches[:2], strict=True))


def test_cache_folder_names_its_content(tmp_path, monkeypatch):
    paths = [str(tmp_path / f"{i}.jpg") for i in range(3)]
    folder = cache_folder(tmp_path, "ISIC2018", paths, 448)
    assert folder.parent == tmp_path and folder.name.startswith("ISIC2018-") and len(folder.name) == 9 + 12
    others = [(paths, 447), (paths[::-1], 448), (paths[:2], 448)]
    assert len({folder, *(cache_folder(tmp_path, "ISIC2018", *other) for other in others)}) == 4
    monkeypatch.chdir(tmp_path)
    assert cache_folder(tmp_path, "ISIC2018", ["0.jpg", "./1.jpg", "2.jpg"], 448) == folder
    assert DiskCache(folder, ["0.jpg"], 448).paths == paths[:1]
    assert cache_folder("~/x", "a", [], 1).is_relative_to(Path.home())
