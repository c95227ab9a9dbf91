"""Folders with random quirks are read soundly or refused in a sentence: no traceback, no picture twice, no mask."""

import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightning_imbal.cli import main
from lightning_imbal.cli.parts.survey import keep_together, survey
from lightning_imbal.data import FolderData
from lightning_imbal.errors import UserError

NAMES = ("benign", "Malignant", "mask", "test", "1 - mild", "Läsion", "no_mask", "[x]", "0", "10", "with space", "none")
WRAPPERS = ("", "data/", "Dataset (1)/images/", ".hidden/", "train/")
PARTS = ({"": 1}, {"train/": 1, "test/": 2}, {"Training/": 1, "valid/": 2, "Testing/": 3}, {"train/": 1, "val/": 2})
PICTURES = ("{i}", "img_{i:04d}", "Patient{p:03d}_{side}", "person{p}_virus_{i}", "{p}_left_{i}", "x ({i})", "x.{i}.v2")
MASKS = (
    "",
    "{folder}{stem}_mask",
    "{folder}masks/{stem}",
    "{folder}mask_{stem}",
    "{folder}lungs/{stem}",
    "{folder}{stem}-GT",
)
LITTER = ("__MACOSX/a/._1.png", "Thumbs.db", "{folder}.DS_Store", "runs/ce/stage1/config.yaml", "empty/", "notes.txt")
LITTER += ("{folder}.ipynb_checkpoints/1.png", "archive.zip", "{folder}@eaDir/1.jpg")
TABLES = ("", "image,label", "image_id;dx", "filename\tlabel", "name,A,B,C", "nothing,fits")


@dataclass
class Quirks:
    """What is odd about a folder."""

    classes: list[str]
    sizes: list[int]
    wrapper: str
    parts: dict[str, int]
    picture: str
    mask: str
    litter: set[str]
    ending: str
    table: str
    link: bool
    deeper: str


QUIRKS = st.builds(
    Quirks,
    classes=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True),
    sizes=st.lists(st.integers(0, 9), min_size=4, max_size=4),
    wrapper=st.sampled_from(WRAPPERS),
    parts=st.sampled_from(PARTS),
    picture=st.sampled_from(PICTURES),
    mask=st.sampled_from(MASKS),
    litter=st.sets(st.sampled_from(LITTER), max_size=4),
    ending=st.sampled_from((".png", ".jpg", ".JPG", ".tif")),
    table=st.sampled_from(TABLES),
    link=st.booleans(),
    deeper=st.sampled_from(("", "images/", "{p}/")),
)


@cache
def encoded(ending: str, number: int, mask: bool) -> bytes:
    """A picture of noise, or one of two values."""
    picture = np.random.default_rng(number).integers(0, 256, (10, 10, 3), np.uint8)
    if mask:
        picture = np.zeros((16, 16), np.uint8)
        picture[:8] = 255
    return cv2.imencode(ending.lower(), picture)[1].tobytes()


def write(file: Path, content: bytes = b"\0") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def build(root: Path, quirks: Quirks) -> set[str]:
    """Writes such a folder and returns the paths of its masks."""
    masks, rows, folder = set(), [], ""
    for part, seed in quirks.parts.items():
        for number, (name, size) in enumerate(zip(quirks.classes, quirks.sizes, strict=False)):
            for i in range(size):
                fields = {"i": 100 * seed + i, "p": 10 * number + i // 2, "side": "LR"[i % 2]}
                folder = f"{quirks.wrapper}{part}{name}/"
                stem = quirks.picture.format(**fields)
                write(
                    root / f"{folder}{quirks.deeper.format(**fields)}{stem}{quirks.ending}",
                    encoded(quirks.ending, i, False),
                )
                rows.append((stem, name))
                if quirks.mask:
                    mask = root / f"{quirks.mask.format(folder=folder, stem=stem)}.png"
                    masks.add(str(mask))
                    write(mask, encoded(".png", 0, True))
    for name in quirks.litter:
        place = root / name.format(folder=folder)
        place.mkdir(parents=True, exist_ok=True) if name.endswith("/") else write(place)
    if quirks.link and folder:
        (root / quirks.wrapper / "again").symlink_to(root / folder, target_is_directory=True)
    if quirks.table:
        write(root / "labels.csv", table(quirks.table, rows).encode())
    return {os.path.realpath(mask) for mask in masks}


def table(header: str, rows: list[tuple[str, str]]) -> str:
    separator = next((character for character in ";\t" if character in header), ",")
    lines = [(stem, *("010"[i % 2 :] if "A" in header else (name,))) for i, (stem, name) in enumerate(rows)]
    return "\n".join([header, *(separator.join(line) for line in lines)]) + "\n"


def check_index(data, masks: set[str]) -> None:
    files = [os.path.realpath(path) for path in data.index["path"]]
    assert len({*files}) == len(files), "a picture is used twice"
    assert not masks & {*files}, "a mask is a picture"


def check_folder(quirks: Quirks) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place, "set")
        root.mkdir()
        masks = build(root, quirks)
        for look in (FolderData, looked_at):
            try:
                data = look(str(root))
                check_index(data, masks)
                if data.groups is not None:
                    part = data.table["part"]
                    used = (part != "").to_numpy()
                    assert part[used].groupby(data.groups[used]).nunique().max() == 1, "a group is in two parts"
            except UserError as error:
                assert "\n" not in str(error) and len(str(error)) > 20


def looked_at(root: str):
    """The images as `init` reads them."""
    found = survey(Path(root), {})
    keep_together(found.look)
    settings = {name: value for name, value in found.look.settings.items() if name.startswith("group")}
    return type(found.data)(**found.look.settings) if settings and "split" not in found.look.settings else found.data


quiet = {"deadline": None, "suppress_health_check": [*HealthCheck], "derandomize": True, "database": None}


@settings(max_examples=12, **quiet)
@given(QUIRKS)
def test_some_folders(quirks):
    check_folder(quirks)


@pytest.mark.slow
@settings(max_examples=200, **quiet)
@given(QUIRKS)
def test_many_folders(quirks):
    check_folder(quirks)


@pytest.mark.slow
@settings(max_examples=20, **quiet)
@given(QUIRKS)
def test_init_ends_with_a_file_or_a_sentence(quirks):
    with tempfile.TemporaryDirectory() as place:
        root = Path(place, "set")
        root.mkdir()
        build(root, quirks)
        file = Path(place, "set.yaml")
        status = main(["init", str(root), "--output", str(file)])
        assert status == (0 if file.exists() else 2)
