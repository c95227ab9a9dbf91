"""What is refused of callbacks of a stage, whatever scores they wait for."""

from lightning.pytorch import Callback
from lightning.pytorch.callbacks import BaseFinetuning
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.callbacks.of_training import averages_at_the_end, ends_by_a_score, of_tests
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base import ImbalModule


def check_callbacks(callbacks: list[Callback], model: ImbalModule) -> None:
    """Refuses callbacks that only a class of the user's own makes use of, and those that a stage has no use for."""
    for callback in callbacks:
        if type(callback) is BaseFinetuning:
            raise UserError("BaseFinetuning by itself freezes nothing: give BackboneFinetuning or your own class.")
        if isinstance(callback, BaseFinetuning) and (model.freezes_backbone or model.trained_of_backbone):
            raise UserError(
                f"{type(callback).__name__} would train the backbone that {type(model).__name__} keeps: leave it out, "
                "or take it from the second stage with then: {trainer: {callbacks: null}}."
            )


def tell_unused(callbacks: list[Callback], model: ImbalModule) -> None:
    """Says what is left out: what waits for a score without a classifier, and for steps where there are none."""
    for callback in callbacks if model.closed_form else ():
        if callback not in of_tests(callbacks):
            rank_zero_info(
                f"{type(callback).__name__} is of the steps of an optimizer: {type(model).__name__}, whose classifier "
                "is computed, goes without it."
            )
    for callback in callbacks if not model.classifies else ():
        if ends_by_a_score(callback):
            rank_zero_info(
                f"{type(callback).__name__} waits for {callback.monitor}, which {type(model).__name__}, without a "  # type: ignore[attr-defined]
                "classifier, does not have: this stage is trained to its end."
            )


def check_averaging(callbacks: list[Callback], monitor: str) -> None:
    """Refuses to choose an epoch where the average is only made after the last one."""
    if averages_at_the_end(callbacks):
        raise UserError(
            f"StochasticWeightAveraging makes its average after the last epoch, and the best epoch by {monitor} would "
            "be tested in its place: set --monitor null, or average all the time with EMAWeightAveraging."
        )
