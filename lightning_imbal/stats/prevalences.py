"""How frequent classes are where runs are to be used: as a file says, or as their test images tell without labels."""

from collections.abc import Sequence

import numpy as np

from lightning_imbal.decisions.prevalence import Estimate, class_shares, read_prevalence
from lightning_imbal.decisions.prevalence_estimates import estimate_by_answers, estimate_by_probabilities
from lightning_imbal.errors import UserError
from lightning_imbal.stats.decided import Fitted, labelled, predictions_of

ESTIMATE = "estimate"


class Prevalences:
    """The share of each class.

    Args:
        given: `estimate`, or a CSV file.
        class_names: In label order.

    Raises:
        UserError: The file does not fit.
    """

    def __init__(self, given: str, class_names: Sequence[str]) -> None:
        self.given, self.class_names = given, tuple(class_names)
        self._estimates: dict[str, Estimate] = {}
        self._share = None if given == ESTIMATE else read_prevalence(given, class_names)

    def of(self, fitted: Fitted) -> np.ndarray:
        """The share of each class for a run, (C,).

        Raises:
            UserError: It cannot be estimated.
        """
        if self._share is not None:
            return self._share
        key = str(fitted.run.folder)
        if key not in self._estimates:
            # Their labels are not looked at.
            known = predictions_of(fitted.run)
            self._estimates[key] = estimate_by_probabilities(labelled(fitted.images), known.probability, known.unit)
        return self._estimates[key].share

    def sentences(self, fitted: Fitted) -> list[str]:
        """What is known of the shares for a run, and what speaks against it.

        Raises:
            UserError: They cannot be estimated.
        """
        share, before = self.of(fitted), class_shares(labelled(fitted.images))
        if self._share is not None:
            rows = zip(self.class_names, share, before, strict=True)
            told = ", ".join(f"{name} {share:.3f} ({was:.3f})" for name, share, was in rows)
            return [f"Prevalence by {self.given}, and in the validation part: {told}."]
        found = [*self._told(self._estimates[str(fitted.run.folder)], before), *self._by_answers(fitted, before)]
        return [f"{fitted.run.folder}: {sentence}." for sentence in found]

    def _told(self, estimate: Estimate, before: np.ndarray) -> list[str]:
        rows = zip(self.class_names, estimate.share, estimate.low, estimate.high, before, strict=True)
        told = ", ".join(f"{name} {s:.3f} [{low:.3f}, {high:.3f}] ({was:.3f})" for name, s, low, high, was in rows)
        said = f"prevalence of the test images by {estimate.method}, and in the validation part: {told}"
        return [said, *estimate.warnings]

    def _by_answers(self, fitted: Fitted, before: np.ndarray) -> list[str]:
        """A second estimate, which needs no calibrated probabilities: where they differ, neither is to be trusted."""
        known = predictions_of(fitted.run)
        try:
            estimate = estimate_by_answers(labelled(fitted.images), fitted.images.answers, known.answers, known.unit)
        except UserError as error:
            return [f"the answers give no second estimate: {str(error).rstrip('.')}"]
        return self._told(estimate, before)
