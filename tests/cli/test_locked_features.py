"""Trials on stored features: those of the test part are not opened either."""

import json
import shutil

from made_features import store

from lightning_imbal.cli import main


def test_a_locked_run_of_stored_features_does_without_those_of_the_test_part(tmp_path):
    protocol, stored = store(tmp_path, mean=[0.5] * 3, std=[0.5] * 3)
    (stored / "test.npy").unlink()
    args = ["fit", "--config", str(protocol), "--data.features", str(stored), "--data.lock_test", "true"]
    assert main([*args, "--run_dir", str(tmp_path / "run")]) == 0
    identity = json.loads((tmp_path / "run" / "metrics.json").read_text())["identity"]
    assert identity["part"] == "val" and identity["features"]["folder"] == str(stored)
    shutil.rmtree(tmp_path / "run")
    assert main([*args, "--data.split.seed", "5", "--run_dir", str(tmp_path / "run")]) == 2, "it is another split"
