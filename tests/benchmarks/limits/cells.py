"""Cells of a table, forked from a process that has imported everything, beside a new process for each."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

import yaml
from pairs import Pair

from lightning_imbal.launch.job import Job
from lightning_imbal.launch.local import end, server_of, start_process
from lightning_imbal.launch.warm import Server

EXPERIMENTS = Path(__file__).resolve().parents[3] / "experiments"
TINY = ["--trainer.max_epochs", "1", "--then.trainer.max_epochs", "1", "--trainer.limit_train_batches", "2"]
METHODS = ("ce", "rs", "focal", "rw")  # with two seeds each
# Ends the process when its first batch is there.
FIRST_BATCH = """
import os
from lightning.pytorch import Callback

class FirstBatch(Callback):
    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        os._exit(0)
"""
COMMAND = (
    "import sys; from lightning_imbal.cli import main; from lightning_imbal.cli.parts import running; "
    "running.FORKS = {forks}; sys.exit(main(sys.argv[1:]))"
)
OF_TIME = ("log.txt", "command.json", "metrics.json")  # say when and where a run was


def pairs() -> list[Pair]:
    """Rows of the table."""
    folder = Path(tempfile.mkdtemp(prefix="cells-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ |= {"WANDB_MODE": "disabled", "PYTHONPATH": os.pathsep.join([str(EXPERIMENTS.parent), str(folder)])}
    (folder / "first_batch.py").write_text(FIRST_BATCH)
    server = server_of(1)
    atexit.register(server.close)
    number = count()

    def cell(warm: Server | None) -> None:
        arguments = ["--config", f"{EXPERIMENTS}/demo.yaml", "--config", f"{EXPERIMENTS}/methods/ce.yaml"]
        arguments += [*TINY, "--trainer.callbacks+=first_batch.FirstBatch"]
        process = start_process(Job("cell", folder / f"cell{next(number)}", ("fit", *arguments)), 1, server=warm)
        assert process.wait() == 0
        end(process)

    return [
        Pair(
            "a cell of a table, from its start to its first batch",
            "a new process",
            lambda: cell(None),
            lambda: cell(server),
            goal=1,
            unit="s",
        ),
        Pair(
            "`table` of 8 tiny cells, two at once",
            "a new process for each",
            lambda: table(folder, "cold"),
            lambda: same_files(table(folder, "warm"), folder / "cold"),
            goal=0.6,
            unit="x",
        ),
    ]


def table(folder: Path, way: str) -> Path:
    """Runs a table anew, cold or warm, in a folder that is then called so; returns that."""
    column = {"dataset": "Digits", "backbone": "resnet", "configs": [f"{EXPERIMENTS}/demo.yaml"], "seeds": [0, 1]}
    rows = {name: {"configs": [f"{EXPERIMENTS}/methods/{name}.yaml"]} for name in METHODS}
    spec = {"title": "Digits", "columns": [column], "rows": rows, "metrics": {"f1": {"score": "f1"}}}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    runs, kept = folder / "runs", folder / way
    for each in (runs, kept):
        shutil.rmtree(each, ignore_errors=True)
    command = [sys.executable, "-c", COMMAND.format(forks=way == "warm"), "table", "tiny.yaml", "--jobs", "2", *TINY]
    done = subprocess.run([*command, "--runs", "runs"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return runs.rename(kept)


def same_files(ours: Path, other: Path) -> None:
    """Refuses runs that have another file, or other bytes in one that says nothing of times."""
    files = {file.relative_to(ours) for file in ours.rglob("*") if file.is_file()}
    assert files == {file.relative_to(other) for file in other.rglob("*") if file.is_file()}
    differ = [name for name in sorted(files) if (ours / name).read_bytes() != (other / name).read_bytes()]
    assert all(name.name in OF_TIME or name.name.startswith("tiny") for name in differ), differ
