"""What a terminal shows of a training: one line that goes on, and the parts of the network before it."""

import time
from datetime import timedelta
from typing import Any, cast

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelSummary, ProgressBar, RichModelSummary, RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import CustomBarColumn
from lightning.pytorch.utilities.model_summary.model_summary import get_human_readable_count
from rich import get_console
from rich.progress import MofNCompleteColumn, ProgressColumn, Task, TextColumn
from rich.table import Column, Table
from rich.text import Text

BAR = 10  # letters, so that all of it has room in a line of 80
OFTEN = 0.5  # seconds between two looks at the loss, which wait for the device
FIRST = 3  # batches after which the time left is told
SCORE = "val/f1"  # where no other one is monitored


class OneLineProgress(RichProgressBar):
    """Epoch, batches, loss, best validation score and the time left of the stage, in one line of 80 letters.

    Validation adds no line of its own: it takes a small part of an epoch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.told = ""
        self._loss, self._best = "", ""
        self._started, self._looked, self._batches = 0.0, 0.0, 0

    def configure_columns(self, trainer: Trainer) -> list[ProgressColumn]:
        """What the line consists of."""
        theme = self.theme
        bar = CustomBarColumn(BAR, complete_style=theme.progress_bar, finished_style=theme.progress_bar_finished)
        return [TextColumn("{task.description}"), bar, MofNCompleteColumn(), _Told(self)]

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """None beside those of the line."""
        return {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begins to count."""
        super().on_train_start(trainer, pl_module)
        self._started, self._looked, self._batches = time.monotonic(), 0.0, 0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Looks at the loss now and then."""
        self._batches += 1
        if (now := time.monotonic()) - self._looked > OFTEN:
            self._looked = now
            loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
            if isinstance(loss, torch.Tensor):
                self._loss = f"loss {loss.detach().float().mean().item():.3f}"
            self._tell(trainer, batch_idx + 1)
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Looks at the mean loss of the epoch and at the best score."""
        if (mean := trainer.callback_metrics.get("train/loss")) is not None:
            self._loss = f"loss {float(mean):.3f}"
        self._best = self._best_score(trainer) or self._best
        self._tell(trainer, int(trainer.num_training_batches))
        super().on_train_epoch_end(trainer, pl_module)

    # Lightning's would add a line, and take it away again, in every epoch.
    def on_validation_batch_start(self, trainer: Trainer, *args: Any, **kwargs: Any) -> None:
        """Adds a line only for `validate`."""
        if trainer.state.fn != "fit":
            super().on_validation_batch_start(trainer, *args, **kwargs)

    def on_validation_batch_end(self, trainer: Trainer, *args: Any, **kwargs: Any) -> None:
        """Likewise."""
        if trainer.state.fn != "fit":
            super().on_validation_batch_end(trainer, *args, **kwargs)

    def _get_train_description(self, current_epoch: int) -> str:
        most = self.trainer.max_epochs
        return f"Epoch {current_epoch + 1}" + (f"/{most}" if most and most > 0 else "")

    def _tell(self, trainer: Trainer, done: float) -> None:
        self.told = "  ".join(filter(None, [self._loss, self._best, self._time_left(trainer, done)]))

    def _best_score(self, trainer: Trainer) -> str:
        """The monitored score of the best epoch, else the best macro F1 so far."""
        for kept in trainer.checkpoint_callbacks:
            name, best = getattr(kept, "monitor", None), getattr(kept, "best_model_score", None)
            now = trainer.callback_metrics.get(name) if name else None
            if name and (best is not None or now is not None):
                known = [float(each) for each in (best, now) if each is not None]
                return _best_of(name, (min if getattr(kept, "mode", "max") == "min" else max)(known))
        if (now := trainer.callback_metrics.get(SCORE)) is None:
            return ""
        return _best_of(SCORE, max(float(now), float(self._best.rpartition(" ")[2] or 0)))

    def _time_left(self, trainer: Trainer, done: float) -> str:
        if self._batches < FIRST or not trainer.max_epochs or trainer.max_epochs < 0:
            return ""
        left = trainer.num_training_batches * (trainer.max_epochs - trainer.current_epoch) - done
        seconds = (time.monotonic() - self._started) / self._batches * left
        return f"{timedelta(seconds=round(seconds))} left" if 0 <= seconds < float("inf") else ""


class _Told(ProgressColumn):
    """The scores of the line; what has no room is cut, not wrapped."""

    def __init__(self, line: OneLineProgress) -> None:
        super().__init__(Column(no_wrap=True, overflow="ellipsis"))
        self._line = line

    def render(self, task: Task) -> Text:
        """Those of the training alone."""
        return Text(self._line.told if task.id == self._line.train_progress_bar_id else "")


class Parts(RichModelSummary):
    """The parts of the network and their parameters; floating point operations only where they were counted."""

    @staticmethod
    def summarize(
        summary_data: list[tuple[str, list[str]]],
        total_parameters: int,
        trainable_parameters: int,
        model_size: float,
        total_training_modes: dict[str, int],
        total_flops: int,
        **summarize_kwargs: Any,
    ) -> None:
        """Prints them."""
        columns = {name.strip(): values for name, values in summary_data}
        if not total_flops:
            columns.pop("FLOPs", None)
        table = Table(header_style=cast(str, summarize_kwargs.get("header_style", "bold magenta")))
        for name in columns:
            table.add_column(name, justify="right" if name in ("Params", "FLOPs") else "left")
        for row in zip(*columns.values(), strict=True):
            table.add_row(*row)
        parameters = [f"{get_human_readable_count(total_parameters)} parameters"]
        parameters.append(f"{get_human_readable_count(trainable_parameters)} of them trained")
        parameters += [f"{get_human_readable_count(total_flops)} FLOPs"] if total_flops else []
        get_console().print(table)
        get_console().print(", ".join(parameters), highlight=False)


def _best_of(name: str, score: float) -> str:
    shown = name.removeprefix("val/")
    return f"best {'F1' if shown == 'f1' else shown} {score:.3f}"


def terminal_callbacks(arguments: dict[str, Any]) -> list[RichProgressBar | RichModelSummary]:
    """What shows a training that has not been asked to be silent, and brings nothing else that shows it.

    Args:
        arguments: Of the Trainer.
    """
    chosen = arguments.get("callbacks") or []
    added: list[RichProgressBar | RichModelSummary] = []
    if not arguments.get("barebones"):
        if arguments.get("enable_progress_bar") is not False and not any(isinstance(c, ProgressBar) for c in chosen):
            added.append(OneLineProgress())
        if arguments.get("enable_model_summary") is not False and not any(isinstance(c, ModelSummary) for c in chosen):
            added.append(Parts())
    return added
