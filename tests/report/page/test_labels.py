"""The page of suspicious labels: who is on it, safety against names from users' files, and what a browser shows."""

import base64
import re

import numpy as np
import pandas as pd
import pytest

from lightning_imbal.data import thumbnails as pictures_module
from lightning_imbal.errors import UserError
from lightning_imbal.report.page.labels import write_labels_page
from lightning_imbal.stats.wrong_labels import Suspicions

NASTY = "<script>alert(1)</script>"
JPEG = b"\xff\xd8 a picture"


@pytest.fixture(scope="module")
def found():
    """Five suspicious labels of a class with a nasty name, one of another, none of a third."""
    label = [NASTY] * 5 + ["mel"] * 2 + ["nv"] * 3
    table = pd.DataFrame({"image": [f"<b>{row}" for row in range(10)], "label": label, "suggested": "nv"})
    table["probability_label"], table["probability_suggested"] = np.linspace(0.01, 0.2, 10), 0.75
    table["rank"], table["suspicious"] = np.arange(1, 11), [True] * 6 + [False] * 4
    table["group"] = ["lesion <i>7</i>"] * 2 + [""] * 8
    rows = [(NASTY, 50, 60, 40, 5, "nv"), ("mel", 20, -1, 10, 1, "nv"), ("nv", 90, 90, 80, 0, "")]
    columns = ["class", "images", "all_images", "recognised", "suspicious", "taken_for"]
    return Suspicions(table, pd.DataFrame(rows, columns=columns), ("Look <u>first</u>.",))


@pytest.fixture(scope="module")
def page(found, tmp_path_factory):
    asked = []

    def thumbnails(folder, images, side, root=None):
        asked.append((folder, list(images), root))
        if folder == "gone":
            raise UserError("It is gone.")
        return dict.fromkeys(images[1:], JPEG)

    file = tmp_path_factory.mktemp("page") / "labels.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures_module, "thumbnails", thumbnails)
        write_labels_page(found, file, "Labels of <s>us</s>", ["gone", "here"], most=3, root="moved")
    return file.read_text(), asked, file


def test_the_first_of_each_class_are_shown_rare_classes_first(page):
    text, asked, _ = page
    images = ["<b>5", "<b>0", "<b>1", "<b>2"]  # mel has 20 images, the other class 50
    assert asked == [("gone", images, "moved"), ("here", images, "moved")]
    address = f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"
    assert text.count(address) == 3 and text.count("no picture") == 1
    assert "5 suspicious labels of 50 images: the first 3 of them, labels.csv has all." in text
    assert "1 suspicious label of 20 images." in text and text.count("<h2>Labelled") == 2
    assert [*map(int, re.findall(r'<span class="name">(\d+)\.', text))] == [6, 1, 2, 3]
    assert "the names of 4 images and small pictures of 3 of them" in text and text.count("lesion") == 2


def test_names_are_text(page):
    text = page[0]
    assert not re.search(r"<(script|b|i|u|s)>", text) and "&lt;script&gt;" in text
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in text


def test_without_pictures_it_is_said_why(found, tmp_path):
    write_labels_page(found, tmp_path / "labels.html", "Labels", [tmp_path], most=3)
    text = (tmp_path / "labels.html").read_text()
    assert "cannot be shown" in text and "<img" not in text and "no picture" not in text


def test_a_browser_shows_it(page, browser):
    for scheme, width in (("light", 400), ("dark", 1280)):
        browser.prefer(scheme)
        browser.open(page[2], width)
        assert not browser.barriers() and not browser.complaints
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert all(address.startswith(("data:", "file:")) for address in browser.requests)
