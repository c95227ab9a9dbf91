"""Pictures are opened once as long as they stay as they are."""

import os

import pytest
from made_pictures import smooth, write

from lightning_imbal.data.pictures import files
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.errors import BadImageError


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Files of six pictures as each process makes them, and what was opened."""
    paths = [str(write(tmp_path / "images" / f"{i}.png", smooth(20, 30, seed=i))) for i in range(6)]
    seen = []

    def read(path, *how):
        seen.append(paths.index(path))
        return read_image(path, *how)

    monkeypatch.setattr(files, "read_image", read)
    monkeypatch.setattr(files, "LEAST_BYTES", 1)
    return (lambda: ImageFiles(paths, 16, tmp_path / "cache" / "record.opened")), paths, seen


def test_only_what_is_new_or_changed_is_opened(opened):
    make, paths, seen = opened
    assert make().find_bad([0, 1, 2]) == {} and sorted(seen) == [0, 1, 2]
    assert make().find_bad(range(6)) == {} and sorted(seen[3:]) == [3, 4, 5]
    assert make().find_bad(range(6)) == {} and len(seen) == 6
    os.utime(paths[4], ns=(1, 1))
    assert make().find_bad(range(6)) == {} and seen[6:] == [4]


def test_a_bad_picture_is_opened_each_time(opened):
    make, paths, seen = opened
    open(paths[3], "w").close()
    for _ in range(2):
        assert list(make().find_bad(range(6))) == [3]
    assert seen.count(3) == 2 and len(seen) == 7
    os.remove(paths[5])
    assert list(make().find_bad(range(6))) == [3, 5]


def test_what_somebody_else_opened_is_not_opened_again(opened):
    make, _, seen = opened
    make().remember(range(6))
    assert make().find_bad(range(6)) == {} and seen == []


def test_few_pictures_leave_no_file(opened, monkeypatch):
    make, _, seen = opened
    monkeypatch.setattr(files, "LEAST_BYTES", 10**9)
    same = make()
    assert same.find_bad(range(6)) == {} == same.find_bad(range(6))
    assert len(seen) == 6 and not same.record.exists()


def test_a_place_that_cannot_be_written_to(opened, tmp_path):
    make, _, seen = opened
    (tmp_path / "cache").touch()
    assert make().find_bad(range(6)) == {} and len(seen) == 6


def test_a_pipe_is_no_picture(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(BadImageError, match="pipe.png is no file but a pipe or a device"):
        read_image(tmp_path / "pipe.png")
    with pytest.raises(BadImageError, match="null is no file but a pipe"):
        read_image("/dev/null")
