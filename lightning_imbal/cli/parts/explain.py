"""Why networks made their worst mistakes: maps of where they looked, and the nearest training images."""

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lightning_imbal.atomic_files import refuse_unwritable, write_whole
from lightning_imbal.data.thumbnails import small_jpeg
from lightning_imbal.errors import UserError
from lightning_imbal.report.page.explained import Explained, Explanations, Neighbour
from lightning_imbal.report.page.pictures import THUMBNAIL
from lightning_imbal.runs.run import Run
from lightning_imbal.runs.spreadsheet import to_csv
from lightning_imbal.stats.analysis import worst
from lightning_imbal.stats.drawn_methods import Method
from lightning_imbal.trained.explain.maps import require_package
from lightning_imbal.trained.explain.neighbours import training_features
from lightning_imbal.trained.explain.network import ATTENTION, ExplainedNetwork, Seen, checkpoint_of
from lightning_imbal.trained.explain.pictures import beside, enlarged, file_name, overlay
from lightning_imbal.wording import number_of

FOLDER, CSV = "explanations", "nearest.csv"
EACH, ALL = 24, 48  # mistakes of a method, and of all together, that are explained
NOWHERE = "no place stands out"
NOTHING = "No image was misclassified, so there is nothing to explain."
COARSE = "is coarse ({} x {} cells, enlarged)"
NO_PROOF = "and is no proof (Adebayo et al. 2018, Sanity Checks for Saliency Maps)."
LIMITS = {
    "gradcam": f"A heat map {COARSE} and scaled by itself: it shows where the network's logit of a class comes from, "
    f"not why, {NO_PROOF}",
    "rollout": f"A map of attention {COARSE} and the same for every class: it shows which patches are passed on, not "
    f"what is made of them, {NO_PROOF}",
}


def explain(methods: Sequence[Method], how: str, neighbours: int, root: str | None = None) -> Explanations:
    """Explains the worst mistakes of each method, writes files into the folders of the runs, and says where they are.

    Args:
        methods: Of a report.
        how: `gradcam`, `rollout` or `auto`.
        neighbours: How many of the nearest training images are looked for; 0: none.
        root: Where the pictures are now, if not where the runs say.

    Raises:
        UserError: The optional package, a checkpoint, the data or a picture is not there.
    """
    require_package()
    number = min(EACH, max(1, ALL // len(methods)))
    asked = [(method.name, run) for method in methods for run in _runs_of(method, number)]
    remarks = {f"Explained: at most {number} mistakes of each method." if asked else NOTHING: None}
    of: dict[str, dict[str, Explained]] = {method.name: {} for method in methods}
    pictures: dict[str, bytes] = {}
    for name, run in asked:
        found = run.explain(how, neighbours, root)
        of[name] |= found.explained
        remarks |= dict.fromkeys(found.remarks)
        pictures |= found.pictures
    for remark in remarks:
        print(remark)
    return Explanations(of, list(remarks), pictures)


def _runs_of(method: Method, number: int) -> Iterator["_OfRun"]:
    """The runs whose networks explain the worst mistakes of a method."""
    if all(run.predictions is None for run in method.runs):
        raise UserError(
            f"{method.runs[0].folder} has no predictions of single images (predictions.parquet), so its mistakes "
            "are not known: `test` its checkpoint again."
        )
    for place, table in worst(method.runs, number).groupby("run"):
        yield _OfRun(method.runs[int(place)], table)


class _Found(NamedTuple):
    """What is found of a run: of its mistakes, sentences on it, and JPEG files of training images, each by its id."""

    explained: dict[str, Explained]
    remarks: list[str]
    pictures: dict[str, bytes]


class _OfRun:
    """Explains some mistakes of a run, and writes the files.

    Args:
        run: The run.
        table: Its mistakes, as `worst` returns them.

    Raises:
        UserError: It has no checkpoint, or nothing can be written into its folder.
    """

    def __init__(self, run: Run, table: pd.DataFrame) -> None:
        self.run, self.folder, self.table = run, run.folder / FOLDER, table
        checkpoint_of(run)
        refuse_unwritable("--explain", self.folder, folder=True)

    def explain(self, how: str, neighbours: int, root: str | None) -> _Found:
        """Explains them; the arguments are those of the function above."""
        network, table = ExplainedNetwork(self.run, how, root), self.table
        predicted = pd.Index(self.run.class_names).get_indexer(table["predicted"])
        seen = network.see(network.rows_of(table["image"].tolist(), self.run), predicted)
        nearest = list(self._nearest(network, seen, neighbours)) if neighbours else [[]] * len(table)
        mistakes = table.to_dict("records")
        explained = {
            row["image"]: self._explained(row, seen, number, nearest[number]) for number, row in enumerate(mistakes)
        }
        remarks = [LIMITS[network.how].format(*seen.cells)]
        if network.adjusted_by:
            remarks.append(f"It is of the network's own logits, before {network.adjusted_by} changes them.")
        if neighbours:
            self._write_nearest(explained)
        place = os.path.relpath(self.folder) if self.folder.is_relative_to(Path.cwd()) else self.folder
        maps = number_of(len(table) * len(seen.maps), "map")
        print(f"Explanations: {place} ({maps} of {number_of(len(table), 'mistake')}{f', {CSV}' if neighbours else ''})")
        near = list(dict.fromkeys(each.image for of_image in nearest for each in of_image))
        seen_too = network.pictures(network.rows_of(near, self.run))
        return _Found(explained, remarks, dict(zip(near, map(_small, seen_too), strict=True)))

    def _nearest(self, network: ExplainedNetwork, seen: Seen, number: int) -> Iterator[list[Neighbour]]:
        """The nearest training images of each image."""
        training, names = training_features(network, self.folder), network.model.class_names
        for positions, distances in zip(*training.nearest(seen.feature, number), strict=True):
            yield [
                Neighbour(str(training.image[position]), names[training.label[position]], float(distance))
                for position, distance in zip(positions, distances, strict=True)
            ]

    def _explained(self, row: dict[str, Any], seen: Seen, number: int, nearest: Sequence[Neighbour]) -> Explained:
        """Draws the maps of an image, and writes them."""
        picture, maps = seen.image[number], {}
        for name, of_all in seen.maps.items():
            found, of_class = of_all[number], row.get(name, ATTENTION)
            content = beside(picture, found)
            write_whole(self.folder / file_name(row["image"], of_class), partial(Path.write_bytes, data=content))
            which = "true" if name == "label" else name
            title = of_class if name == ATTENTION else f"for {of_class} ({which})"
            maps[title if found.any() else f"{title}: {NOWHERE}"] = small_jpeg(
                overlay(enlarged(picture), found), THUMBNAIL
            )
        return Explained(_small(picture), maps, nearest)

    def _write_nearest(self, explained: dict[str, Explained]) -> None:
        rows = [
            {
                **{name: row[name] for name in ("image", "label", "predicted")},
                **{"neighbour": near.image, "neighbour_label": near.label, "distance": near.distance},
            }
            for row in self.table.to_dict("records")
            for near in explained[row["image"]].nearest
        ]
        write_whole(self.folder / CSV, partial(to_csv, pd.DataFrame(rows), float_format="%.6g"))


def _small(picture: np.ndarray) -> bytes:
    """A JPEG file of a picture (H, W, 3), floats in 0..1."""
    return small_jpeg((255 * enlarged(picture)).astype(np.uint8), THUMBNAIL)
