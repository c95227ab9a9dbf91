"""The curves of a resumed run go on below those that are there."""

import os
import signal
from pathlib import Path

import pandas as pd
import pytest

from lightning_imbal.loggers import csv_logger


def test_a_resumed_run_keeps_the_earlier_rows_and_columns(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    for number, metrics in enumerate([{"train/loss": 2.0, "val/f1": 0.5}, {"val/f1": 0.75}, {"test/f1": 0.25}]):
        logger = csv_logger(tmp_path)
        logger.log_metrics({"epoch": number} | metrics, step=number)
        logger.save()
    found = pd.read_csv(tmp_path / "metrics.csv")
    assert found["epoch"].tolist() == [0, 1, 2]
    values = found[["train/loss", "val/f1", "test/f1"]].fillna(-1).to_numpy().tolist()
    assert values == [[2.0, 0.5, -1], [-1, 0.75, -1], [-1, -1, 0.25]]
    assert {file.name for file in tmp_path.iterdir()} == {"metrics.csv", "checkpoints"}


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_rows_that_are_written(tmp_path, monkeypatch, sent):
    """Else the header would lack what further rows have: the file could be read no more, and the run not go on."""
    asked, replace = [], os.replace

    def interrupted(*paths):
        os.kill(os.getpid(), sent)
        assert not asked
        replace(*paths)

    before = signal.signal(sent, lambda *args: asked.append(pd.read_csv(tmp_path / "metrics.csv")))
    logger = csv_logger(tmp_path)
    for number, metrics in enumerate([{"train/loss": 2.0}, {"val/f1": 0.5}]):
        logger.log_metrics(metrics, step=number)
        monkeypatch.setattr(os, "replace", interrupted)
        logger.save()
    signal.signal(sent, before)
    assert len(asked) == 1 and asked[0].columns.tolist() == ["step", "train/loss", "val/f1"]
    assert asked[0].fillna(-1).to_numpy().tolist() == [[0, 2.0, -1], [1, -1, 0.5]]


def test_rows_that_cannot_be_widened_stay(tmp_path, monkeypatch):
    logger = csv_logger(tmp_path)
    logger.log_metrics({"train/loss": 2.0}, step=0)
    logger.save()
    before = (tmp_path / "metrics.csv").read_bytes()
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    logger.log_metrics({"val/f1": 0.5}, step=1)
    with pytest.raises(OSError, match="No space"):
        logger.save()
    assert (tmp_path / "metrics.csv").read_bytes() == before and len(list(Path(tmp_path).iterdir())) == 1
