"""A run, and what its files say. What only looks at scores waits for neither NumPy nor pandas."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import beside
from lightning_imbal.runs.digests import check_digest
from lightning_imbal.runs.folder import best_checkpoint, is_finished, stages_in, stages_of
from lightning_imbal.runs.reading import AGAIN, ATTRIBUTE, check_keys, reading
from lightning_imbal.runs.stage import Stage, read_split
from lightning_imbal.runs.title import completed, title_of
from lightning_imbal.score_names import OF_CLASS, OF_GROUP, OF_PROBABILITY, SCORES
from lightning_imbal.wording import fold_text

if TYPE_CHECKING:
    import pandas as pd

    from lightning_imbal.runs.predictions import Predictions


class Run:
    """A run, or a folder with results inside one, such as RUN/plain; its files are read when they are asked for.

    Args:
        folder: What `fit`, `test`, `validate` or `table` wrote to.
        repeat: Which repetition it is, such as `seed 0`, where there are several.
    """

    def __init__(self, folder: str | Path, repeat: str = "") -> None:
        self.folder, self.repeat = Path(folder), repeat

    def check_finished(self) -> None:
        """Refuses a folder without results.

        Raises:
            UserError: The folder holds no finished run.
        """
        if not is_finished(self.folder):
            mend = "" if self.folder.exists() else beside(self.folder)
            mend = mend or "give the folder that `fit` wrote to."
            raise UserError(f"{self.folder} holds no finished run (no metrics.json): {mend}")

    @cached_property
    def results(self) -> dict[str, Any]:
        """What was found: `identity`, `summary`, `classes`, `groups` and `confusion`.

        Raises:
            UserError: The folder holds no finished run, or the file is damaged.
        """
        self.check_finished()
        file = self.folder / "metrics.json"
        with reading(file):
            results = json.loads(file.read_text(encoding="utf-8"))
            check_keys(results, {"identity": dict, "summary": dict, "classes": list, "groups": dict, "confusion": list})
            check_keys(results["identity"], {"name": str, "data": str, "split": dict, "part": str, "versions": dict})
            for row in results["classes"]:
                check_keys(row, {"name": str, "train_images": int, "images": int})
            for group in results["groups"].values():
                check_keys(group, {"classes": list})
            if [len(row) for row in results["confusion"]] != [len(results["classes"])] * len(results["classes"]):
                raise ValueError("The confusion matrix is not of the classes.")
        return results | {"identity": self._completed(results["identity"])}

    @property
    def identity(self) -> dict[str, Any]:
        """What names the run and what it was made with."""
        return self.results["identity"]

    @property
    def title(self) -> str:
        """What it is the result of, such as `LDAM-DRW -> cRW, FlipTTA, ISIC2018, fold 1 of 3, seed 0`."""
        return title_of(self.identity)

    @property
    def repeat_title(self) -> str:
        """The same as `repeat` for people, such as `fold 1 of 3`."""
        fold, folds = (self.identity["split"].get(key) for key in ("fold", "folds"))
        return fold_text(fold, folds) if folds and self.repeat == f"fold {fold}" else self.repeat

    @property
    def class_names(self) -> list[str]:
        """In label order."""
        return [row["name"] for row in self.results["classes"]]

    @cached_property
    def predictions(self) -> "Predictions | None":
        """What was predicted for each test image; the units are the groups in `split`. None if that was not kept.

        Raises:
            UserError: There are predictions, but no `metrics.json`: the run is not finished; or the predictions are
                damaged, or those of another run.
        """
        file = self.folder / "predictions.parquet"
        if not file.is_file():
            return None
        if not is_finished(self.folder):
            raise UserError(
                f"{self.folder} has predictions, but no metrics.json: finish the run, or give another folder."
            )
        from lightning_imbal.runs.predictions import check_origin

        predictions = self._read(file)
        check_origin(predictions, self.results, self._own_split, self.folder)
        return predictions

    @property
    def has_attributes(self) -> bool:
        """Whether anything is known of the test images beside their class; the predictions are not read for it."""
        file = self.folder / "predictions.parquet"
        return file.is_file() and ATTRIBUTE.encode() in _footer(file)

    @cached_property
    def validation(self) -> "Predictions | None":
        """The same of the validation images; None if there are none, or they were not predicted.

        Raises:
            UserError: As for `predictions`.
        """
        file = self.folder / "predictions_val.parquet"
        if not file.is_file() or not is_finished(self.folder):
            return None
        from lightning_imbal.runs.predictions import check_part

        predictions = self._read(file)
        check_part(predictions, self._own_split, "val", self.folder)
        return predictions

    @property
    def stages(self) -> list[Stage]:
        """First to last; those of the run that the folder is in, if it has none."""
        return [Stage(folder) for folder in stages_of(self.folder)]

    @property
    def best_checkpoint(self) -> Path:
        """That of the last stage."""
        return best_checkpoint(self.folder, stages_of(self.folder))

    def split(self) -> "pd.DataFrame | None":
        """That beside the results, as of an ensemble, or that of the last stage which has one."""
        own = read_split(self.folder / "split.csv", self.folder)
        splits = (stage.split() for stage in reversed(self.stages))
        return own if own is not None else next((split for split in splits if split is not None), None)

    @property
    def names_groups(self) -> bool:
        """Whether its split names the lesion or patient of images, by the first line of the file alone."""
        files = [folder / "split.csv" for folder in (self.folder, *reversed(stages_of(self.folder)))]
        file = next((each for each in files if each.is_file()), None)
        if file is None:
            return False
        with file.open(encoding="utf-8", errors="replace") as lines:
            return "group" in lines.readline().strip().split(",")

    def _completed(self, identity: dict[str, Any]) -> dict[str, Any]:
        """With what a run from before titles were written tells by its configurations."""
        if "title" in identity:
            return identity
        from lightning_imbal.runs.lineage import lineage_of

        return completed(identity, lineage_of(self.folder, identity.get("checkpoint")), self.folder.absolute())

    def _read(self, file: Path) -> "Predictions":
        import pandas as pd

        from lightning_imbal.runs.predictions import as_predictions

        # What is pooled is a unit, and no image of the split.
        results, split = self.results, None if self.identity.get("pool") else self._split
        with reading(file, f"{AGAIN}; or else metrics.json beside it is that of another run"):
            check_digest(file, self.folder)
            predictions = as_predictions(pd.read_parquet(file), results, split)
        return replace(predictions, unit=predictions.image) if self.identity.get("pool") else predictions

    @cached_property
    def _split(self) -> "pd.DataFrame | None":
        return self.split()

    @property
    def _own_split(self) -> "pd.DataFrame | None":
        """That of the run, if it is known to be that of its results: a test may be on other data."""
        own = self.identity.get("checkpoint") is None and (stages_in(self.folder) or self.identity.get("members"))
        return self._split if own and not self.identity.get("pool") else None

    def feature_map(self) -> "pd.DataFrame | None":
        """`image`, `label`, `x`, `y` of the images that are on the map of features; None if there is none.

        Raises:
            UserError: The file is damaged, or that of other predictions.
        """
        file = self.folder / "features.npz"
        if not file.is_file() or self.identity.get("pool"):  # it is of single images
            return None
        import numpy as np
        import pandas as pd

        check_digest(file, self.folder)
        with reading(file, f"{AGAIN} and --save_features true"), np.load(file, allow_pickle=False) as arrays:
            table = pd.DataFrame({name: arrays[name] for name in ("image", "label", "x", "y")})
            if self.predictions is not None and not np.array_equal(table["image"], self.predictions.image):
                raise ValueError("It is of other images than the predictions.")
        return table.dropna(subset=["x", "y"], ignore_index=True)

    def score(self, key: str) -> float:
        """A score by its key, such as `accuracy`, `f1/nevus`, `group_recall/minor`; NaN if the run is older than it.

        Raises:
            UserError: There is no such score, class or group.
        """
        kind = key.partition("/")[0]
        known = {key: self.results["summary"]} if key in SCORES else {}
        if kind in OF_CLASS or kind in OF_PROBABILITY:
            known |= {f"{kind}/{row['name']}": row for row in self.results["classes"]}
        if kind in OF_GROUP:
            known |= {f"{kind}/{group}": row for group, row in self.results["groups"].items()}
        if key not in known:
            raise UserError(f"{self.folder} has no score {key!r}, which the table asks for.")
        return known[key].get(kind.removeprefix("group_"), nan)


def _footer(file: Path) -> bytes:
    """What a Parquet file ends with: the names of its columns among others, then its own length and a mark."""
    with file.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - 8))
        length = int.from_bytes(opened.read(4), "little")
        opened.seek(max(0, size - 8 - length))
        return opened.read(length)


def by_size(classes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The classes of a run's results from most to fewest training images."""
    return sorted(classes, key=lambda row: -row["train_images"])
