"""A name in a label file means one picture, or two places are named."""

from pathlib import Path

import pandas as pd
import pytest

from lightning_imbal.data.index.by_name import find_by_name
from lightning_imbal.errors import UserError

FILES = [
    "part_1/a.jpg",
    "part_1/b.jpg",
    "part_2/c.PNG",
    "part_2/v1.5.png",
    "x/study1/image1.png",
    "x/study2/image1.png",
]


def found(*names, files=FILES):
    return find_by_name(pd.Series(names), files, Path("root"), "labels.csv").tolist()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("part_1/a.jpg", "part_1/a.jpg"),
        ("part_1/a", "part_1/a.jpg"),
        ("a.jpg", "part_1/a.jpg"),
        ("a", "part_1/a.jpg"),
        ("a.dcm", "part_1/a.jpg"),
        ("C.jpg", "part_2/c.PNG"),
        ("v1.5", "part_2/v1.5.png"),
        ("/kaggle/input/images/b.jpg", "part_1/b.jpg"),
        ("images\\b.jpg", "part_1/b.jpg"),
        ("study2/image1", "x/study2/image1.png"),
        ("MURA/x/study1/image1.png", "x/study1/image1.png"),
    ],
)
def test_the_only_file_of_a_name(name, file):
    assert found(name) == [file]


def test_the_most_exact_name_counts():
    files = ["a", "a.png", "deep/a.png", "a.png.jpg"]
    assert found("a.png", "deep/a.png", "a", files=files) == ["a.png", "deep/a.png", "a"]


def test_absent_names_are_missing():
    names = pd.Series(["a", "nowhere", "b"], index=[5, 6, 7])
    result = find_by_name(names, FILES, Path("root"), "labels.csv")
    assert result.isna().tolist() == [False, True, False] and result.index.tolist() == [5, 6, 7]
    assert find_by_name(names, [], Path("root"), "labels.csv").isna().all()


@pytest.mark.parametrize(
    ("name", "files", "sentence"),
    [
        ("a", ["x/a.jpg", "y/a.jpg"], r"image a of labels.csv may be root/x/a.jpg or root/y/a.jpg.*exclude='y/\*'"),
        ("a", ["x/a.jpg", "x/a.png"], r"may be root/x/a.jpg or root/x/a.png.*exclude='\*.png'"),
        ("image1", FILES, r"may be root/x/study1/image1.png or root/x/study2/image1.png"),
    ],
)
def test_two_places_are_named(name, files, sentence):
    with pytest.raises(UserError, match=sentence):
        found(name, files=files)
