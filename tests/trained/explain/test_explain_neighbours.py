"""The nearest training images, against a slow search, and pictures with the names of their files."""

import cv2
import numpy as np
import pytest

from lightning_imbal.data.thumbnails import small_jpeg
from lightning_imbal.trained.explain.neighbours import TrainingFeatures
from lightning_imbal.trained.explain.pictures import enlarged, file_name


def test_nearest_are_those_of_least_cosine_distance():
    rng = np.random.default_rng(0)
    feature, asked = rng.normal(size=(30, 5)).astype(np.float16), rng.normal(size=(4, 5)).astype(np.float16)
    names = np.array([f"i{number}" for number in range(30)])
    training = TrainingFeatures(names, np.zeros(30, int), feature)
    position, distance = training.nearest(asked, 3)
    for each, found, far in zip(asked.astype(float), position, distance, strict=True):
        slow = [1 - each @ other / np.linalg.norm(each) / np.linalg.norm(other) for other in feature.astype(float)]
        assert found.tolist() == np.argsort(slow)[:3].tolist()
        assert far == pytest.approx(np.sort(slow)[:3], abs=1e-4)


def test_there_are_no_more_than_all():
    training = TrainingFeatures(np.array(["a", "b"]), np.array([0, 1]), np.eye(2, dtype=np.float16))
    position, distance = training.nearest(np.array([[0, 2]], np.float16), 5)
    assert position.tolist() == [[1, 0]] and distance.tolist() == [pytest.approx([0, 1])]


def test_small_pictures_are_enlarged_by_whole_factors():
    picture = np.arange(12, dtype=float).reshape(2, 2, 3)
    assert enlarged(picture).shape == (224, 224, 3) and enlarged(np.zeros((300, 400, 3))).shape == (300, 400, 3)
    assert (enlarged(picture)[:112, 112:] == picture[0, 1]).all()


def test_thumbnail_has_the_colours_of_its_picture():
    picture = np.zeros((40, 20, 3), np.uint8)
    picture[..., 0] = 200  # red
    small = cv2.imdecode(np.frombuffer(small_jpeg(picture, 10), np.uint8), cv2.IMREAD_COLOR)
    assert small.shape == (10, 5, 3) and abs(small[5, 2] - [0.0, 0, 200]).max() < 4


def test_names_of_files_are_plain_and_differ():
    assert file_name("ISIC_0024306", "benign keratosis") == "ISIC_0024306_benign keratosis.png"
    names = {file_name(image, "nv") for image in ("a/b", "a-b", "a\\b", "a:b", "../a", "a" * 300, "a" * 301, "=a")}
    assert len(names) == 8 and all(len(name) < 120 and not set(name) & set("/\\:=") for name in names)
