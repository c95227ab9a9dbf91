"""A run of which nothing is trained or tested again: its stored predictions are changed, and scored as changed."""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lightning_imbal.errors import UserError
from lightning_imbal.runs.pooling import Pool, pooled
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.runs.results import as_results
from lightning_imbal.runs.run import Run
from lightning_imbal.score_names import OF_CLASS, OF_GROUP, OF_PROBABILITY, SCORES
from lightning_imbal.stats.resampled_scores import resampled_scores

if TYPE_CHECKING:
    import pandas as pd

Change = Callable[[Predictions], Predictions]


class DerivedRun(Run):
    """A run whose predictions are changed before they are scored, such as put together for each lesion.

    Stages and split are those of the run, and so is the identity, but for what is added.

    Args:
        origin: The run.
        change: Makes its predictions from those of the run; each image that is left has an answer.
        of_validation: Makes those of the validation images; by default they stay as they are.
        about: What its identity says beside that of the run, such as `{"pool": "mean"}`.
    """

    def __init__(
        self,
        origin: Run,
        change: Change,
        of_validation: Change | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(origin.folder, origin.repeat)
        self.origin, self.change, self.of_validation = origin, change, of_validation
        self.about = dict(about or {})

    @property
    def identity(self) -> dict[str, Any]:
        """That of the run, and what is added; nothing is scored for it."""
        return self.origin.identity | self.about

    @cached_property
    def predictions(self) -> Predictions:
        """Those of the run, changed.

        Raises:
            UserError: The run has kept none, or they cannot be changed so.
        """
        found = self.origin.predictions
        if found is None:
            raise UserError(
                f"{self.folder} has no predictions.parquet, which its scores would be computed from: run `test` again."
            )
        return self.change(found)

    @cached_property
    def validation(self) -> Predictions | None:
        """The same of the validation images, as far as those are changed; None if the run has none."""
        found = self.origin.validation
        return found if found is None or self.of_validation is None else self.of_validation(found)

    @cached_property
    def results(self) -> dict[str, Any]:
        """As `metrics.json` has them, with the scores of the changed predictions."""
        return self.origin.results | {"identity": self.identity} | scored(self.predictions)

    def feature_map(self) -> "pd.DataFrame | None":
        """That of the run; None where its images are no longer those of the predictions."""
        table, before = self.origin.feature_map(), self.origin.predictions
        same = before is not None and np.array_equal(before.image, self.predictions.image)
        return table if same else None


def pooled_run(run: Run, how: Pool) -> Run:
    """A run with the images of each group as one."""
    change = partial(pooled, how=how)
    return DerivedRun(run, change, change, {"pool": how})


def scored(predictions: Predictions) -> dict[str, Any]:
    """Scores predictions, each image once, as `metrics.json` holds it: `summary`, `classes`, `groups`, `confusion`."""
    names, number = predictions.class_names, len(predictions.class_names)
    keys = [*SCORES, *(f"{score}/{name}" for score in (*OF_CLASS, *OF_PROBABILITY) for name in names)]
    keys += [f"{score}/{group}" for score in OF_GROUP for group in predictions.groups]
    once = np.ones((1, len(predictions.label)))
    scores = {key: float(value[0]) for key, value in resampled_scores(predictions, once, keys).items()}
    cell = predictions.label * number + predictions.answers
    confusion = np.bincount(cell, minlength=number**2).reshape(number, number).tolist()
    return as_results(scores, confusion, names, predictions.class_counts, predictions.groups)
