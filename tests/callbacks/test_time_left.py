"""The time left is said once, after 20 batches, from the batches after the first ones."""

from types import SimpleNamespace

import pytest

from lightning_imbal.callbacks import time_left
from lightning_imbal.callbacks.time_left import TimeLeft


@pytest.fixture
def said(monkeypatch):
    sentences = []
    monkeypatch.setattr(time_left, "rank_zero_info", sentences.append)
    return sentences


@pytest.fixture
def train(monkeypatch):
    """Ends batches of 2 seconds; the first 5, and the first of every epoch, take 100."""

    def run(callback, batches, epochs):
        clock = [0.0]
        monkeypatch.setattr(time_left.time, "monotonic", lambda: clock[0])
        for number in range(batches * epochs):
            trainer = SimpleNamespace(num_training_batches=batches, max_epochs=epochs, current_epoch=number // batches)
            clock[0] += 100.0 if number < 5 or number % batches == 0 else 2.0
            callback.on_train_batch_end(trainer, None, None, None, number % batches)

    return run


def test_it_is_said_once_of_the_epoch_and_of_the_whole_run(train, said):
    # 30 images in 30 batches and 10 to validate on: a forward pass takes 2 * 30 / 90 seconds.
    train(TimeLeft(passes=90, after_epoch=9, later=300, whole="the whole run"), batches=30, epochs=3)
    # The epoch: 10 * 2 + 6; two more: 2 * 66; the rest: 200.
    assert said == ["After 20 batches: about 26 seconds left of this epoch, about 6 minutes of the whole run."]


def test_short_epochs_are_counted_together_and_single_batches_not_at_all(train, said):
    train(TimeLeft(10, 0, 0, "the whole run"), batches=8, epochs=4)
    assert said == ["After 20 batches: about 8 seconds left of this epoch, about 24 seconds of the whole run."]
    train(TimeLeft(10, 0, 0, "the whole run"), batches=1, epochs=40)
    assert len(said) == 1
