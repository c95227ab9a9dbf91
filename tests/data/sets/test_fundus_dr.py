"""Photographs of the retina in ten folders: grades, patients, and what is refused."""

import shutil

import layouts
import numpy as np
import pytest
from real_data import real_folder

from lightning_imbal.data.sets.aptos import GRADES
from lightning_imbal.data.sets.fundus_dr import CLASSES, FOLDERS, TOP, FundusDR
from lightning_imbal.errors import DatasetNotFoundError, UserError


@pytest.fixture
def root(tmp_path):
    return layouts.fundus_dr(tmp_path)


def test_grades_join_the_folders(root, told):
    data = FundusDR(str(root))
    assert data.class_names == GRADES and data.ordered
    assert np.bincount(data.index["label"]).tolist() == [20, 16, 16, 16, 16]
    folder = data.index["path"].str.split("/").str[-2].str.split(" - ").str[1]
    assert [CLASSES[name][1] for name in folder] == data.index["label"].tolist()
    assert data.remarks == ["Left out: 6 photographs of advanced diabetic eye disease, none of the 5 grades."]
    assert data.remarks[0] in told.text


def test_official_are_the_ten_folders(root):
    data = FundusDR(str(root), classes="official")
    assert data.class_names == tuple(CLASSES) and not data.ordered and not data.remarks
    assert np.bincount(data.index["label"]).tolist() == [20, *[8] * 8, 6]
    assert data.official_counts == (276, 72, 27, 85, 83, 23, 11, 6, 10, 7) and sum(data.official_counts) == 600
    joined = np.bincount([4 if grade is None else grade for _, grade in CLASSES.values()], data.official_counts)
    assert joined.tolist() == [276, 99, 168, 34, 16 + 7]


@pytest.mark.parametrize("classes", ["grades", "official"])
def test_both_eyes_are_on_one_side(classes, root):
    table = FundusDR(str(root), classes=classes).table
    eyes = table.groupby("group")
    assert (eyes["part"].nunique() == 1).all() and eyes.size().max() == 2
    assert (eyes["class"].nunique() == 2).any()  # a patient of two classes is one, too
    assert "004" in eyes.groups and "Patient004-R" in set(table["image"])


def test_root_is_the_folder_or_above_it(root):
    images = FundusDR(str(root)).index["image"].tolist()
    assert FundusDR(str(root / TOP)).index["image"].tolist() == images
    (root / TOP).rename(root / "unpacked")
    assert FundusDR(str(root)).index["image"].tolist() == images


def test_an_absent_folder_is_named(root):
    shutil.rmtree(root / TOP / FOLDERS[4])
    with pytest.raises(DatasetNotFoundError, match=f"has no {FOLDERS[4]}. Get them from https://github.com"):
        _ = FundusDR(str(root)).index


@pytest.mark.parametrize("name", ["Patient12.jpg", "12_L.jpg", "Patient012_L copy.jpg", "Patient012_X.jpg"])
def test_a_name_without_a_patient_is_refused(name, root):
    place = root / TOP / FOLDERS[1]
    next(place.iterdir()).rename(place / name)
    with pytest.raises(UserError, match=rf"name of .*{name} does not say whose eye it is \(1 such"):
        _ = FundusDR(str(root)).index


def test_one_photograph_in_two_folders_is_refused(root):
    file = next((root / TOP / FOLDERS[0]).iterdir())
    shutil.copy(file, root / TOP / FOLDERS[2])
    with pytest.raises(UserError, match=f"names the image {file.stem} twice"):
        _ = FundusDR(str(root)).index


def test_real_photographs(no_decoder):
    root = str(real_folder("fundus_dr"))
    for classes, number in [("grades", 593), ("official", 600)]:
        data = FundusDR(root, classes=classes)
        assert tuple(np.bincount(data.index["label"])) == tuple(data.official_counts)
        assert len(data.index) == number
    assert data.index["group"].nunique() == 300
    table = FundusDR(root).table
    assert (table.groupby("group")["part"].nunique() == 1).all()
