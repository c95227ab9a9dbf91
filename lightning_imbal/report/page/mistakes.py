"""The worst mistakes of the methods on a report page, with small pictures of the images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lightning_imbal.report.page.explained import Explanations, key_of_map, key_of_neighbour, key_of_seen
from lightning_imbal.report.page.pictures import pictures_of
from lightning_imbal.stats.analysis import worst
from lightning_imbal.stats.drawn_methods import Method
from lightning_imbal.wording import number_of

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

    def key_of_picture(self, method: str, image: str) -> str:
        """What the page calls the picture of a mistake, which is as the network saw it where that is known."""
        return image if self.why.of_mistake(method, image) is None else key_of_seen(method, image)

    def held(self) -> str:
        """A sentence on what the page tells of single images and of the machine."""
        named = f"the names of {number_of(len(self.images), 'test image')}" if self.images else ""
        rows = [(row["image"], name) for name, of_method in self.tables.items() for row in of_method]
        number = len({image for image, name in rows if self.key_of_picture(name, image) in self.pictures})
        shown = f"small pictures of {number} of them" if number else ""
        near = self.why.training_images
        trained = f"names and small pictures of {number_of(len(near), 'training image')}" if near else ""
        of_runs = "the names of the runs and the folders in their settings"
        held = ", ".join(filter(None, [named, shown, trained, of_runs]))
        return f"This page holds {held}: --anonymous leaves them out."


def mistakes_of(methods: Sequence[Method], why: Explanations, root: str | None = None) -> Mistakes:
    """The worst mistakes of each method, with pictures where the data set of a run is here.

    Args:
        methods: All of the page.
        why: What is known of them, with pictures of its own.
        root: Where the data set is now, if not where the runs say.
    """
    tables = _tables(methods)
    if not tables:
        return Mistakes({}, remark=NO_PREDICTIONS)
    unexplained = [
        row["image"] for name, rows in tables.items() for row in rows if why.of_mistake(name, row["image"]) is None
    ]
    # All runs have the same data set.
    found, complaint = pictures_of([method.runs[0].folder for method in methods], [*dict.fromkeys(unexplained)], root)
    return Mistakes(tables, found | why.addresses(), complaint, why)


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
