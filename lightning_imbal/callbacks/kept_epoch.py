"""The checkpoints that a run keeps of its epochs, whatever others are written beside them."""

import os
from pathlib import Path
from typing import Any, Literal

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.callbacks.of_training import averages_at_the_end
from lightning_imbal.errors import UserError

FILES = ("best_model_path", "kth_best_model_path", "last_model_path")


class KeptEpoch(ModelCheckpoint):
    """Keeps the best epoch by a score, or the last one; it is this file that is tested, not one that a user adds.

    A folder may be moved or copied between two starts: the epochs that it holds are known by their names, not by where
    they were.

    Args:
        folder: Where to write it.
        name: Of the file, without its ending.
        monitor: Validation score whose best epoch is kept; None keeps the last epoch, validated or not.
        mode: `max` or `min` of that score.
        save_last: `link` for a second name, `last`.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        monitor: str | None = None,
        mode: str = "min",
        save_last: Literal["link"] | None = None,
    ) -> None:
        super().__init__(
            folder,
            name,
            monitor=monitor,
            mode=mode,
            save_last=save_last,
            # A score is that of the weights that were validated, which an average may leave at the end of the epoch.
            save_on_train_epoch_end=monitor is None,
            enable_version_counter=False,
        )

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Makes the folder, which is linked into before an asynchronous `CheckpointIO` makes it."""
        super().on_train_start(trainer, pl_module)
        if trainer.is_global_zero:
            Path(str(self.dirpath)).mkdir(parents=True, exist_ok=True)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keeps, as the last epoch, the average that `StochasticWeightAveraging` only makes now."""
        super().on_train_end(trainer, pl_module)
        swa = averages_at_the_end(trainer.callbacks)  # type: ignore[attr-defined]  # set by Lightning
        if swa and self.monitor is None and self.best_model_path:
            trainer.save_checkpoint(self.best_model_path)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Finds what a run from before this class has written of the epoch that it kept."""
        states = checkpoint["callbacks"]
        older = self.state_key.replace(type(self).__qualname__, ModelCheckpoint.__qualname__, 1)
        if older in states:
            states.setdefault(self.state_key, states[older])

    def state_dict(self) -> dict[str, Any]:
        """The scores, and the names of the files: where they lie is nobody's business who gets a checkpoint."""
        state = super().state_dict()
        names = {name: os.path.basename(state[name]) for name in FILES}
        best = {os.path.basename(path): score for path, score in state["best_k_models"].items()}
        return {**state, **names, "best_k_models": best, "dirpath": ""}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over the best score, and the files as they are called here."""
        here = {name: self._here(state_dict[name]) for name in FILES}
        best = {self._here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **here, "best_k_models": best, "dirpath": self.dirpath})

    def _here(self, path: str) -> str:
        return os.path.join(str(self.dirpath), os.path.basename(path)) if path else path


def kept_checkpoint(trainer: Trainer) -> str:
    """The checkpoint that is tested, and that a second stage starts from: that of the best epoch.

    Where no epoch was validated, it is the last one, which is said.

    Raises:
        UserError: The training has ended before its first step.
    """
    best, *last = [each.best_model_path for each in trainer.checkpoint_callbacks if isinstance(each, KeptEpoch)]
    if best:
        return best
    if not last or not last[0]:
        raise UserError("No step was trained, so that there is nothing to test: give the training more time.")
    rank_zero_info("No epoch was validated, so that none is the best: the last one is kept.")
    return last[0]
