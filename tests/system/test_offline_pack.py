"""The folder for machines without a network: which packages, for which machine, and its pictures."""

from importlib.metadata import PackageNotFoundError

import cv2
import numpy as np
import offline_pack
import pytest

ASKED = {
    "project": ["array>=1", "network", "extra-ed[fast]>2", 'only-windows; sys_platform == "win32"'],
    "array": [],
    "network": ["array", "tensor"],
    "tensor": ["graph"],
    "graph": [],
    "extra-ed": ['speed; extra == "fast"', 'never; extra == "slow"', 'new-syntax>=3; python_version >= "3.12"'],
    "speed": ["graph"],
}


@pytest.fixture
def installed(monkeypatch):
    """A made-up environment in place of the one that runs the tests."""

    def version(name):
        if name not in ASKED:
            raise PackageNotFoundError(name)
        return "1.0+cpu" if name == "tensor" else "1.0"

    monkeypatch.setattr(offline_pack, "version", version)
    monkeypatch.setattr(offline_pack, "requires", ASKED.get)


def needed(**kwargs):
    where = offline_pack.markers("3.12", "manylinux_2_28_x86_64")
    return offline_pack.needed_packages(**{"project": "project", "skip": [], "environment": where} | kwargs)


def test_all_that_a_project_needs(installed):
    pinned = {name: f"{name}==1.0" for name in ("array", "extra-ed", "graph", "network", "speed", "tensor")}
    assert needed() == pinned | {"new-syntax": "new-syntax>=3"}


def test_what_is_there_and_what_that_needs_is_left_out(installed):
    assert set(needed(skip=["network"])) == {"extra-ed", "new-syntax", "speed"}


def test_what_the_check_does_without_is_left_out_with_what_only_it_needs(installed):
    assert set(needed(without=["network", "extra-ed"])) == {"array"}


def test_markers_are_those_of_the_other_machine(installed):
    assert "only-windows" in needed(environment=offline_pack.markers("3.12", "win_amd64"))
    assert "new-syntax" not in needed(environment=offline_pack.markers("3.11", "manylinux_2_28_x86_64"))


def test_wheels_of_older_systems_run_on_newer_ones():
    tags = offline_pack.platforms("manylinux_2_17_aarch64")
    assert tags[0] == "manylinux_2_17_aarch64"
    assert {"manylinux_2_5_aarch64", "manylinux2014_aarch64", "manylinux2010_aarch64"} <= set(tags)
    assert "manylinux_2_28_aarch64" not in tags
    assert "manylinux2014_x86_64" not in offline_pack.platforms("manylinux_2_12_x86_64")
    assert offline_pack.platforms("macosx_11_0_arm64") == ["macosx_11_0_arm64"]


def test_pictures_are_reduced_and_labels_taken_along(tmp_path):
    source, target = tmp_path / "isic", tmp_path / "pack"
    (source / "pictures").mkdir(parents=True)
    for name, shape in {"large.jpg": (300, 400, 3), "small.jpg": (60, 80, 3)}.items():
        cv2.imwrite(str(source / "pictures" / name), np.full(shape, 90, dtype=np.uint8))
    (source / "labels.csv").write_text("image,label\nlarge,1\n")
    (source / "archive.zip").write_bytes(bytes(offline_pack.MAX_OTHER + 1))
    offline_pack.pack_images(source, target)
    assert cv2.imread(str(target / "pictures" / "large.jpg")).shape == (128, 171, 3)
    assert cv2.imread(str(target / "pictures" / "small.jpg")).shape == (60, 80, 3)
    assert (target / "labels.csv").read_text() == "image,label\nlarge,1\n"
    assert not (target / "archive.zip").exists()


def test_a_broken_picture_is_named(tmp_path):
    (tmp_path / "isic").mkdir()
    (tmp_path / "isic" / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(SystemExit, match=r"broken\.jpg cannot be read"):
        offline_pack.pack_images(tmp_path / "isic", tmp_path / "pack")


def test_the_check_is_complete(tmp_path):
    offline_pack.pack_check(tmp_path)
    assert (tmp_path / "tests" / "benchmarks" / "gpu_check" / "numbers.py").is_file()
    assert (tmp_path / "experiments" / "methods" / "ecl.yaml").is_file()
    assert not list(tmp_path.rglob("__pycache__"))
    assert not (tmp_path / "experiments" / "results").exists()
