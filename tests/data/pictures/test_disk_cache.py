"""Decoding of pictures, the cache in memory and the cache on disk."""

import json
import os
import pickle
import shutil
import signal
import threading
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from forked import Forked, check_status
from made_pictures import smooth, write

from lightning_imbal.data.pictures import disk_cache, files, read
from lightning_imbal.data.pictures.disk_cache import DiskCache, cache_folder
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.data.pictures.shard import Shard
from lightning_imbal.errors import BadImageError, UserError

DiskUsage = namedtuple("DiskUsage", "total used free")


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


def damage(cache, how="byte", at=77):
    """Writes to a shard, whose length stays as it was."""
    file = cache.folder / "shard-00001.bin"
    content = bytearray(file.read_bytes())
    if how == "byte":
        content[at] ^= 1
    elif how == "half zeros":
        content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    else:
        content[:8], content[80:88] = content[80:88], content[:8]
    with file.open("r+b") as same:
        same.write(content)


def times(cache):
    return {file.name: file.stat().st_mtime_ns for file in cache.folder.glob("shard-*")}


def change(path, seed=99):
    write(Path(path), smooth(50, 50, seed))
    os.utime(path, ns=(1, 1))


def build_slowly(folder, paths):
    disk_cache.SHARD = 4
    files.read_image = lambda *args: time.sleep(0.1) or read_image(*args)
    DiskCache(folder, paths, 40).build()


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
        monkeypatch.setattr(disk_cache, "wait_for_lock", None)  # the folder may be one that cannot be written
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
        assert len(cache.maps) == 2
        assert all(np.array_equal(view, image) for view, image in zip(views, 2 * expected, strict=True))

    def test_pickled_without_pixels(self, cache):
        images = [image.copy() for image in cache]
        size = len(pickle.dumps(cache))
        assert size < 3000 + 2 * len("".join(cache.paths)) < cache.nbytes
        copy = pickle.loads(pickle.dumps(cache))
        assert copy.maps == {} and len(cache.maps) == 3
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

    @pytest.mark.parametrize("change", ["byte", "half zeros", "swapped"])
    def test_changed_pixels_are_decoded_anew(self, cache, paths, change):
        damage(cache, change)
        for opened in (again(cache), cache):
            assert opened.stale() == [1]
        assert cache.build() == 4 and cache.stale() == [] == cache.verify(progress=False)
        assert all(np.array_equal(*pair) for pair in zip(cache, ImageFiles(paths, 40), strict=True))

    def test_time_that_is_set_back_hides_nothing(self, cache):
        file = cache.folder / "shard-00001.bin"
        before = file.stat()
        damage(cache)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert file.stat().st_mtime_ns == before.st_mtime_ns and cache.stale() == [1]

    @pytest.mark.parametrize("row", range(4, 8))
    def test_what_no_time_tells_is_refused_when_the_picture_is_taken(self, cache, row, monkeypatch):
        monkeypatch.setattr(Shard, "_written", lambda shard: [shard.file().stat().st_size, 0, 0])
        for shard in cache.shards:
            assert shard.is_intact()  # notes the times as they now seem to be
        damage(cache, at=sum(cache[before].nbytes for before in range(4, row + 1)) - 1)
        opened = again(cache)
        assert opened.stale() == [] and opened.verify(progress=False) == ["shard-00001.bin"]
        for other in set(range(10)) - {row}:
            assert opened[other].size
        with pytest.raises(UserError, match="shard-00001.bin is not as it was written: delete it and start again"):
            opened[row]
        (cache.folder / "shard-00001.bin").unlink()
        assert cache.build() == 4 and cache[row].size

    def test_copied_cache_is_read_once(self, cache, tmp_path, monkeypatch):
        shutil.copytree(cache.folder, tmp_path / "copy")
        read = []
        intact = Shard.is_intact
        monkeypatch.setattr(Shard, "is_intact", lambda shard: read.append(shard.number) or intact(shard))
        for _ in range(2):
            copy = again(cache, folder=tmp_path / "copy")
            assert copy.build() == 0 and len(list(copy)) == 10
        assert read == [0, 1, 2]

    def test_cache_of_an_older_program_gets_its_sums(self, cache):
        for file in cache.folder.glob("*.json"):
            meta = json.loads(file.read_text())
            file.write_text(json.dumps({key: value for key, value in meta.items() if key not in ("sum", "written")}))
        older = again(cache)
        assert all(np.array_equal(*pair) for pair in zip(older, cache, strict=True))
        assert older.build() == 0
        assert all({"sum", "written"} <= json.loads(file.read_text()).keys() for file in cache.folder.glob("*.json"))

    def test_copied_cache_in_a_place_that_cannot_be_written(self, cache, monkeypatch):
        os.utime(cache.folder / "shard-00001.bin")

        def refuse(*args):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("lightning_imbal.data.pictures.shard.write_whole", refuse)
        monkeypatch.setattr(disk_cache, "wait_for_lock", None)
        opened = again(cache)
        assert opened.build() == 0 and len(list(opened)) == 10

    @pytest.mark.parametrize("content", ["[]", "null", '{"version": 1}', "text", ""])
    def test_json_of_another_kind_is_stale(self, cache, content):
        (cache.folder / "shard-00001.json").write_text(content)
        assert cache.stale() == [1] and cache.build() == 4

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
        def refuse(path, mode):
            if Path(path).name == "ISIC_001.png":
                raise PermissionError(13, "Permission denied", str(path))
            return open(path, mode)

        cache = DiskCache(tmp_path / "cache", paths, 40)
        with monkeypatch.context() as patch:
            patch.setattr(read, "open", refuse, raising=False)
            cache.build()
        assert list(cache.bad) == [1]
        assert cache.build() == 4 and cache.bad == {}

    def test_full_disk_is_refused(self, tmp_path, paths, monkeypatch):
        cache = DiskCache(tmp_path / "cache", paths, 40)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: DiskUsage(10**12, 10**12, 10))
        with pytest.raises(UserError, match=r"[0-9.]+ GB .*cache.*data.cache_dir=.*data.short_side="):
            cache.build()
        assert sorted(times(cache)) == ["shard-00000.bin", "shard-00000.json"]
        monkeypatch.undo()
        monkeypatch.setattr(disk_cache, "SHARD", 4)
        assert cache.build() == 6

    def test_disk_that_fills_up_is_reported(self, tmp_path, paths, monkeypatch):
        def fail(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(UserError, match="No space left on device.*data.cache_dir="):
            DiskCache(tmp_path / "cache", paths, 40).build()

    def test_unwritable_folder_is_refused(self, tmp_path, paths):
        (tmp_path / "file").touch()
        with pytest.raises(UserError, match="Cannot write the image cache .*file.*data.cache_dir="):
            DiskCache(tmp_path / "file" / "cache", paths, 40).build()

    def test_killed_build_is_resumed(self, tmp_path, paths):
        cache = DiskCache(tmp_path / "cache", paths * 10, 40)
        with Forked(build_slowly, cache.folder, cache.paths) as process:
            while not (cache.folder / "shard-00001.json").exists():
                assert process.is_alive(), process.log.read_text()
                time.sleep(0.01)
            process.kill()
            check_status(-signal.SIGKILL, process)
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
