"""Deep pictures by the command line: a run keeps the range of its training, whatever it is shown later."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from made_depths import write_png
from made_pictures import write_protocol
from small_runs import refused

import lightning_imbal as li
from lightning_imbal.cli import main


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on pictures of 12 bits, with the folder of those."""
    folder = tmp_path_factory.mktemp("depth")
    protocol, rng = write_protocol(folder), np.random.default_rng(0)
    for file in sorted((folder / "data").rglob("*.png")):
        bright = {"common": 0, "rarer": 1000, "rare": 2000}[file.parent.name]
        write_png(file, rng.integers(100 + bright, 1900 + bright, (16, 16), dtype=np.uint16))
    write_png(folder / "data" / "rare" / "0.png", np.full((16, 16), 4000, np.uint16))
    write_png(folder / "data" / "common" / "0.png", np.full((16, 16), 7, np.uint16))
    assert main(["fit", "--config", str(protocol), "--run_dir", str(folder / "run")]) == 0
    return folder


def test_a_run_keeps_the_range(run):
    identity = json.loads((run / "run" / "metrics.json").read_text())["identity"]
    assert identity["depth"] == {"range": [7, 4000], "bits": 8}
    kept = torch.load(run / "run" / "stage1" / "checkpoints" / "best.ckpt", weights_only=True)
    assert kept["depth"] == {"range": [7, 4000]}


def test_other_pictures_are_read_as_those_of_the_training(run, tmp_path, capsys):
    tested = pd.read_parquet(run / "run" / "predictions.parquet").set_index("image")
    names = tested.index[:3]
    for name in names:  # without the darkest and the brightest picture
        shutil.copy(run / "data" / name, tmp_path / name.replace("/", "_"))
    found = li.predict(run / "run", tmp_path).set_index("file")
    columns = [name for name in tested if name.startswith("probability/")]
    for name in names:
        given = found.loc[name.replace("/", "_"), columns].to_numpy(dtype=float)
        assert np.abs(given - tested.loc[name, columns].to_numpy(dtype=float)).max() < 1e-5
    options = ["--ckpt_path", str(run / "run" / "stage1" / "checkpoints" / "best.ckpt"), "--images", str(tmp_path)]
    assert main(["predict", *options, "--output", str(tmp_path / "out.csv")]) == 0
    written = pd.read_csv(tmp_path / "out.csv").set_index("file")
    assert np.abs(written[columns] - found.loc[written.index, columns]).to_numpy().max() < 1e-5


def test_settings_on_the_command_line(run, capsys):
    wrong = refused(capsys, "prepare", str(run / "protocol.yaml"), "--data.depth", "[9, 3]")
    assert wrong.endswith("data.depth must be two values that rise, but is [9, 3].")
    cache = ["--data.cache_dir", str(run / "cache")]
    depth = ["--data.depth", "{percentile: [0.5, 99.5]}", "--data.window", "40,400", "--data.bits", "16"]
    assert main(["prepare", str(run / "protocol.yaml"), *cache, *depth]) == 0
    assert "percentiles 0.5 and 99.5 of each picture are read" in capsys.readouterr().out
    assert main(["audit", str(run / "protocol.yaml"), *cache]) == 0
    assert "68 pictures of 16 bits (values 7 to 4,000: read as black to white)." in capsys.readouterr().out
