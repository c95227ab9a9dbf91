"""The documentation builds without a network, asks no other server for anything, and opens from the disk."""

import json
import os
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlparse

import pytest
import yaml
from browser import CHROMIUM, Browser, do_without
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
LOADS = {
    "img": "src",
    "script": "src",
    "iframe": "src",
    "source": "src",
    "link": "href",
}  # by themselves


def build(config: Path, site: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mkdocs", "build", "--config-file", str(config), "--site-dir", str(site)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT / "mkdocs.yml", folder)
    assert built.returncode == 0, built.stderr
    return folder


class Loaded(HTMLParser):
    """Addresses that a page loads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if (address := given.get(LOADS.get(tag, ""))) and given.get("rel") not in ("canonical", "next", "prev"):
            self.found.append(address)


def test_pages_load_nothing_from_another_server(site):
    pages = {page: Loaded(page.read_text()).found for page in site.rglob("*.html")}
    assert len(pages) > 30 and sum(map(len, pages.values())) > 100
    assert not {page.name: each for page, of_page in pages.items() for each in of_page if urlparse(each).scheme}
    for page, of_page in pages.items():
        if page.name != "404.html":  # which knows no place
            assert all((page.parent / urlparse(each).path).is_file() for each in of_page), page
    styles = "".join(file.read_text() for file in site.rglob("*.css"))
    assert not re.findall(r"url\([\"']?(?:https?:)?//|@import", styles)


def test_what_is_outside_the_folder_of_the_docs_is_in_the_site(site):
    assert (site / "repository/experiments/results/isic2018_small-64px.csv").is_file()
    assert 'href="repository/CONTRIBUTING.html' in (site / "questions.html").read_text()
    results = (site / "repository/experiments/results/index.html").read_text()
    assert 'href="../../../results.html"' in results


def test_the_notebook_is_a_page_with_what_it_printed(site):
    page = re.sub(r"<[^>]+>", "", (site / "whole_way.html").read_text())
    cells = json.loads((ROOT / "docs/whole_way.ipynb").read_text())["cells"]
    printed = [
        line for cell in cells for output in cell.get("outputs", []) for line in "".join(output["text"]).split("\n")
    ]
    assert len(printed) > 3 and all(unescape(page).count(line.strip()) for line in printed)
    assert 'href="whole_way.html"' in (site / "python.html").read_text()


def test_docstrings_are_there(site):
    page = (site / "data_sets.html").read_text()
    assert page.count('class="doc doc-heading"') >= 13 and "10,015 images of 7,470 skin lesions" in page


def test_it_opens_and_is_searched_from_the_disk(site):
    if not CHROMIUM:
        do_without()
    with Browser() as browser:
        browser.open(site / "index.html", 400, 800)
        assert browser.evaluate("document.documentElement.scrollWidth") <= 400
        browser.evaluate("document.querySelector('input.md-search__input').focus()")
        browser.send("Input.insertText", text="prevalence")
        browser.wait("document.querySelector('.md-search-result__item a[href*=\"decisions.html\"]')")
        assert {urlparse(address).scheme for address in browser.requests} <= {"file", "data", "about"}
        assert not browser.complaints


@pytest.fixture
def with_links(tmp_path):
    """Builds a page with links by the project's settings."""
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    kept = {name: settings[name] for name in ("site_name", "strict", "validation", "not_in_nav")}
    kept |= {"hooks": [str(ROOT / "docs/hooks/repository.py")], "plugins": [], "theme": "mkdocs"}
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(kept))
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "outside.md"):
        (tmp_path / name).write_text("# A heading\n")

    def result(*links):
        lines = [
            "# A heading",
            "[right](../outside.md#a-heading)",
            "```\na[1](x)\n```",
            *map("[link]({})".format, links),
        ]
        (tmp_path / "docs" / "index.md").write_text("\n\n".join(lines))
        return build(tmp_path / "mkdocs.yml", tmp_path / "site")

    return result


def test_a_broken_link_is_an_error(with_links):
    built = with_links("other.md", "index.md#nowhere", "../outside.md#lost")
    assert built.returncode != 0 and built.stderr.count("WARNING") == 3
    assert all(name in built.stderr for name in ("other.md", "#nowhere", "#lost"))


def test_a_link_to_no_file_of_the_repository_is_an_error(with_links):
    built = with_links("../absent.csv")
    assert built.returncode != 0 and "docs/index.md links to absent.csv, which is no file" in built.stderr


def test_pictures_are_few_and_small():
    pictures = sorted((ROOT / "docs" / "images").iterdir())
    assert [file.name for file in pictures] == ["decisions.png", "explain.png", "page.png", "phone.png", "terminal.png"]
    assert all(file.stat().st_size < 200_000 for file in pictures) and sum(f.stat().st_size for f in pictures) < 600_000
    text = "".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    for file in pictures:
        with Image.open(file) as picture:
            picture.load()
        assert f"(images/{file.name})" in text
