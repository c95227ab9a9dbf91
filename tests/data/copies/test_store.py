"""No picture is read twice for what it looks like, whatever happens to the file that keeps it."""

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from made_pictures import smooth, write

from lightning_imbal.data.copies import store
from lightning_imbal.data.copies.look import look_at
from lightning_imbal.data.copies.store import FILE, Store, store_of


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Six picture files, the last without a hash, where their looks are kept, and which files were looked at."""
    paths = [str(write(tmp_path / "images" / f"{i}.png", smooth(20, 30, seed=i))) for i in range(5)]
    paths.append(str(write(tmp_path / "images" / "5.png", np.full((9, 9, 3), 50, np.uint8))))
    seen = []
    monkeypatch.setattr(store, "look_at", lambda path: seen.append(path[-5]) or look_at(path))
    return paths, tmp_path / "cache", seen


def same(first, second):
    assert [look[2:] for look in first] == [look[2:] for look in second]
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.hashes, other.hashes) and np.array_equal(one.low, other.low)


def test_only_what_is_new_or_changed_is_read(kept):
    paths, folder, seen = kept
    same(Store(folder).looks(paths[:4], progress=False), [look_at(path) for path in paths[:4]])
    assert sorted(seen) == list("0123")
    looks = Store(folder).looks(paths[::-1], progress=False)
    same(looks, [look_at(path) for path in paths[::-1]])
    assert sorted(seen[4:]) == list("45") and looks[0].hashes is None
    os.utime(paths[2], ns=(1, 1))
    same(Store(folder).looks(paths, progress=False), looks[::-1])
    assert seen[6:] == ["2"]


def test_a_picture_that_cannot_be_read_is_tried_each_time(kept):
    paths, folder, seen = kept
    open(paths[1], "w").close()
    for _ in range(2):
        assert [look.cause is None for look in Store(folder).looks(paths, progress=False)] == [True, False] + [True] * 4
    assert seen.count("1") == 2 and len(seen) == 7


def test_what_was_read_before_a_kill_is_kept(kept, monkeypatch):
    paths, folder, seen = kept
    monkeypatch.setattr(store, "AT_ONCE", 2)
    monkeypatch.setattr(store, "look_at", lambda path: look_at(path) if path[-5] < "4" else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Store(folder).looks(paths, progress=False)
    monkeypatch.setattr(store, "look_at", lambda path: seen.append(path[-5]) or look_at(path))
    Store(folder).looks(paths, progress=False)
    assert sorted(seen) == list("45")


def test_answers_are_kept_the_latest_of_many(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "MOST_ANSWERS", 3)
    for number in range(5):
        Store(tmp_path).keep_answer(bytes([number]), {"pairs": np.full((2, 4), number), "threshold": np.array(0.6)})
    found = Store(tmp_path).answer(bytes([4]))
    assert (found["pairs"] == 4).all() and found["threshold"] == 0.6
    assert Store(tmp_path).answer(bytes([1])) is None and Store(tmp_path).answer(bytes([2])) is not None
    with sqlite3.connect(tmp_path / FILE) as base:
        base.execute("UPDATE answer SET content = ?", [b"PK damaged"])
    assert Store(tmp_path).answer(bytes([4])) is None


@pytest.mark.parametrize("damage", ["other", "torn", "empty"])
def test_a_damaged_file_is_made_anew(kept, damage):
    paths, folder, seen = kept
    looks = Store(folder).looks(paths, progress=False)
    content = (folder / FILE).read_bytes()
    damaged = {"other": b"no database" * 500, "torn": content[:5000] + b"\x00" * 9000, "empty": b""}[damage]
    (folder / FILE).write_bytes(damaged)
    for _ in range(3):
        same(Store(folder).looks(paths, progress=False), looks)
    assert 12 <= len(seen) <= 18
    before = len(seen)
    Store(folder).looks(paths, progress=False)
    assert len(seen) == before


def test_where_nothing_can_be_written_it_is_said_once(kept, told):
    paths, folder, seen = kept
    folder.write_text("a file, no folder")
    for _ in range(2):
        same(Store(folder).looks(paths, progress=False), [look_at(path) for path in paths])
        assert ("What pictures look like cannot be kept" in told.text) is (len(seen) == 6)
        told.clear()
    Store(folder).keep_answer(b"key", {"pairs": np.zeros(1)})
    assert Store(folder).answer(b"key") is None and not told.text and len(seen) == 12


def test_several_processes_may_write_at_once(kept):
    paths, folder, _ = kept
    expected = [look_at(path) for path in paths]
    with ThreadPoolExecutor(4) as pool:
        for looks in pool.map(lambda _: Store(folder).looks(paths, progress=False), range(8)):
            same(looks, expected)


def test_few_pictures_leave_no_file(kept, monkeypatch):
    paths, folder, _ = kept
    assert store_of(paths, folder) is None and not folder.exists()
    monkeypatch.setattr(store, "LEAST_PICTURES", 1)
    assert store_of(paths, folder).file == folder / FILE and store_of(paths, None) is None
