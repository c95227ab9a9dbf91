"""Stored features of picture files of one's own: 16 bits, a disk cache, an unreadable file, attributes."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
from made_features import configuration
from small_runs import refused

from lightning_imbal.cli import main


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Deep pictures of two classes, one of which is no picture, their labels, and a configuration."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "pictures").mkdir()
    rng, names = np.random.default_rng(0), [f"{number}.png" for number in range(40)]
    for number, name in enumerate(names):
        values = rng.integers(300, 900 + 600 * (number % 2), (40, 40), dtype=np.uint16)
        cv2.imwrite(str(folder / "pictures" / name), values)
    (folder / "pictures" / "7.png").write_text("no picture")
    table = pd.DataFrame({"image": names, "dx": ["a", "b"] * 20, "sex": ["f", "m", "m", "f"] * 10})
    table.to_csv(folder / "labels.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def options(place):
    own = {"root": place / "pictures", "labels": place / "labels.csv", "metadata_columns": "sex", "bits": 16}
    own |= {"cache": "disk", "cache_dir": place / "cache", "on_bad_image": "skip", "batch_size": 8}
    data = [part for name, value in own.items() for part in (f"--data.{name}", str(value))]
    return ["--config", str(configuration(place)), "--data", "CSVData", *data, "--laptop", "false"]


def test_several_devices_are_refused(place, options, capsys, tmp_path):
    sentence = refused(capsys, "features", *options, "--trainer.devices", "2", "--out", str(tmp_path / "f"))
    assert "runs on one device, not on 2: set --trainer.devices 1." in sentence


def test_no_file_is_opened_and_another_one_is_noticed(place, options, capsys):
    out, runs = str(place / "features"), [place / "pictures_run", place / "features_run"]
    assert main(["features", *options, "--out", out]) == 0
    assert main(["fit", *options, "--model.cache_views", "1", "--run_dir", str(runs[0])]) == 0
    for file in [*(place / "pictures").iterdir(), *(each for each in (place / "cache").rglob("*") if each.is_file())]:
        file.write_bytes(bytes(file.stat().st_size))
    assert main(["fit", *options, "--data.features", out, "--run_dir", str(runs[1])]) == 0
    by_pictures, by_features = (pd.read_parquet(run / "predictions.parquet") for run in runs)
    pd.testing.assert_frame_equal(by_features, by_pictures, check_exact=True)
    assert "meta/sex" in by_features
    identities = [json.loads((run / "metrics.json").read_text())["identity"] for run in runs]
    assert identities[0]["depth"] == identities[1]["depth"] and identities[0]["depth"]["bits"] == 16
    splits = [(run / "stage1" / "split.csv").read_text() for run in runs]
    assert splits[0] == splits[1] and "7.png,b,unreadable" in splits[0]
    (place / "pictures" / "3.png").write_bytes(b"another picture")
    sentence = refused(capsys, "fit", *options, "--data.features", out, "--run_dir", str(place / "another"))
    assert "are of something else (picture files of other sizes in " in sentence
    assert not (place / "another").exists()
