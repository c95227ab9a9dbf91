"""A training that is given up after an epoch, because others were better by then."""

from collections.abc import Callable, Mapping
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info


class StopHopeless(Callback):
    """Ends a training after the first epoch by which it is hopeless; a training that goes on knows all its epochs.

    Args:
        score: Of the validation part, as it is logged.
        is_hopeless: Asked with the score after each epoch so far, from 0.
    """

    def __init__(self, score: str, is_hopeless: Callable[[Mapping[int, float]], bool]) -> None:
        self.score, self.is_hopeless = score, is_hopeless
        self.values: dict[int, float] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Ends one that goes on after it was given up."""
        self._stop_if_hopeless(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Looks at the score of the epoch; no process goes on without the others."""
        if not trainer.sanity_checking and trainer.state.fn == "fit":
            self.values[trainer.current_epoch] = float(trainer.callback_metrics[self.score])
            self._stop_if_hopeless(trainer)

    def _stop_if_hopeless(self, trainer: Trainer) -> None:
        hopeless = bool(self.values) and self.is_hopeless(self.values)
        if trainer.strategy.reduce_boolean_decision(hopeless, all=False):
            trainer.should_stop = True
            last = max(self.values)
            rank_zero_info(f"Given up after epoch {last + 1}: {self.score} is {self.values[last]:.3f}.")

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"values": self.values}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over the epochs before."""
        self.values = {**state_dict["values"]}
