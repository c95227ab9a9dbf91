"""The worst mistakes of the methods on a report page, with small pictures of the images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightning_imbal.errors import UserError
from lightning_imbal.report.page.explained import Explanations, address, key_of_map, key_of_neighbour
from lightning_imbal.stats.analysis import worst
from lightning_imbal.stats.drawn_methods import Method
from lightning_imbal.wording import number_of

THUMBNAIL = 128
NO_PREDICTIONS = "No run has predictions of single images (predictions.parquet), so there is nothing to show here."


@dataclass(frozen=True)
class Mistakes:
    """The worst mistakes of the methods, the pictures that are there, and what is known of why."""

    tables: dict[str, list[dict[str, Any]]]
    pictures: dict[str, str] = field(default_factory=dict)
    remark: str = ""
    why: Explanations = field(default_factory=Explanations)
    key_of_map, key_of_neighbour = staticmethod(key_of_map), staticmethod(key_of_neighbour)

    @property
    def images(self) -> list[str]:
        """The images that are named, each once."""
        return list(dict.fromkeys(row["image"] for rows in self.tables.values() for row in rows))

    def held(self) -> str:
        """A sentence on what the page tells of single images and of the machine."""
        named = f"the names of {number_of(len(self.images), 'test image')}" if self.images else ""
        number = len(self.pictures.keys() & {*self.images})
        shown = f"small pictures of {number} of them" if number else ""
        near = self.why.training_images
        trained = f"names and small pictures of {number_of(len(near), 'training image')}" if near else ""
        of_runs = "the names of the runs and the folders in their settings"
        held = ", ".join(filter(None, [named, shown, trained, of_runs]))
        return f"This page holds {held}: --anonymous leaves them out."


def mistakes_of(methods: Sequence[Method], why: Explanations) -> Mistakes:
    """The worst mistakes of each method, with pictures where the data set of a run is here.

    Args:
        methods: All of the page.
        why: What is known of them, with pictures of its own.
    """
    tables = _tables(methods)
    if not tables:
        return Mistakes({}, remark=NO_PREDICTIONS)
    explained, complaints = why.addresses(), []
    images = [image for image in Mistakes(tables).images if image not in explained]
    if not images:
        return Mistakes(tables, explained, why=why)
    # All runs have the same data set, but the first may have lost its configuration.
    for method in methods:
        try:
            return Mistakes(tables, pictures_of(method.runs[0].folder, images) | explained, why=why)
        except UserError as error:
            complaints.append(str(error))
    return Mistakes(tables, explained, complaints[0], why)


def nameless_mistakes_of(methods: Sequence[Method], called: Callable[[str], str], why: Explanations) -> Mistakes:
    """The same without pictures.

    Args:
        methods: All of the page.
        why: As for `mistakes_of`.
        called: What stands in the place of an image's name.
    """
    tables = {name: [row | {"image": called(row["image"])} for row in rows] for name, rows in _tables(methods).items()}
    return Mistakes(tables, remark="" if tables else NO_PREDICTIONS, why=why.nameless(called))


def _tables(methods: Sequence[Method]) -> dict[str, list[dict[str, Any]]]:
    return {
        method.name: worst(method.runs).to_dict("records")
        for method in methods
        if any(run.predictions is not None for run in method.runs)
    }


def pictures_of(folder: Path, images: Sequence[str], root: str | None = None) -> dict[str, str]:
    """Small pictures of a run's data set, as addresses that hold them.

    Args:
        folder: Of the run.
        images: Ids of the pictures.
        root: Where the data set is now, if not where the run says.

    Raises:
        UserError: As for `thumbnails`.
    """
    # It builds the data set of the run, and so needs torch.
    from lightning_imbal.data.thumbnails import thumbnails

    found = thumbnails(folder, images, THUMBNAIL, root)
    return {image: address(jpeg) for image, jpeg in found.items()}
