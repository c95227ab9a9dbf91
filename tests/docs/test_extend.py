"""The README's examples work as they are printed."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from lightning_imbal.cli import main
from lightning_imbal.cli.parts.configurations import read_stages
from lightning_imbal.launch.plan import Plan
from lightning_imbal.tables.read import read_spec

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
EXAMPLES = {
    text.split("\n", 1)[0].removeprefix("# "): text for text in re.findall(r"```python\n(.+?)```", README, re.S)
}
BASE = ["--config", "experiments/demo.yaml", "--config", "experiments/methods/ce.yaml", "--trainer.max_epochs", "1"]


@pytest.fixture
def fit(tmp_path, monkeypatch, isic_root):
    """Runs the command line options that the README prints above an example."""
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text)
    truth = pd.read_csv(isic_root / "ISIC2018_Task3_Training_GroundTruth.csv")
    shutil.copytree(isic_root / "ISIC2018_Task3_Training_Input", tmp_path / "biopsies" / "images")
    table = pd.DataFrame({"image": truth["image"] + ".jpg", "label": (truth["NV"] == 0).astype(int)})
    table.assign(patient=range(len(table))).to_csv(tmp_path / "biopsies" / "labels.csv", index=False)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    monkeypatch.chdir(tmp_path)

    def run(options):
        assert f"`{options}`" in README
        args = ["--run_dir", "run", "--trainer.enable_progress_bar", "false"]
        assert main(["fit", *BASE, *options.split(), *args]) == 0
        return json.loads(Path("run/metrics.json").read_text())

    return run


def test_own_loss(fit):
    assert fit("--model.loss my_loss.Poly1 --model.loss.epsilon 2")["identity"]["method"] == "Classifier"


def test_own_data_set(fit):
    results = fit("--data my_data.Biopsies --data.root biopsies")
    assert [row["name"] for row in results["classes"]] == ["benign", "malignant"]


def test_own_method(fit):
    results = fit("--model my_method.FeaturePenalty --model.weight 0.1")
    assert results["identity"]["method"] == "FeaturePenalty"


def test_own_network(fit):
    results = fit("--model.backbone.class_path my_net.SmallNet --model.backbone.width 16")
    assert results["identity"]["backbone"] == "SmallNet"
    assert main(["test", "--ckpt_path", "run/stage1/checkpoints/best.ckpt", "--run_dir", "again"]) == 0
    assert json.loads(Path("again/metrics.json").read_text())["summary"] == results["summary"]


def test_own_table(fit):
    [text] = re.findall(r"```yaml\n# my_table.yaml\n(.+?)```", README, re.S)
    Path("my_table.yaml").write_text(text)
    options = ["--data.root", "biopsies", "--data.labels", "labels.csv"]
    jobs = Plan(read_spec("my_table.yaml"), Path("runs"), options=options).jobs
    assert jobs and list(read_stages(jobs)) == jobs


@pytest.mark.parametrize("name", ["my_loss.py", "my_data.py", "my_method.py", "my_net.py"])
def test_examples_are_short(name):
    assert (
        len([line for line in EXAMPLES[name].splitlines()[1:] if line and not line.startswith(("import", "from"))])
        <= 10
    )


@pytest.mark.parametrize("file, example", [("README.md", None), ("CONTRIBUTING.md", "x")])
def test_named_files_exist(file, example):
    names = re.findall(r"(?:experiments|tests)/[\w/]+\.(?:yaml|py)", (ROOT / file).read_text())
    assert names
    for name in names:
        assert (ROOT / name).is_file() or Path(name).stem.removeprefix("test_") == example, name


def test_the_whole_way_in_python(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES["whole_way.py"], "whole_way.py", "exec"), {"__name__": "whole_way"})
    assert "test/f1" in capsys.readouterr().out
