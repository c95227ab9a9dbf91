"""What is known of a public data set, and the few ways in which all of them are written."""

import csv
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zlib import crc32

import cv2
import layouts
import numpy as np

Write = Callable[[Path, list[str]], None]


@dataclass(frozen=True)
class Layout:
    """A public data set in its published structure, and what is right when it is read.

    Attributes:
        name: Its name.
        write: Writes it below a folder, given the class of every image; `build` does both.
        source: Where the structure is published.
        classes: Number of images per class.
        kind: `folder`: the folders are the classes; `csv`: a label file names the images; `refused`: neither.
        root: Folder to give as that of the images, below the one that is built.
        labels: The label file, below the folder that is built.
        image_column: Its column with the images.
        label_column: Its column with the labels.
        group_word: Its column with the patients.
        group_pattern: What finds the patient in the path of an image, where no column has it.
        groups: Number of patients.
        split: Number of images per part, where the set has parts.
        left_out: Pictures below `root` that are not of the set, such as masks.
        says: What the sentence must hold that refuses it.
    """

    name: str
    write: Write
    source: str
    classes: Mapping[str, int]
    kind: Literal["folder", "csv", "refused"] = "folder"
    root: str = "."
    labels: str | None = None
    image_column: str | None = None
    label_column: str | None = None
    group_word: str | None = None
    group_pattern: str | None = None
    groups: int | None = None
    split: Mapping[str, int] = field(default_factory=dict)
    left_out: int = 0
    says: tuple[str, ...] = ()

    def build(self, folder: Path) -> Path:
        """Writes it into an empty folder and returns the one to give as that of the images."""
        label = [name for name, images in self.classes.items() for _ in range(images)]
        random.Random(0).shuffle(label)
        self.write(folder, label)
        return folder / self.root


def layout(name: str, source: str, **known: object) -> Callable[[Write], Layout]:
    """Makes a function that writes a data set to its `Layout`."""
    return lambda write: Layout(name=name, write=write, source=source, **known)  # type: ignore[arg-type]


def paint(root: Path, label_of: Mapping[str, str]) -> None:
    """Writes a picture for every path below `root`, in the colour of its label; no two are identical."""
    colour = {label: number for number, label in enumerate(sorted(set(label_of.values())))}
    labels = [colour[label] for label in label_of.values()]
    seed = crc32(next(iter(label_of)).encode())
    for name, pixels in zip(label_of, layouts.pixels(labels, side=18, seed=seed), strict=True):
        _save(root / name, pixels)


def masks(root: Path, names: Iterable[str]) -> None:
    """Writes a picture of two values, black and white, for every path below `root`."""
    for number, name in enumerate(names):
        mask = np.zeros((18, 18), np.uint8)
        mask[3 : 6 + number % 12, 2 : 5 + number // 12 % 12] = 255
        _save(root / name, mask)


def _save(file: Path, pixels: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(file), pixels)


def table(file: Path, header: str, rows: Iterable[Sequence[object]]) -> None:
    """Writes a CSV file, with its header as it is published."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(header.split(","))
        writer.writerows(rows)
