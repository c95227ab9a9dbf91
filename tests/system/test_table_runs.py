"""A small table through the command that users type, with real processes that fail, are killed, or share folders."""

import json
import os
import signal
import threading
from pathlib import Path

import pandas as pd
import pytest
import yaml
from filelock import Timeout
from forked import Forked, check_status, run_forked, wait_for
from forked_jobs import command_in
from made_runs import write_run

from lightning_imbal.cli import main
from lightning_imbal.launch.process import lock_of

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
FAST = [
    *("--trainer.enable_model_summary", "false", "--trainer.enable_progress_bar", "false"),
    *("--trainer.max_epochs", "2", "--then.trainer.max_epochs", "2"),
]


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


def files_of(folder):
    names = ("small_classes.csv", "small.md", "small.tex")
    cells = pd.read_csv(Path(folder) / "small.csv").drop(columns="seconds")
    return {name: (Path(folder) / name).read_bytes() for name in names} | {"small.csv": cells.to_csv()}


OURS = {"test": {"name": "test_perturbed", "options": {"model.predictor": "PerturbedInput"}}}
ROWS = {"CE": row("ce"), "CE -> cRW": row("ce_crw", start="CE"), "RS": row("rs"), "RS+ours": row("rs", **OURS)}


@pytest.mark.slow  # trains; tests/stats holds the numbers of a table to the files of its runs
def test_cells_are_what_the_runs_have_found(table):
    run_forked(command_in, Path.cwd(), "table", table(ROWS), "--jobs", "2", *FAST, "--runs", "local")
    cells = pd.read_csv("local/small.csv")
    assert cells[cells["row"] != "OHEM"]["runs"].tolist() == [1] * 8
    for _, cell in cells[cells["row"] != "OHEM"].iterrows():
        found = json.loads((Path("local") / cell["folders"] / "metrics.json").read_text())
        assert cell["value"] == pytest.approx(found["summary"][cell["metric"]], rel=1e-5)
        assert cell["seeds"] == "seed 0" and cell["versions"].startswith("lightning_imbal ")
        assert cell["commits"] == found["identity"]["commit"]
    # A first stage that was taken from another run leads where one that was trained does.
    args = [part for name in ("demo", "methods/ce_crw") for part in ("--config", str(EXPERIMENTS / f"{name}.yaml"))]
    assert main(["fit", *args, *FAST, "--run_dir", "whole"]) == 0
    whole, taken = (pd.read_parquet(f"{run}/predictions.parquet") for run in ("whole", "local/demo+ce_crw+seed0"))
    pd.testing.assert_frame_equal(whole, taken)


MADE_UP = """
import shutil, sys, time
from pathlib import Path
from types import ModuleType

def run(args):
    folder = Path(args[args.index("--run_dir") + 1])
    (folder / "stage1" / "checkpoints").mkdir(exist_ok=True, parents=True)
    for file in ("metrics.csv", "checkpoints/best.ckpt"):
        (folder / "stage1" / file).touch()
    while not Path("go").exists() and "last" not in args:
        time.sleep(0.02)
    shutil.copy(Path("made", *folder.parts[1:], "metrics.json"), folder)

for verb in ("fit", "test"):
    sys.modules[f"lightning_imbal.cli.{verb}"] = module = ModuleType(verb)
    module.run = run
sys.modules["lightning_imbal.cli.parts.ahead"] = module = ModuleType("ahead")
module.read_ahead = lambda: None
"""


@pytest.fixture(params=["made up", "trained"])
def results(request, tmp_path, monkeypatch):
    """Made up: processes find results instead of training; those that do not go on wait with it for a file `go`."""
    if request.param == "trained":
        return
    runs = ["demo+ce+seed0", "demo+ce_crw+seed0", "demo+rs+seed0", "demo+rs+seed0/test_perturbed"]
    for noise, run in enumerate(runs):
        write_run(tmp_path / "made" / run, noise=noise, predictions=False)
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "sitecustomize.py").write_text(MADE_UP)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "python"), prepend=os.pathsep)


def workers():
    """The processes of Ray that run a job in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"ray::run_job" in (process / "cmdline").read_bytes() and (process / "cwd").samefile(Path.cwd()):
                found.append(int(process.name))
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_same_files_from_processes_and_from_a_cluster_that_loses_a_worker(table, results):
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'lightning_imbal[cluster]'")
    command = ["table", table(ROWS), "--jobs", "2", *FAST, "--trainer.max_epochs", "8"]
    Path("go").touch()
    assert main([*command, "--runs", "local"]) == 0
    Path("go").unlink()
    logs = [Path(f"ray/demo+{name}+seed0/log.txt") for name in ("ce", "rs")]
    killed = []

    def kill_a_worker():
        try:
            wait_for(lambda: all((log.parent / "stage1" / "metrics.csv").exists() for log in logs))
            killed.extend(workers()[:1])
            os.kill(killed[0], signal.SIGKILL)
            wait_for(lambda: any("--ckpt_path last" in log.read_text() for log in logs))
        finally:
            Path("go").touch()

    killer = threading.Thread(target=kill_a_worker)
    killer.start()
    assert main([*command, "--runs", "ray", "--launcher", "ray"]) == 0
    killer.join()
    assert killed and files_of("local") == files_of("ray")
    assert sorted(log.read_text().count("$ lightning_imbal") for log in logs) == [1, 2]
    assert sum("--ckpt_path last" in log.read_text() for log in logs) == 1, "the lost one goes on"


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

class Aborts(Classifier):
    def training_step(self, batch, batch_idx):
        os.abort()
"""

KILLED = {"Killed": "killed by SIGKILL", "Aborts": "killed by SIGABRT"}


def test_failed_cells_are_named_and_the_others_finish(table):
    Path("failing.py").write_text(FAILING)
    rows = {name: row("ce", options={"model": f"failing.{name}"}) for name in ("Raises", "OutOfMemory", *KILLED)}
    spec = table(rows | {"CE": row("ce")})
    short = [*FAST, "--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1"]
    run_forked(command_in, Path.cwd(), "table", spec, "--jobs", "2", "--runs", "runs", *short, status=1)
    shown = Path("said.txt").read_text()
    for name, why in ({"Raises": "a banana", "OutOfMemory": "allocate 20 GiB"} | KILLED).items():
        [folder] = Path("runs").glob(f"demo+ce+model=failing.{name}+seed0")
        [start] = [at for at, line in enumerate(shown.splitlines()) if line.startswith(f"{name}, seed 0: ")]
        assert why in "\n".join(shown.splitlines()[start : start + 15])
        assert str(folder / "log.txt") in shown
    assert "4 runs failed" in shown
    cells = pd.read_csv("runs/small.csv").query("not floor")
    assert cells.loc[cells["row"] == "CE", "value"].notna().all()
    assert cells.loc[cells["row"] != "CE", "value"].isna().all()


def is_free(folder):
    try:
        with lock_of(Path(folder)):
            return True
    except Timeout:
        return False


@pytest.mark.slow
def test_killed_table_goes_on_and_two_at_once_share_the_work(table):
    spec = table({"CE": row("ce"), "RS": row("rs")})
    command = ["table", spec, "--runs", "runs", "--trainer.enable_model_summary", "false", "--trainer.max_epochs", "8"]
    with Forked(command_in, Path.cwd(), *command):
        wait_for(lambda: Path("runs/demo+ce+seed0/stage1/checkpoints/last.ckpt").exists())
    wait_for(lambda: is_free("runs/demo+ce+seed0"))
    assert not Path("runs/demo+ce+seed0/metrics.json").exists()
    with Forked(command_in, Path.cwd(), *command) as first, Forked(command_in, Path.cwd(), *command) as second:
        check_status(0, first, second)
    logs = {name: Path(f"runs/demo+{name}+seed0/log.txt").read_text() for name in ("ce", "rs")}
    begun = {name: text.count("$ lightning_imbal") for name, text in logs.items()}
    assert begun == {"ce": 2, "rs": 1}, "each is run once, the killed one is continued"
    epochs = pd.read_csv("runs/demo+ce+seed0/stage1/metrics.csv")["epoch"].dropna()
    assert set(range(8)) <= set(epochs), "what was trained before is kept"
    assert pd.read_csv("runs/small.csv").query("not floor")["runs"].tolist() == [1, 1, 1, 1, 0, 0]
