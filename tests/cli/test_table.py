"""`lightning_imbal table` before and after its runs: what it prints, refuses and writes, and its Makefile targets."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from made_runs import write_run

from lightning_imbal.cli import main
from lightning_imbal.cli.parts import cost, running
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.plan import Plan
from lightning_imbal.tables.read import read_spec

ROOT = Path(__file__).parents[2]
EXPERIMENTS = ROOT / "experiments"
TABLES = sorted(EXPERIMENTS.glob("tables/*.yaml"))
METHODS = {"CE": "ce", "CL": "supcon", "CE + resample": "ce_resample"}


@pytest.fixture
def spec(tmp_path, monkeypatch):
    """A table of long-tailed digits in the working directory."""
    monkeypatch.chdir(tmp_path)
    rows = {name: {"configs": [str(EXPERIMENTS / "methods" / f"{method}.yaml")]} for name, method in METHODS.items()}
    rows["CE + resample"]["epochs"] = 0.5
    column = {"dataset": "Digits", "configs": [str(EXPERIMENTS / "demo.yaml")], "seeds": [0, 1]}
    content = {"title": "Digits", "columns": [column], "rows": rows, "metrics": {"f1": {"score": "f1"}}}
    Path("digits.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return "digits.yaml"


@pytest.fixture(autouse=True)
def no_server(monkeypatch):
    """No process imports everything for runs that do not start."""
    monkeypatch.setattr(running, "FORKS", False)


@pytest.fixture
def nothing_runs(monkeypatch):
    """Makes every run fail to start."""

    def refuse(*args):
        raise AssertionError("a run was started")

    monkeypatch.setattr(running, "run_jobs", refuse)


def refusal(capsys, *args):
    assert main(["table", *args]) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    return said


def test_dry_run_prints_commands_and_cost_and_runs_nothing(spec, nothing_runs, capsys):
    assert main(["table", spec, "--dry-run", "--seeds", "4", "--trainer.max_epochs", "6", "--runs", "a b"]) == 0
    commands = [
        shlex.split(line) for line in capsys.readouterr().out.splitlines() if line.startswith("lightning_imbal")
    ]
    assert [command[command.index("--run_dir") + 1] for command in commands] == [
        "a b/demo+ce+seed4",
        "a b/demo+supcon+seed4",
        "a b/demo+ce_resample+epochs=0.5+seed4",
    ]
    assert all(command[:2] == ["lightning_imbal", "fit"] for command in commands)
    epochs = [
        [b for a, b in zip(command, command[1:], strict=False) if a == "--trainer.max_epochs"][-1]
        for command in commands
    ]
    assert epochs == ["6", "6", "3"]
    assert not Path("a b").exists()


def test_cost_counts_every_image_of_every_stage(spec, capsys):
    assert main(["table", spec, "--dry-run", "--seeds", "0", "--trainer.max_epochs", "10"]) == 0
    said = capsys.readouterr().out
    images, largest = 359, 106  # of the training part of the demo
    # CE; CL and 100 epochs of a second stage on copies up to the largest class; half of the epochs on such copies.
    expected = 10 * images + 10 * images + 100 * (10 * largest) + 5 * (10 * largest)
    assert f"3 runs to train: {expected:,} images" in said and "unknown until the first run" in said


def test_cost_of_stored_features_is_one_pass_for_each_view(spec, capsys):
    stored = ["--only", "CL", "--then.model.init_args.cache_views", "2"]
    assert main(["table", spec, "--dry-run", "--seeds", "0", "--trainer.max_epochs", "10", *stored]) == 0
    assert f"1 run to train: {10 * 359 + 2 * 359:,} images" in capsys.readouterr().out


def test_cost_of_an_absent_data_set_is_that_of_all_its_images(capsys):
    table = str(EXPERIMENTS / "tables" / "marrakchi_table1.yaml")
    assert main(["table", table, "--dry-run", "--only", "CE", "--seeds", "0", "--data.root", "nowhere"]) == 0
    said = capsys.readouterr().out
    assert f"{1000 * 10015:,} images" in said and "A data set is not there" in said


def test_cost_leaves_out_a_first_stage_that_is_taken_and_what_is_finished(tmp_path, monkeypatch):
    first = Job("slow", tmp_path / "slow", ("fit",))
    first.folder.mkdir()
    (first.folder / "metrics.json").touch()
    monkeypatch.setattr(cost, "cost_of", lambda stage: cost.Cost(1e6, 1e12))
    both = {first: ["one stage"], Job("two", tmp_path / "two", ("fit",), first): ["one stage", "another"]}
    assert "1 run to train: 1,000,000 images" in cost.estimate(both, 1)
    assert cost.estimate({first: ["one stage"]}, 1) == "Nothing is left to train."


def test_cost_of_a_further_seed_goes_by_those_that_are_finished(spec, capsys):
    job = Plan(read_spec(spec), Path("runs/tables")).jobs[0]
    job.folder.mkdir(parents=True)
    (job.folder / "metrics.json").touch()
    job.record.write_text(json.dumps({"seconds": 600.0, "identity": job.identity}))
    for seeds in ("7", "8"), ("7", "8", "0"):
        assert main(["table", spec, "--dry-run", "--only", "CE", "--seeds", *seeds]) == 0
        assert "Going by 1 finished run, that takes about 20 minutes." in capsys.readouterr().out


def test_cost_of_a_network_is_that_of_its_layers():
    # ResNet-18 at 224 pixels without its classifier: 1.8 billion multiplications and as many additions.
    assert cost.operations("resnet18", 224) == pytest.approx(3.63e9, rel=0.01)


def test_printing_needs_no_run_and_no_torch(spec, tmp_path):
    code = "import sys; from lightning_imbal.cli import main; main(sys.argv[1:]); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code, "table", spec, "--jobs", "0"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("n/a") == 3 and "0/2" in done.stdout
    assert sorted(path.name for path in Path("runs/tables").iterdir()) == [
        "digits.csv",
        "digits.md",
        "digits.tex",
        "digits_classes.csv",
    ]


def test_what_was_run_before_is_shown_whatever_is_asked_for_now(spec):
    Path(spec).write_text(Path(spec).read_text() + "baseline: CL\n")
    for run in ("ce+seed0", "ce+seed1", "supcon+seed0", "supcon+seed1", "ce_resample+epochs=0.5+seed0", "ce+seed7"):
        write_run(Path("runs/tables", f"demo+{run}"), images=60)
    for args, runs in {(): [2, 2, 1], ("--only", "CE"): [2, 2, 1], ("--only", "CE", "--seeds", "7"): [3, 2, 1]}.items():
        assert main(["table", spec, "--jobs", "0", *args]) == 0
        found = pd.read_csv("runs/tables/digits.csv")
        found = found[~found["floor"]]
        assert found["row"].tolist() == list(METHODS) and found["runs"].tolist() == runs
        assert set(found["baseline"]) == {"CL"}
    assert main(["table", spec, "--jobs", "0", "--baseline", "CE"]) == 0
    assert set(pd.read_csv("runs/tables/digits.csv")["baseline"].dropna()) == {"CE"}


def test_a_run_that_failed_is_told_by_the_exit_status(spec, monkeypatch, capsys):
    monkeypatch.setattr(running, "run_jobs", lambda jobs, *args: [running.Failure(jobs[0], "killed by SIGKILL", [])])
    assert main(["table", spec, "--only", "CE", "--seeds", "0"]) == 1
    assert "CE, seed 0: killed by SIGKILL" in capsys.readouterr().out


def test_runs_that_differ_in_their_seed_are_read_once(spec, nothing_runs, monkeypatch, capsys):
    read, whole = [], ImbalCLI.read
    monkeypatch.setattr(ImbalCLI, "read", lambda cli, arguments: read.append(arguments) or whole(cli, arguments))
    assert main(["table", spec, "--dry-run", "--seeds", *map(str, range(5))]) == 0
    assert len(read) == 3 and "15 runs to train" in capsys.readouterr().out


def test_overlays_name_the_folder_of_the_runs(spec, nothing_runs, capsys):
    Path("tiny.yaml").write_text("trainer: {max_epochs: 4}\n")
    assert main(["table", spec, "--dry-run", "--only", "CE*", "--seeds", "0", "--config", "tiny.yaml"]) == 0
    shown = capsys.readouterr().out
    assert "--run_dir runs/tables-tiny/demo+ce+seed0" in shown and "--trainer.max_epochs 2" in shown
    assert main(["table", spec, "--jobs", "0", "--config", "tiny.yaml"]) == 0
    assert "Digits (with tiny)" in capsys.readouterr().out


def test_of_many_failures_the_first_are_told(spec, monkeypatch, capsys):
    failed = [running.Failure(Job(f"seed{n}", Path(f"seed{n}"), ("fit",)), "killed", ["the end"]) for n in range(30)]
    monkeypatch.setattr(running, "run_jobs", lambda *args: failed)
    assert main(["table", spec, "--only", "CE"]) == 1
    said = capsys.readouterr().out
    assert said.count(": killed") == said.count("  the end\n") == 10 and "seed9: killed" in said
    assert "and 20 more, each with a log.txt in its folder" in said and "30 runs failed" in said


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--trainer.max_epoch", "3"], ["trainer.max_epoch", "did you mean --trainer.max_epochs?"]),
        (["--job", "2"], ["job", "did you mean --jobs?"]),
        (["--data.image_size", "big"], ["CE, seed 0", "image_size"]),
        (["--jobs", "two"], ["--jobs", "two"]),
        (["--jobs", "-1"], ["--jobs is -1"]),
        (["--config", "absent.yaml"], ["absent.yaml"]),
        (["--baseline", "RS"], ["'RS'", "CE, CL, CE + resample"]),
        (["--only", "CEE"], ["'CEE'", "did you mean CE?"]),
        (["--only", "other", "CE"], ["'other'"]),
        (["--launcher", "slurm"], ["slurm", "local"]),
        (["3"], ["'3'"]),
    ],
)
def test_mistake_is_one_sentence_before_anything_runs(args, named, spec, nothing_runs, capsys):
    said = refusal(capsys, spec, *args)
    assert all(name in said for name in named), said
    assert not Path("runs").exists()


@pytest.mark.parametrize("args", [[], ["--dry-run"], ["absent.yaml"]])
def test_table_must_be_given(args, capsys):
    assert "experiments/tables/marrakchi_table1.yaml" in refusal(capsys, *args)


def test_mistake_in_the_table_is_one_sentence_that_names_it(spec, capsys):
    right = Path(spec).read_text()
    for wrong, named in {
        right.replace("title:", "tilte:"): ["'tilte'", "did you mean title?"],
        right.replace("epochs:", "epoch:"): ["rows", "'epoch'", "epochs"],
        right.replace("score: f1", "title: F1"): ["metrics lacks score"],
        right.replace("seeds:\n", "seeds: x\n").replace("  - 0\n", "").replace("  - 1\n", ""): ["columns", "x"],
        right.replace("methods/ce.yaml", "methods/cee.yaml"): ["methods/cee.yaml"],
        right + "baseline: RS\n": ["'RS'"],
        re.sub(r"rows:\n(  .*\n)+", "rows: {OHEM: {quoted: true}}\n", right): ["nothing to run"],
        right.replace("epochs: 0.5", "start: CE + resample"): ["'CE + resample' starts from"],
        right + "average: mode\n": ["average", "mode"],
        "{": ["not valid YAML"],
        right + "published: absent.csv\n": ["absent.csv"],
    }.items():
        assert wrong != right
        Path(spec).write_text(wrong)
        said = refusal(capsys, spec)
        assert spec in said and all(name in said for name in named), said


def test_runs_with_other_settings_are_not_mixed(spec, nothing_runs, capsys):
    folder = Path("runs/tables/demo+supcon+seed1")
    folder.mkdir(parents=True)
    (folder / "command.json").write_text('{"identity": {"configs": [], "options": {}}, "seconds": 1}')
    assert str(folder) in refusal(capsys, spec, "--only", "CE")


def test_cluster_needs_ray(spec, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "lightning_imbal.launch.cluster", raising=False)
    assert "pip install 'lightning_imbal[cluster]'" in refusal(capsys, spec, "--launcher", "ray", "--only", "CE")


@pytest.mark.parametrize("address", ["127.0.0.1:9", "nowhere"])
def test_cluster_must_answer(address, spec, capsys):
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'lightning_imbal[cluster]'")
    said = refusal(capsys, spec, "--launcher", "ray", "--address", address, "--only", "CE")
    assert f"no Ray cluster at {address}" in said


def test_interruption_says_how_to_go_on(spec, monkeypatch, capsys):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "run_jobs", interrupt)
    assert main(["table", spec, "--only", "CE", "--seeds", "0"]) == 130
    assert "the same command continues" in capsys.readouterr().err


def make(*args):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *args], cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def test_makefile_lists_every_table_with_its_title():
    shown = make("help")
    for path in TABLES:
        title = yaml.safe_load(path.read_text())["title"]
        assert re.search(rf"^ +{path.stem} +{re.escape(title)}$", shown, re.MULTILINE)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_makefile_has_a_target_for_every_table(path):
    options = ["LAPTOP=1", "JOBS=2", "DATA=some where", "OPTIONS=--only CE", "VENV=.venv", "-o", ".venv/installed"]
    command = shlex.split(make("-n", path.stem, *options).splitlines()[-1])
    assert command[:3] == [".venv/bin/lightning_imbal", "table", f"experiments/tables/{path.stem}.yaml"]
    small = "64px" if path.stem.startswith("isic2018_") else "laptop"
    laid = f"--config experiments/variants/{small}.yaml "
    laid = "" if path.stem == "isic2018_features" else laid  # whose sizes of pictures are its columns
    assert " ".join(command[3:]) == f"{laid}--seeds 0 --jobs 2 --data.root some where --only CE"
