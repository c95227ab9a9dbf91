"""Decisions for finished runs: fitted on what they predicted of validation images, applied to those of the test.

No test image has a part in what is decided for it. Of a cross-validation without a validation part, the decision of a
fold is fitted on the test images of the other folds, which that fold's network was trained on but theirs were not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from lightning_imbal.decisions.base import Decision, Labelled, Rule
from lightning_imbal.decisions.prevalence import class_shares, ratio_to, reweighted
from lightning_imbal.errors import UserError
from lightning_imbal.runs.digests import recorded
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.derived import DerivedRun
from lightning_imbal.stats.rounds import Round, rounds_of


@dataclass(frozen=True, eq=False)
class Fitted:
    """Images that the decision of a run is fitted on.

    Args:
        run: The run.
        images: Their predictions.
        of: What they are, for people.
    """

    run: Run
    images: Predictions
    of: str


Shares = Callable[[Fitted], np.ndarray]  # of each class, (C,), where a decision is to be used


def labelled(predictions: Predictions) -> Labelled:
    """Predictions as a rule takes them."""
    return Labelled(
        predictions.probability,
        predictions.label,
        predictions.unit,
        predictions.class_names,
        predictions.class_counts,
        predictions.groups,
    )


def fitted_on(runs: Sequence[Run]) -> list[Fitted]:
    """For each run of a row, in their order, what its decision is fitted on.

    Raises:
        UserError: A run has no predictions of validation images, and no other fold.
    """
    found: dict[int, Fitted] = {}
    for folds in rounds_of(runs):
        for run in folds:
            others = [each.predictions for each in folds if each is not run and each.predictions is not None]
            if run.validation is not None:
                found[id(run)] = Fitted(run, run.validation, "the validation part")
            elif others and len(others) == len(folds) - 1:
                found[id(run)] = Fitted(run, Round(tuple(others)).joined, "the test images of the other folds")
            else:
                raise UserError(_none(run))
    return [found[id(run)] for run in runs]


def fit(rule: Rule, fitted: Fitted, share: np.ndarray | None = None) -> Decision:
    """The decision of a rule.

    Args:
        rule: The rule.
        fitted: What it is fitted on.
        share: Of each class where the decision is to be used, (C,); by default that of the fitted images.

    Raises:
        UserError: The images do not suffice.
    """
    images = labelled(fitted.images)
    if share is None:
        return rule.fit(images)
    ratio = ratio_to(share, class_shares(images), images.class_names)
    return replace(rule.fit(reweighted(images, share)), ratio=ratio)


def decisions_of(runs: Sequence[Run], rule: Rule, shares: Shares | None = None) -> list[Decision]:
    """The decision of a rule for each run of a row, in their order.

    Args:
        runs: Of the row.
        rule: The rule.
        shares: The share of each class where the decisions are to be used; by default that of the fitted images.

    Raises:
        UserError: There is nothing to fit it on, or it does not suffice.
    """
    return [fit(rule, each, shares(each) if shares else None) for each in fitted_on(runs)]


def about(fitted: Fitted) -> dict[str, Any]:
    """What the decision of a run was fitted on, as its file says it."""
    run, images, checkpoint = fitted.run, fitted.images, fitted.run.best_checkpoint
    return {
        "run": run.identity["name"],
        "images": fitted.of,
        "of_class": {
            name: int(number)
            for name, number in zip(
                images.class_names, np.bincount(images.label, minlength=len(images.class_names)), strict=True
            )
        },
        "units": len(np.unique(images.unit)),
        "checkpoint": recorded(run.folder).get(f"{checkpoint.parts[-3]}/checkpoints/best.ckpt"),
    }


def decided(predictions: Predictions, decision: Decision) -> Predictions:
    """Predictions with what a decision answers for them."""
    return replace(predictions, decided=decision.answer(predictions.probability))


def decided_runs(runs: Sequence[Run], rule: Rule) -> list[Run]:
    """The same runs with the answers of a rule.

    Raises:
        UserError: As for `decisions_of`; or the rule leaves images without an answer, so that nothing can be scored.
    """
    decisions = decisions_of(runs, rule)
    if not all(decision.always_answers for decision in decisions):
        raise UserError(
            f"{type(rule).__name__} leaves images without an answer, so that a table cannot score it: see "
            "`lightning_imbal decide` for what it answers."
        )
    return answering(runs, decisions, type(rule).__name__)


def answering(runs: Sequence[Run], decisions: Sequence[Decision], rule: str = "") -> list[Run]:
    """The same runs, each with the answers of its decision, and with the name of the rule in their titles."""
    about = {"decision": rule} if rule else {}
    return [
        DerivedRun(run, partial(decided, decision=decision), about=about)
        for run, decision in zip(runs, decisions, strict=True)
    ]


def predictions_of(run: Run) -> Predictions:
    """What a run predicted for its test images.

    Raises:
        UserError: That was not kept.
    """
    if run.predictions is None:
        raise UserError(f"{run.folder} has no predictions of single images (predictions.parquet): `test` it again.")
    return run.predictions


def _none(run: Run) -> str:
    checkpoint = run.folder / "stage1" / "checkpoints" / "best.ckpt"
    split = run.split()
    if split is not None and (split["part"] == "val").any():
        return (
            f"{run.folder} has no predictions of its validation part (predictions_val.parquet), which a decision is "
            f"fitted on: `lightning_imbal test --ckpt_path {checkpoint}` writes them beside new results."
        )
    return (
        f"{run.folder} has no validation part, which a decision is fitted on: train with one "
        "(--data.split.val 0.1), or give all folds of a cross-validation."
    )
