"""The wheel alone, in an empty folder: the program has its experiments, tables and pages without a checkout."""

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import layouts
import pytest

ROOT = Path(__file__).resolve().parents[2]
SHORT = ["--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false", "--trainer.limit_train_batches", "2"]
SHORT += ["--trainer.limit_val_batches", "1", "--trainer.limit_test_batches", "1"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The unpacked wheel."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the wheel, is not installed: pip install 'lightning_imbal[dev]'")
    built, unpacked = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("unpacked")
    from hatchling.build import build_wheel

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        wheel = build_wheel(str(built))  # as pip does
    with zipfile.ZipFile(built / wheel) as archive:
        archive.extractall(unpacked)
    return unpacked


# `python -m lightning_imbal`, after it has told where it is.
PROGRAM = """
import runpy, lightning_imbal
print(lightning_imbal.__file__)
runpy.run_module("lightning_imbal", run_name="__main__")
"""

# What takes seconds has been imported before, from the wheel too.
WARM = """
import gc, json, os, sys
gc.disable()
from lightning_imbal.cli import compare, fit, main, report, table
gc.freeze()

for line in sys.stdin:
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    folder, *arguments = json.loads(line)
    os.chdir(folder)
    for stream, name in {1: "stdout", 2: "stderr"}.items():
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    sys.exit(main(arguments))
"""


@pytest.fixture(scope="module")
def warm(installed):
    """A process that runs command lines with the wheel."""
    environment = os.environ | {"WANDB_MODE": "disabled"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with subprocess.Popen([sys.executable, "-c", WARM], cwd=installed, env=environment, **pipes) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def program(warm, tmp_path, monkeypatch):
    """Runs a command line in an empty folder; returns what it prints, first to stdout, then to stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        print(json.dumps([str(tmp_path), *arguments]), file=warm.stdin)
        status = warm.stdout.readline().strip()
        said = Path("stdout").read_text(), Path("stderr").read_text()
        assert status == "0", "".join(said)
        return said

    return run


def test_wheel_has_all_that_is_no_python(installed):
    def files(folder):
        return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}

    package, source = files(installed / "lightning_imbal"), files(ROOT / "lightning_imbal")
    experiments = {f"experiments/{name}" for name in files(ROOT / "experiments") if not name.startswith("results/")}
    assert package == {name for name in source if "__pycache__" not in name} | experiments
    assert {"py.typed", "report/page/page.html", "report/page/page.css", "report/page/page.js"} <= package


def test_list(installed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(installed))
    command = [sys.executable, "-c", PROGRAM, "list", "--json"]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    place, _, listed = said.partition("\n")
    assert Path(place) == installed / "lightning_imbal" / "__init__.py"
    found = json.loads(listed)
    names = {kind: {entry["name"] for entry in entries} for kind, entries in found.items()}
    for kind, folder in {"methods": "methods", "heads": "heads", "experiments": ".", "tables": "tables"}.items():
        assert names[kind] == {file.stem for file in (ROOT / "experiments" / folder).glob("*.yaml")}
    assert "LDAM" in names["losses"] and "ClassPower" in names["samplers"] and "f1" in names["scores"]


def test_fit_and_report(installed, program):
    said = program("fit", "--config", "demo.yaml", "--config", "methods/ce.yaml", *SHORT)[1]
    for name in ("demo.yaml", "methods/ce.yaml"):
        assert f"{name}: {installed / 'lightning_imbal' / 'experiments' / name}\n" in said
    assert json.loads(Path("runs/demo-ce/metrics.json").read_text())["identity"]["commit"] is None
    assert "Macro F1" in program("report", "runs/demo-ce")[0]


def test_table(installed, program):
    said, also = program("table", "zeng_table2.yaml", "--only", "CE", "LDAM", "Skin7", "--seeds", "0", "--dry-run")
    tables = installed / "lightning_imbal" / "experiments" / "tables"
    assert f"zeng_table2.yaml: {tables / 'zeng_table2.yaml'}\n" in also
    assert f"--config {tables.parent / 'methods' / 'ldam.yaml'}" in said and "0 of 2 runs are finished." in said


@pytest.mark.slow  # the same files are found as by `list` and `table`
def test_compare(program):
    Path("pictures").mkdir()
    layouts.folder_data(Path("pictures").absolute())
    data = ["--data.class_path", "FolderData", "--data.root", "pictures", "--data.num_workers", "0"]
    said = program("compare", *data, "--methods", "ce,crw", "--dry-run")[0]
    assert "0 of 2 runs are finished." in said and not Path("runs").exists()
