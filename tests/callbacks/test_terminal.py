"""The line of a training fits into 80 letters and says what is asked; operations of 0 are not printed."""

import io
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch.callbacks import ModelSummary, ProgressBar, TQDMProgressBar
from rich.console import Console
from rich.progress import Progress

from lightning_imbal.callbacks import terminal
from lightning_imbal.callbacks.terminal import OneLineProgress, Parts, terminal_callbacks


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    return now


def made_trainer(**changes):
    kept = SimpleNamespace(monitor="val/f1", mode="max", best_model_score=torch.tensor(0.664))
    given = {"checkpoint_callbacks": [kept], "callback_metrics": {}, "num_training_batches": 10, "max_epochs": 3}
    return SimpleNamespace(**given | {"current_epoch": 0, "state": SimpleNamespace(fn="fit")} | changes)


def told(progress, trainer, clock, batches, seconds=2.0, loss=0.8125):
    """What is told after so many batches of so many seconds."""
    progress._started = clock[0]
    for batch in range(batches):
        clock[0] += seconds
        progress.on_train_batch_end(trainer, None, {"loss": torch.tensor(loss)}, None, batch)
    return progress.told


@pytest.fixture
def progress():
    made = OneLineProgress()
    made.disable()
    return made


def test_loss_and_time_left_of_the_stage(progress, clock):
    assert told(progress, made_trainer(), clock, 1) == "loss 0.812"
    progress._batches = 0
    # 4 batches of 2 seconds, 26 more.
    assert told(progress, made_trainer(), clock, 4) == "loss 0.812  0:00:52 left"


def test_best_score_is_that_of_the_kept_epoch_or_of_this_one(progress, clock):
    trainer = made_trainer(callback_metrics={"train/loss": torch.tensor(0.5), "val/f1": torch.tensor(0.7)})
    progress.on_train_epoch_end(trainer, None)
    assert progress.told == "loss 0.500  best F1 0.700"
    trainer.callback_metrics["val/f1"] = torch.tensor(0.1)
    progress.on_train_epoch_end(trainer, None)
    assert progress.told == "loss 0.500  best F1 0.664"


def test_the_lowest_is_the_best_of_a_loss_and_without_a_monitored_score_it_is_macro_f1(progress):
    kept = SimpleNamespace(monitor="val/loss", mode="min", best_model_score=torch.tensor(0.3))
    trainer = made_trainer(checkpoint_callbacks=[kept], callback_metrics={"val/loss": torch.tensor(0.4)})
    assert progress._best_score(trainer) == "best loss 0.300"
    trainer = made_trainer(
        checkpoint_callbacks=[SimpleNamespace(monitor=None)], callback_metrics={"val/f1": torch.tensor(0.4)}
    )
    progress._best = progress._best_score(trainer)
    assert progress._best == "best F1 0.400"
    trainer.callback_metrics["val/f1"] = torch.tensor(0.2)
    assert progress._best_score(trainer) == "best F1 0.400"


def test_a_long_line_is_cut_not_wrapped():
    line = OneLineProgress()
    columns = line.configure_columns(made_trainer())
    console = Console(width=80, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    shown = Progress(*columns, console=console, auto_refresh=False)
    line.train_progress_bar_id = shown.add_task("Epoch 100/300", total=12345)
    line.told = "loss 12.345  best balanced_accuracy 0.664  2 days, 12:34:56 left"
    text = "".join(segment.text for segment in console.render(shown.make_tasks_table(shown.tasks)))
    assert text.count("\n") == 1 and len(text.rstrip("\n")) <= 80
    assert "Epoch 100/300" in text and "loss 12.345" in text
    line.told = "loss 12.345  best F1 0.664  12:34:56 left"
    text = "".join(segment.text for segment in console.render(shown.make_tasks_table(shown.tasks)))
    assert line.told in text and text.count("\n") == 1


@pytest.mark.parametrize("operations, shown", [(0, False), (1_500_000, True)])
def test_operations_are_printed_where_there_are_any(monkeypatch, operations, shown):
    console = Console(width=80, file=io.StringIO())
    monkeypatch.setattr(terminal, "get_console", lambda: console)
    data = [(" ", ["0"]), ("Name", ["backbone"]), ("Type", ["ResNet"]), ("Params", ["372 K"]), ("FLOPs", ["0"])]
    Parts.summarize(data, 372_000, 300_000, 1.5, {"train": 1, "eval": 0}, operations)
    text = console.file.getvalue()
    assert "backbone" in text and "372 K parameters, 300 K of them trained" in text
    assert ("FLOPs" in text) is shown


def test_silence_and_own_callbacks_are_respected():
    kinds = [type(each) for each in terminal_callbacks({"callbacks": None})]
    assert kinds == [OneLineProgress, Parts]
    assert terminal_callbacks({"enable_progress_bar": False, "enable_model_summary": False}) == []
    assert terminal_callbacks({"barebones": True}) == []
    assert [type(each) for each in terminal_callbacks({"callbacks": [TQDMProgressBar()]})] == [Parts]
    assert [type(each) for each in terminal_callbacks({"callbacks": [ModelSummary()]})] == [OneLineProgress]
    assert issubclass(OneLineProgress, ProgressBar)
