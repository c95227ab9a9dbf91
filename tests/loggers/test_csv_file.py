"""The curves of a resumed run go on below those that are there."""

import pandas as pd

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
