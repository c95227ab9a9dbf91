"""A small table through the command that users type, with real processes that fail, are killed, or share folders."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from lightning_imbal.cli import main

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
FAST = ["--trainer.enable_model_summary", "false", "--trainer.max_epochs", "2"]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Writes a table of long-tailed digits, one seed, with the given rows, and returns its file."""
    monkeypatch.chdir(tmp_path)

    def write(rows, **more):
        published = "row,dataset,backbone,metric,value,std\nCE,Digits,resnet,f1,0.5,0.01\nOHEM,Digits,resnet,f1,0.6,\n"
        Path("published.csv").write_text(published)
        column = {"dataset": "Digits", "backbone": "resnet", "configs": [str(EXPERIMENTS / "demo.yaml")]}
        content = {"title": "Digits", "columns": [column], "rows": rows | {"OHEM": {"quoted": True}}}
        content |= {"metrics": {"f1": {"score": "f1"}, "auc": {"score": "auc"}}, "published": "published.csv"}
        Path("small.yaml").write_text(yaml.safe_dump(content | more, sort_keys=False))
        return "small.yaml"

    return write


def row(method, **more):
    return {"configs": [str(EXPERIMENTS / "methods" / f"{method}.yaml")], **more}


def wait_for(happened, seconds=120):
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def pids(*words):
    """Processes whose command line has all of the words."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if all(word in line for word in words):
            found.append(int(process.name))
    return found


def files_of(folder):
    names = ("small_classes.csv", "small.md", "small.tex")
    cells = pd.read_csv(Path(folder) / "small.csv").drop(columns="seconds")
    return {name: (Path(folder) / name).read_bytes() for name in names} | {"small.csv": cells.to_csv()}


def test_same_files_from_processes_and_from_a_cluster_that_loses_a_worker(table):
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'lightning_imbal[cluster]'")
    ours = {"test": {"name": "test_perturbed", "options": {"model.predictor": "PerturbedInput"}}}
    rows = {"CE": row("ce"), "CE -> cRW": row("ce_crw", start="CE"), "RS": row("rs"), "RS+ours": row("rs", **ours)}
    command = ["table", table(rows), "--jobs", "2", *FAST]
    assert main([*command, "--runs", "local"]) == 0
    killed = []

    def kill_a_worker():
        wait_for(lambda: any(Path("ray").glob("demo+*+seed0/stage1/metrics.csv")))
        killed.extend(pids("ray::_run")[:1])
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_a_worker)
    killer.start()
    assert main([*command, "--runs", "ray", "--launcher", "ray"]) == 0
    killer.join()
    assert killed and files_of("local") == files_of("ray")

    cells = pd.read_csv("local/small.csv")
    assert cells[cells["row"] != "OHEM"]["runs"].tolist() == [1] * 8
    for _, cell in cells[cells["row"] != "OHEM"].iterrows():
        found = json.loads((Path("local") / cell["folders"] / "metrics.json").read_text())
        assert cell["value"] == pytest.approx(found["summary"][cell["metric"]], rel=1e-5)
        assert cell["seeds"] == "seed 0" and cell["versions"].startswith("lightning_imbal ")
        assert cell["commits"] == found["identity"]["commit"]
    # A first stage that was taken from another run leads where one that was trained does.
    args = [part for name in ("demo", "methods/ce_crw") for part in ("--config", str(EXPERIMENTS / f"{name}.yaml"))]
    assert main(["fit", *args, *FAST, "--trainer.enable_progress_bar", "false", "--run_dir", "whole"]) == 0
    whole, taken = (pd.read_parquet(f"{run}/predictions.parquet") for run in ("whole", "local/demo+ce_crw+seed0"))
    pd.testing.assert_frame_equal(whole, taken)


FAILING = """
import os, torch
from lightning_imbal.modules import Classifier

class Raises(Classifier):
    def training_step(self, batch, batch_idx):
        raise RuntimeError("the loss is a banana")

class OutOfMemory(Classifier):
    def training_step(self, batch, batch_idx):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

class Killed(Classifier):
    def training_step(self, batch, batch_idx):
        os.kill(os.getpid(), 9)
"""


def test_failed_cells_are_named_and_the_others_finish(table, capfd):
    Path("failing.py").write_text(FAILING)
    rows = {name: row("ce", options={"model": f"failing.{name}"}) for name in ("Raises", "OutOfMemory", "Killed")}
    spec = table(rows | {"CE": row("ce")})
    assert main(["table", spec, "--jobs", "2", "--runs", "runs", *FAST]) == 1
    shown = capfd.readouterr().out
    for name, why in {"Raises": "a banana", "OutOfMemory": "allocate 20 GiB", "Killed": "killed by SIGKILL"}.items():
        [folder] = Path("runs").glob(f"demo+ce+model=failing.{name}+seed0")
        name = f"{folder.relative_to('runs')}: "
        [start] = [at for at, line in enumerate(shown.splitlines()) if line.startswith(name)]
        assert why in "\n".join(shown.splitlines()[start : start + 15])
        assert str(folder / "log.txt") in shown
    assert "3 runs failed" in shown
    cells = pd.read_csv("runs/small.csv")
    assert cells.loc[cells["row"] == "CE", "value"].notna().all()
    assert cells.loc[cells["row"] != "CE", "value"].isna().all()


def start(*command):
    environment = os.environ | {"WANDB_MODE": "disabled"}
    command = [sys.executable, "-m", "lightning_imbal", *command]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def test_killed_table_goes_on_and_two_at_once_share_the_work(table):
    spec = table({"CE": row("ce"), "RS": row("rs")})
    command = ["table", spec, "--runs", "runs", "--trainer.enable_model_summary", "false", "--trainer.max_epochs", "8"]
    first = start(*command)
    wait_for(lambda: Path("runs/demo+ce+seed0/stage1/checkpoints/last.ckpt").exists())
    first.kill()
    first.wait()
    wait_for(lambda: not pids("lightning_imbal.launch.process", "runs/demo+ce+seed0", str(first.pid)))
    assert not Path("runs/demo+ce+seed0/metrics.json").exists()
    both = [start(*command), start(*command)]
    assert [process.wait(240) for process in both] == [0, 0]
    logs = {name: Path(f"runs/demo+{name}+seed0/log.txt").read_text() for name in ("ce", "rs")}
    begun = {name: text.count("$ lightning_imbal") for name, text in logs.items()}
    assert begun == {"ce": 2, "rs": 1}, "each is run once, the killed one is continued"
    epochs = pd.read_csv("runs/demo+ce+seed0/stage1/metrics.csv")["epoch"].dropna()
    assert set(range(8)) <= set(epochs), "what was trained before is kept"
    assert pd.read_csv("runs/small.csv")["runs"].tolist() == [1, 1, 1, 1, 0, 0]
