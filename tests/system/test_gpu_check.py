"""The check on a GPU: what of it needs none, what is lost when a part breaks, and what it leaves out."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import gpu
import pytest
from forked import Forked, run_forked
from gpu_check import commands, memory, numbers, runs, waiting
from gpu_check.methods import METHODS
from gpu_check.report import Figure, add_figure, read_figures
from gpu_check.setting import Setting
from gpu_check.throughput import limit

from lightning_imbal import losses, modules, predictors
from lightning_imbal.cli import main

SCRIPT = Path(gpu.__file__)
NO_NETWORK = """
import socket
def refuse(self, address, *more):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        raise OSError(f"a connection to {address} was tried")
    return connect(self, address, *more)
connect, socket.socket.connect = socket.socket.connect, refuse
"""
# Bases, and what has no parameters of its own to compare.
NO_LOSSES = {"ImbalancedLoss", "MetricTerm", "Projection"}
BASES = {"ImbalModule", "ImbalClassifier"}


@pytest.fixture
def setting(tmp_path):
    return Setting("cpu", tmp_path, tmp_path, tmp_path / "figures.jsonl", time.time() + 60)


def figures_of(told, part):
    return {figure["what"]: figure for each in told["parts"] if each["name"] == part for figure in each["figures"]}


class Started(Forked):
    """Is asked as a `Popen` is."""

    def poll(self):
        return self.exitcode

    def wait(self):
        self.join()


def start(arguments, log):
    process = Started(main, arguments)
    process.log.unlink()
    process.log = log
    process.start()
    return process


def check_little(folder):
    """Checks one of each kind, without a network; what the check would start is forked."""
    exec(NO_NETWORK, {})
    numbers.LOSSES = {name: numbers.LOSSES[name] for name in ("LDAM", "SupConLoss")}
    numbers.PREDICTORS = {"PostHocAdjusted": predictors.PostHocAdjusted}
    numbers.METHODS = {name: METHODS[name] for name in ("CE", "SupCon")}
    runs.METHODS = {"CE": runs.METHODS["CE"]}
    commands.start = start
    return gpu.main(["--cpu", "--only", ",".join(gpu.PARTS.keys() - {"together"}), "--out", str(folder)])


@pytest.mark.slow  # the parts of the check have tests of their own
def test_a_little_of_the_check_without_a_gpu_and_without_a_network(tmp_path):
    run_forked(check_little, tmp_path / "out")
    look_at(tmp_path / "out", gpu.PARTS.keys() - {"together"})


@pytest.mark.slow
def test_check_without_a_gpu_and_without_a_network(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, str(SCRIPT), "--cpu", "--minutes", "2", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    told = look_at(tmp_path / "out", gpu.PARTS)
    assert figures_of(told, "together")["Two runs, both at once"]["verdict"] == "ok"


def look_at(folder, parts):
    """Looks at what a check has written, and returns it."""
    told = json.loads((folder / "gpu.json").read_text())
    assert [part["name"] for part in told["parts"]] == [name for name in gpu.PARTS if name in parts]
    for part in ("waiting", "throughput"):
        assert {figure["note"] for figure in figures_of(told, part).values()} == {"needs a GPU"}
    for part in ("numbers", "runs"):
        assert {figure["verdict"] for figure in figures_of(told, part).values()} == {"ok"}
    assert figures_of(told, "runs")["CE, killed and continued"]["value"] == 0
    assert all(figure["value"] > 0 for figure in figures_of(told, "memory").values())
    text = (folder / "gpu.md").read_text()
    assert "| loss LDAM |" in text
    assert "needs a GPU" in text
    return told


def test_every_public_class_is_compared():
    public = {name for name in losses.__all__ if isinstance(getattr(losses, name), type)}
    assert {name.partition(",")[0] for name in numbers.LOSSES} == public - NO_LOSSES
    assert {kind.__name__ for kind, _, _ in METHODS.values()} == set(modules.__all__) - BASES
    known = {name for name in predictors.__all__ if isinstance(getattr(predictors, name), type)}
    assert set(numbers.PREDICTORS) == known - {"Predictor"}


def test_a_difference_is_seen(setting, monkeypatch):
    class Wrong(losses.CrossEntropy):
        def forward(self, logits, label, sample_weight=None):
            return super().forward(logits, label, sample_weight) * (1.001 if logits.dtype.itemsize == 4 else 1.0)

    monkeypatch.setattr(numbers, "LOSSES", {"Wrong": Wrong})
    monkeypatch.setattr(numbers, "PREDICTORS", {})
    monkeypatch.setattr(numbers, "METHODS", {})
    numbers.run(setting)
    wrong, scores = read_figures(setting.figures)
    assert wrong.value == pytest.approx(1e-3, rel=1e-2)
    assert (wrong.verdict, scores.verdict) == ("failed", "ok")


def write_part(folder, monkeypatch, body):
    """A part in a module of its own: writes a figure, then does something else."""
    (folder / "broken_part.py").write_text(
        f"import os, time\ndef run(setting):\n    setting.add('before', 1.0)\n    print('its last line')\n    {body}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        ("os._exit(3)", "It ended with status 3."),
        ("raise RuntimeError", "It ended with status 1."),
        pytest.param("time.sleep(60)", "It did not end in its time and was stopped.", marks=pytest.mark.slow),
    ],
)
def test_a_part_that_dies_or_hangs_costs_only_itself(tmp_path, monkeypatch, body, trouble):
    write_part(tmp_path, monkeypatch, body)
    monkeypatch.setattr(gpu, "SECONDS_TO_END", 20 if "sleep" not in body else 3)
    setting = Setting("cuda", tmp_path, tmp_path, tmp_path / "figures.jsonl", time.time())
    assert gpu.run_apart("broken_part", setting, tmp_path / "log") == trouble
    assert [figure.what for figure in read_figures(setting.figures)] == ["before"]


def test_a_part_that_fails_is_named_with_the_end_of_its_log(tmp_path, monkeypatch, capsys):
    def fail(setting):
        print("something went wrong here")
        raise RuntimeError("no memory")

    monkeypatch.setattr(memory, "run", fail)
    assert gpu.main(["--cpu", "--only", "waiting,memory", "--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr().out
    assert "something went wrong here" in printed
    assert "RuntimeError: no memory" in printed
    assert "not as it should be: memory: memory" in printed
    [waited, failed] = json.loads((tmp_path / "out" / "gpu.json").read_text())["parts"]
    assert waited["figures"][0]["verdict"] == "skipped"
    assert failed["figures"][0]["verdict"] == "failed"


def test_ctrl_c_leaves_the_table_so_far(tmp_path, monkeypatch, capsys):
    def interrupted(setting):
        setting.add("first figure", 1.0)
        raise KeyboardInterrupt

    monkeypatch.setattr(memory, "run", interrupted)
    assert gpu.main(["--cpu", "--only", "waiting,memory", "--out", str(tmp_path / "out")]) == 130
    assert "Stopped. Figures so far" in capsys.readouterr().out
    text = (tmp_path / "out" / "gpu.md").read_text()
    assert "needs a GPU" in text
    assert "first figure" in text


def test_no_gpu_is_said_before_anything_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu.main(["--out", str(tmp_path / "out")]) == 2
    assert "--cpu tries what needs none" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", ["--only=speed", "--images=nowhere"])
def test_mistakes_are_refused(given, capsys):
    with pytest.raises(SystemExit):
        gpu.main(["--cpu", given])
    assert ("there is no part 'speed'" if "only" in given else "nowhere is not there") in capsys.readouterr().err


def test_waits_are_counted_without_those_of_the_profiler():
    events = ["aten::add", "cudaMemcpyAsync", "aten::item", "aten::_local_scalar_dense", "cudaDeviceSynchronize"]
    events += ["Memcpy DtoH (Device -> Pageable)", "Memcpy HtoD (Pinned -> Device)", "cudaDeviceSynchronize"]
    one_each = {"Memcpy DtoH": 1}
    assert waiting.count_waits(events) == one_each
    assert waiting.count_waits([*events, "cudaDeviceSynchronize"]) == one_each | {"cudaDeviceSynchronize": 1}
    assert waiting.count_waits(["aten::add", "cudaMemcpyAsync"]) == {}


@pytest.mark.parametrize(
    ("capacity", "slowest"),
    [
        ({"decoding": 1000, "augmentation": 5000, "transfer": 90000}, "decoding"),
        ({"decoding": 90000, "augmentation": 1000, "transfer": 90000}, "augmentation"),
        ({"decoding": 90000, "augmentation": 90000, "transfer": 1000}, "transfer"),
        ({"decoding": 90000, "augmentation": 90000, "transfer": 90000}, "GPU"),
    ],
)
def test_what_holds_a_training_back(capacity, slowest):
    assert limit(capacity, 900).startswith(f"{slowest} (decoding ")


def test_a_figure_that_was_cut_off_is_left_out(tmp_path):
    file = tmp_path / "figures.jsonl"
    add_figure(file, Figure("whole", 1.0, "s", "< 2", "ok", "a\nb"))
    with file.open("a") as lines:
        lines.write('{"what": "half')
    assert read_figures(file) == [Figure("whole", 1.0, "s", "< 2", "ok", "a\nb")]
