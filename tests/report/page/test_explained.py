"""Explained mistakes on a report page: maps and nearest training images, and what an anonymous page says of them."""

import json
import re
from html import unescape

import pytest
from made_runs import NAMES, write_run

from lightning_imbal.data import thumbnails as pictures_module
from lightning_imbal.report.page.explained import Explained, Explanations, Neighbour, key_of_seen
from lightning_imbal.report.page.page import write_page
from lightning_imbal.stats.analysis import worst
from lightning_imbal.stats.drawn_methods import methods_of
from lightning_imbal.stats.read_runs import read_runs

NASTY = '"><img src=x onerror=alert(1)>'
JPEG = b"\xff\xd8 a picture"
FIRST = 2  # mistakes that are explained


@pytest.fixture(scope="module")
def explained(tmp_path_factory):
    """The page of a run with two explained mistakes, an anonymous one, and the images that pictures were asked for."""
    folder, asked = tmp_path_factory.mktemp("explained"), []
    write_run(folder / "run", images=60)
    results = read_runs([folder / "run"])
    [method] = methods_of(results)
    images = worst(method.runs)["image"].tolist()[:FIRST]
    nearest = [Neighbour("TRAIN_1", "mel", 0.0314), Neighbour(NASTY, "nv", 0.25)]
    known = Explained(b"seen", {f"for {name} ({NASTY})": name.encode() for name in ("mel", "nv")}, nearest)
    why = Explanations(
        {method.name: dict.fromkeys(images, known)}, ["It is no proof."], {"TRAIN_1": b"near", NASTY: b"too"}
    )

    def thumbnails(folder, images, side, root=None):
        asked.extend(images)
        return dict.fromkeys(images, JPEG)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures_module, "thumbnails", thumbnails)
        write_page(results, folder / "page.html", why=why)
        write_page(results, folder / "anonymous.html", anonymous=True, why=why)
    return folder, asked, images


def pictures_of(page):
    [text] = re.findall(r'<script type="application/json" id="pictures">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def shown_in(page):
    """What pictures a page shows, in their order."""
    return [unescape(key) for key in re.findall(r'<img data-image="([^"]*)"', page)]


def test_maps_and_neighbours_are_beside_their_mistake(explained):
    folder, asked, images = explained
    page = (folder / "page.html").read_text()
    shown, pictures = shown_in(page), pictures_of(page)
    assert set(shown) == set(pictures), "what is not shown is not held, and what is shown is"
    assert not set(images) & set(asked), "the picture as the network saw it is shown, and no other is read"
    first = shown.index(key_of_seen("run, ISIC2018", images[0]))
    keys = shown[first : first + 5]
    assert [pictures[key].partition(",")[2] for key in keys] == ["c2Vlbg==", "bWVs", "bnY=", "bmVhcg==", "dG9v"]
    assert page.count('<li class="explained">') == FIRST
    for said in ("It is no proof.", "0.031", "0.250", "names and small pictures of 2 training images"):
        assert said in page
    assert NASTY not in page and f"<span>for mel ({NASTY})</span>" in unescape(page)


def test_anonymous_page_has_neither_maps_nor_names(explained):
    folder, _, images = explained
    page = (folder / "anonymous.html").read_text()
    assert pictures_of(page) == {} and not shown_in(page) and "for mel" not in page
    assert not any(name in page for name in (*images, "TRAIN_1", NASTY, "c2Vlbg"))
    assert page.count("nearest training images</th>") == 1
    assert page.count(">mel 0.031, nv 0.250</td>") == FIRST and "It is no proof." not in page
    assert set(NAMES) >= {"mel", "nv"}


def test_it_fits_on_every_screen(explained, browser):
    browser.open(explained[0] / "page.html")
    for width in (1280, 400):
        browser.resize(width)
        rows = "[...document.querySelectorAll('.explained > div')].map((each) => each.getBoundingClientRect()"
        right, tops = (browser.evaluate(f"{rows}.{side})") for side in ("right", "top"))
        assert max(right) <= width and len({*tops[:3]}) == 1, "the picture and its maps are side by side"
        browser.wait(f"document.documentElement.scrollWidth <= {width}")
    assert not browser.complaints


def test_nothing_of_an_image_is_left_without_names():
    known = Explained(b"seen", {"for mel": JPEG}, [Neighbour("TRAIN_1", "mel", 0.5)])
    found = Explanations({"CE": {"TEST_1": known}}, ["Said."], {"TRAIN_1": JPEG}).nameless(lambda name: "image 1")
    near = Explained(nearest=[Neighbour("image 1", "mel", 0.5)])
    assert found == Explanations({"CE": {"image 1": near}})
