"""Says once, after the first batches of a stage, how long the rest of it and of the run will take."""

import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.wording import duration_text

BATCHES = 20  # after which it is said
WARM_UP = 5  # batches that are slower: memory is taken, the fastest convolutions are looked for


class TimeLeft(Callback):
    """Estimates the time left from that of the first batches, and says it in a line that a log keeps.

    The first batch of an epoch, which waits for the loaders, is not counted, and no device is waited for.

    Args:
        passes: Forward passes of single images in one epoch of the stage; a backward pass counts as two.
        after_epoch: Those of the validation after each epoch.
        later: Those of the test, and of the stages to come.
        whole: What all of it is called, such as `the whole run with its second stage`.
    """

    def __init__(self, passes: float, after_epoch: float, later: float, whole: str) -> None:
        self.passes, self.after_epoch, self.later, self.whole = passes, after_epoch, later, whole
        self._batches, self._counted, self._seconds, self._last = 0, 0, 0.0, 0.0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Counts; at the 20th batch, says it."""
        if self._batches == BATCHES:
            return
        now, self._batches = time.monotonic(), self._batches + 1
        if self._batches > WARM_UP and batch_idx:
            self._counted, self._seconds = self._counted + 1, self._seconds + now - self._last
        self._last = now
        if self._batches == BATCHES and self._counted:
            self._say(trainer, batch_idx + 1, self._seconds / self._counted)

    def _say(self, trainer: Trainer, done: int, seconds: float) -> None:
        batches = trainer.num_training_batches
        epochs = (trainer.max_epochs or 0) - trainer.current_epoch - 1
        each = seconds * batches / self.passes  # of a forward pass of an image
        epoch = seconds * (batches - done) + each * self.after_epoch
        run = epoch + epochs * each * (self.passes + self.after_epoch) + each * self.later
        sentence = (
            f"After {self._batches} batches: about {duration_text(epoch)} left of this epoch, about "
            f"{duration_text(run)} of {self.whole}."
        )
        shown = getattr(getattr(trainer, "progress_bar_callback", None), "progress", None)
        if shown is not None and shown.console.is_terminal:
            shown.console.print(sentence, highlight=False, soft_wrap=True)  # above the line that goes on, not into it
        else:
            rank_zero_info(sentence)
