"""Thresholds that promise to miss few images of a class."""

import numpy as np

from lightning_imbal.decisions.base import Labelled
from lightning_imbal.decisions.promised import Promised


class Sensitivity(Promised):
    """Answers each named class from the largest threshold on that promises its sensitivity.

    What the promise means is said by `Promised`: of new images of a named class, as those of the validation part are,
    at least the target share is answered with it, in all but 1 - `confidence` of such validation parts. Images of a
    class that an earlier named one takes are missed.
    """

    RATE = "sensitivity"
    OF = "{}"

    def _threshold(self, validation: Labelled, c: int, taken: np.ndarray) -> float:
        value = np.where(taken, -np.inf, validation.probability[:, c])
        return self.first_kept(validation, c, validation.label == c, value)
