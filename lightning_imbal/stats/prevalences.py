"""How frequent classes are where runs are to be used: as a file says, or as their test images tell without labels."""

from collections.abc import Sequence

import numpy as np

from lightning_imbal.decisions.prevalence import Estimate, class_shares, read_prevalence
from lightning_imbal.decisions.prevalence_estimates import estimate_by_probabilities
from lightning_imbal.errors import UserError
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.decided import Fitted, labelled

ESTIMATE = "estimate"


class Prevalences:
    """The share of each class.

    Args:
        given: `estimate`, or a CSV file.
        class_names: In label order.

    Attributes:
        estimates: Of each run that was asked for, by its folder; none if a file says it.

    Raises:
        UserError: The file does not fit.
    """

    def __init__(self, given: str, class_names: Sequence[str]) -> None:
        self.given, self.class_names = given, tuple(class_names)
        self.estimates: dict[str, Estimate] = {}
        self._share = None if given == ESTIMATE else read_prevalence(given, class_names)

    def of(self, run: Run, fitted: Fitted) -> np.ndarray:
        """The share of each class for a run, (C,).

        Raises:
            UserError: It cannot be estimated.
        """
        if self._share is not None:
            return self._share
        key = str(run.folder)
        if key not in self.estimates:
            known = run.predictions
            if known is None:
                raise UserError(
                    f"{run.folder} has no predictions of single images (predictions.parquet): test it again."
                )
            # Their labels are not looked at.
            self.estimates[key] = estimate_by_probabilities(labelled(fitted.images), known.probability, known.unit)
        return self.estimates[key].share

    def sentences(self, fitted: Fitted) -> list[str]:
        """What is known of the shares, and what speaks against it."""
        before = class_shares(labelled(fitted.images))
        if self._share is not None:
            each = zip(self.class_names, self._share, before, strict=True)
            told = ", ".join(f"{name} {share:.3f} ({was:.3f})" for name, share, was in each)
            return [f"Prevalence by {self.given}, and in the validation part: {told}."]
        found = []
        for folder, estimate in self.estimates.items():
            rows = zip(self.class_names, estimate.share, estimate.low, estimate.high, before, strict=True)
            told = ", ".join(f"{name} {s:.3f} [{low:.3f}, {high:.3f}] ({was:.3f})" for name, s, low, high, was in rows)
            found.append(f"{folder}: prevalence of the test images by {estimate.method}, and in validation: {told}.")
            found += [f"{folder}: {warning}." for warning in estimate.warnings]
        return found
