"""Thresholds that promise to take few images of other classes for one."""

import numpy as np

from lightning_imbal.decisions.base import Labelled
from lightning_imbal.decisions.promised import Promised


class Specificity(Promised):
    """Answers each named class from the smallest threshold on that promises its specificity.

    What the promise means is said by `Promised`: of new images of the other classes, at least the target share is not
    answered with the named one. What earlier named classes take only adds to that, and is not counted on.
    """

    RATE = "specificity"
    OF = "classes other than {}"

    def _threshold(self, validation: Labelled, c: int, taken: np.ndarray) -> float:
        first = -self.first_kept(validation, c, validation.label != c, -validation.probability[:, c])
        return float(np.nextafter(first, np.inf))  # the least that this image does not reach
