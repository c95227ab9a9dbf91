"""What a model card says of pictures of more than 8 bits, and the Python that opens them."""

import cv2
import numpy as np
import pytest
from made_depths import ramp, write_png

from lightning_imbal.data.pictures.grey_levels import Reading
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.report.card_use import code, depth_facts, preprocessing

FACTS = {"file": "a.onnx", "steps": "", **dict.fromkeys(("image_size", "recipe", "mean", "std"), "x")}


def opened(tmp_path, facts, values):
    """What the lines of the card make of a picture."""
    write_png(tmp_path / "image.png", values)
    lines = code(FACTS | facts).split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("picture = "))
    found = {"cv2": cv2, "np": np}
    text = "\n".join(lines[start : lines.index("# here `picture` has to be prepared as described above")])
    exec(text.replace("image.png", str(tmp_path / "image.png")), found)
    return found["picture"]


@pytest.mark.parametrize("colours", [False, True])
def test_the_lines_open_a_deep_picture_as_a_run_does(tmp_path, colours):
    values = ramp(12, low=50)
    values = np.dstack([values, values[::-1], values]) if colours else values
    picture = opened(tmp_path, depth_facts({"range": [100, 3000], "bits": 8}), values)
    expected = read_image(tmp_path / "image.png", None, Reading(range=(100, 3000)))
    assert picture.shape == (16, 16, 3) and np.abs(picture - expected.astype(float)).max() <= 0.51


def test_the_lines_leave_8_bits_as_they_are(tmp_path):
    values = ramp(8, dtype=np.uint8)
    assert (opened(tmp_path, depth_facts({"limits": [0, 4095], "bits": 8}), values)[..., 0] == values).all()


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"limits": [0, 4095]}, "the values 0 to 4095 become 0 to 1"),
        ({"percentile": [0.5, 99.5]}, "their percentiles 0.5 and 99.5 become 0 and 1"),
        ({"range": [3, 9], "window": [40, 400]}, "of DICOM, the window of centre 40 and width 400"),
    ],
)
def test_what_is_said(settings, said):
    assert said in preprocessing(FACTS | depth_facts(settings))


def test_nothing_of_8_bits():
    assert depth_facts({"bits": 8}) == {} and "cv2.imread(" in code(FACTS) and "8 bits" not in preprocessing(FACTS)
