"""Thumbnails of a run's pictures, from its folder and the data set alone."""

import shutil

import cv2
import numpy as np
import pytest
import yaml
from sklearn.datasets import load_digits

from lightning_imbal.data.pictures import fast_jpeg
from lightning_imbal.data.sets.medmnist import MedMNIST
from lightning_imbal.data.thumbnails import thumbnails
from lightning_imbal.errors import UserError

HOLDOUT = {"class_path": "lightning_imbal.data.Holdout", "init_args": {"test": 0.3}}


def write_stage(run, stage, class_path, **init_args):
    """Leaves the part of a stage's configuration that thumbnails need."""
    (run / stage).mkdir(parents=True)
    data = {"class_path": class_path, "init_args": init_args}
    (run / stage / "config.yaml").write_text(yaml.safe_dump({"data": data, "then": None}))
    return run


def decoded(jpeg):
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


@pytest.fixture
def isic_run(tmp_path, isic_root):
    return write_stage(tmp_path / "run", "stage1", "lightning_imbal.data.ISIC2018", root=str(isic_root), cache="memory")


@pytest.fixture
def digits_run(tmp_path):
    return write_stage(tmp_path / "run", "stage1", "lightning_imbal.data.DigitsLT", split=HOLDOUT)


def test_pictures_are_found_by_their_ids(isic_run, isic_root):
    ids = ["ISIC_0024310", "ISIC_0024306"]
    found = thumbnails(isic_run, [*ids, "ISIC_9999999"], side=24)
    assert list(found) == ids
    for image, jpeg in found.items():
        file = isic_root / "ISIC2018_Task3_Training_Input" / f"{image}.jpg"
        original = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
        assert jpeg.startswith(b"\xff\xd8\xff") and decoded(jpeg).shape == original.shape == (18, 24, 3)
        assert decoded(jpeg).mean(axis=(0, 1)) == pytest.approx(original.mean(axis=(0, 1)), abs=3)


@pytest.mark.parametrize("side, shape", [(12, (9, 12)), (24, (18, 24)), (47, (18, 24)), (48, (36, 48)), (1, (1, 1))])
def test_the_longer_side_fits_and_small_pictures_are_enlarged_by_whole_factors(isic_run, side, shape):
    (jpeg,) = thumbnails(isic_run, ["ISIC_0024306"], side).values()
    assert decoded(jpeg).shape == (*shape, 3)


def test_a_digit_of_eight_pixels_can_be_seen(digits_run):
    (jpeg,) = thumbnails(digits_run, ["digit_0003"]).values()
    picture = decoded(jpeg)[..., 0]
    assert picture.shape == (128, 128)
    blocks = picture.reshape(8, 16, 8, 16).mean(axis=(1, 3))
    assert blocks == pytest.approx(load_digits().images[3] * 255 / 16, abs=3)


def test_pictures_of_a_folder_inside_a_run_are_those_of_its_last_stage(digits_run, isic_root):
    write_stage(digits_run, "stage2", "lightning_imbal.data.ISIC2018", root=str(isic_root))
    assert list(thumbnails(digits_run / "test" / "plain", ["digit_0003", "ISIC_0024306"])) == ["ISIC_0024306"]


def test_nothing_but_the_asked_pictures_is_decoded(isic_run, monkeypatch):
    decode, calls = cv2.imdecode, []
    monkeypatch.setattr(cv2, "imdecode", lambda *args: calls.append(args) or decode(*args))
    monkeypatch.setattr(fast_jpeg, "simplejpeg", None)
    thumbnails(isic_run, ["ISIC_0024306", "ISIC_0024307"])
    assert len(calls) == 2


def test_pictures_that_cannot_be_read_are_left_out(isic_root, tmp_path):
    root = shutil.copytree(isic_root, tmp_path / "isic2018")
    pictures = root / "ISIC2018_Task3_Training_Input"
    (pictures / "ISIC_0024306.jpg").write_bytes(b"no picture")
    (pictures / "ISIC_0024307.jpg").unlink()
    run = write_stage(tmp_path / "run", "stage1", "lightning_imbal.data.ISIC2018", root=str(root))
    assert list(thumbnails(run, ["ISIC_0024306", "ISIC_0024307", "ISIC_0024308"])) == ["ISIC_0024308"]


def test_a_relative_root_is_looked_for_from_the_working_directory(isic_root, tmp_path, monkeypatch):
    run = write_stage(tmp_path / "run", "stage1", "lightning_imbal.data.ISIC2018", root=isic_root.name)
    monkeypatch.chdir(isic_root.parent)
    assert list(thumbnails(run, ["ISIC_0024306"])) == ["ISIC_0024306"]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"(?s)/run cannot be shown: ISIC2018 not found: .*ISIC2018_Task3"):
        thumbnails(run, ["ISIC_0024306"])
    assert list(thumbnails(run, ["ISIC_0024306"], root=str(isic_root))) == ["ISIC_0024306"]  # it has moved


def test_a_class_of_the_user_is_imported(isic_root, tmp_path, monkeypatch):
    (tmp_path / "my_pictures.py").write_text(
        "import numpy as np\n"
        "from lightning_imbal.data import DigitsLT\n\n\n"
        "class Grey(DigitsLT):\n"
        "    def read_images(self):\n"
        "        return np.arange(1797 * 12, dtype=np.uint16).astype(np.uint8).reshape(1797, 3, 4)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    run = write_stage(tmp_path / "run", "stage1", "my_pictures.Grey", split=HOLDOUT)
    (jpeg,) = thumbnails(run, ["digit_0002"], side=4).values()
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_UNCHANGED) == pytest.approx(
        np.arange(24, 36).reshape(3, 4), abs=3
    )


def test_nothing_is_downloaded(tmp_path, monkeypatch):
    monkeypatch.setattr("lightning_imbal.data.sets.medmnist.fetch", lambda *args: pytest.fail("a download was started"))
    init_args = {"root": str(tmp_path), "flag": "dermamnist", "download": True}
    run = write_stage(tmp_path / "run", "stage1", "lightning_imbal.data.MedMNIST", **init_args)
    assert MedMNIST(**init_args).download
    with pytest.raises(UserError, match="has no dermamnist.npz"):
        thumbnails(run, ["dermamnist_test_0"])


@pytest.mark.parametrize(
    "class_path, init_args, said",
    [
        ("absent_module.Data", {}, "No module named 'absent_module'"),
        ("lightning_imbal.data.ISIC2020", {}, "no attribute 'ISIC2020'"),
        ("lightning_imbal.data.DigitsLT", {"colour": 1}, "Option 'colour' is not accepted"),
    ],
)
def test_data_that_cannot_be_built_are_refused_in_one_line(tmp_path, class_path, init_args, said):
    run = write_stage(tmp_path / "run", "stage1", class_path, **init_args)
    with pytest.raises(UserError) as refusal:
        thumbnails(run, ["digit_0003"])
    sentence = str(refusal.value)
    assert sentence.startswith(f"The pictures of {run} ") and said in sentence and "\n" not in sentence


@pytest.mark.parametrize("written", [None, "", "trainer: {max_epochs: 3}\n"])
def test_a_folder_that_names_no_data_is_refused(tmp_path, written):
    if written is not None:
        (tmp_path / "stage1").mkdir()
        (tmp_path / "stage1" / "config.yaml").write_text(written)
    with pytest.raises(UserError, match=f"The pictures of {tmp_path} cannot be shown: .* give the folder"):
        thumbnails(tmp_path, ["digit_0003"])
