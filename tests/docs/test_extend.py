"""The examples of pages work as they are printed."""

import json
import re
import shutil
from pathlib import Path
from runpy import run_path

import pandas as pd
import pytest
import torch
import yaml
from made_labelled import long_tailed

from lightning_imbal.cli import main
from lightning_imbal.cli.parts.configurations import read_stages
from lightning_imbal.launch.plan import Plan
from lightning_imbal.tables.read import read_spec

ROOT = Path(__file__).parents[2]
EXTEND, TABLES = ((ROOT / "docs" / name).read_text() for name in ("extend.md", "tables.md"))
EXAMPLES = {
    text.split("\n", 1)[0].removeprefix("# "): text
    for text in re.findall(r"```(?:python|yaml)\n(.+?)```", EXTEND + TABLES, re.S)
}
BASE = ["--config", "experiments/demo.yaml", "--config", "experiments/methods/ce.yaml", "--trainer.max_epochs", "1"]


@pytest.fixture
def fit(tmp_path, monkeypatch, isic_root):
    """Runs the command line options that a page prints above examples."""
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text)
    truth = pd.read_csv(isic_root / "ISIC2018_Task3_Training_GroundTruth.csv")
    shutil.copytree(isic_root / "ISIC2018_Task3_Training_Input", tmp_path / "biopsies" / "images")
    table = pd.DataFrame({"image": truth["image"] + ".jpg", "label": (truth["NV"] == 0).astype(int)})
    table.assign(patient=range(len(table))).to_csv(tmp_path / "biopsies" / "labels.csv", index=False)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    monkeypatch.chdir(tmp_path)

    def run(*printed):
        assert all(f"`{options}`" in EXTEND for options in printed)
        args = ["--run_dir", "run", "--trainer.enable_progress_bar", "false"]
        assert main(["fit", *BASE, *" ".join(printed).split(), *args]) == 0
        return json.loads(Path("run/metrics.json").read_text())

    return run


def test_own_classes_of_every_kind_go_together(fit):
    results = fit(
        "--data my_data.Biopsies --data.root biopsies",
        "--model my_method.FeaturePenalty --model.weight 0.1",
        "--model.backbone.class_path my_net.SmallNet --model.backbone.width 16",
        "--model.loss my_loss.Poly1 --model.loss.epsilon 2",
        "--data.sampler my_sampler.AtMost --data.sampler.most 40",
    )
    assert [row["name"] for row in results["classes"]] == ["benign", "malignant"]
    assert results["identity"]["method"] == "FeaturePenalty" and results["identity"]["backbone"] == "SmallNet"
    config = yaml.safe_load(Path("run/stage1/config.yaml").read_text())
    used = config["model"]["init_args"]["loss"], config["data"]["init_args"]["sampler"]
    assert [each["class_path"] for each in used] == ["my_loss.Poly1", "my_sampler.AtMost"]
    assert main(["test", "--ckpt_path", "run/stage1/checkpoints/best.ckpt", "--run_dir", "again"]) == 0
    assert json.loads(Path("again/metrics.json").read_text())["summary"] == results["summary"]


def test_own_sampler_draws_anew(fit):
    sampler = run_path("my_sampler.py")["AtMost"](torch.tensor([0] * 90 + [1] * 7), most=40, seed=0)
    drawn = [torch.tensor([*sampler]) for _ in range(2)]
    assert all(len(each) == len(set(each.tolist())) == 47 and (each >= 90).sum() == 7 for each in drawn)
    assert not torch.equal(*drawn)


def test_own_table(fit):
    options = ["--data.root", "biopsies", "--data.labels", "labels.csv"]
    jobs = Plan(read_spec("my_table.yaml"), Path("runs"), options=options).jobs
    assert jobs and list(read_stages(jobs)) == jobs


def test_own_decision_rule(fit, monkeypatch):
    monkeypatch.syspath_prepend(Path.cwd())  # as the program does
    rule = read_spec("my_rules.yaml").rows["CE, nines first"].decision
    assert (type(rule).__name__, rule.name, rule.found) == ("Favour", "9", 0.9)
    images = long_tailed(300, classes=3)
    decision = run_path("my_rule.py")["Favour"]("bcc", found=0.8).fit(images)
    rare = images.label == 2
    assert (decision.answer(images.probability[rare]) == 2).mean() == pytest.approx(0.8, abs=1 / rare.sum())


@pytest.mark.parametrize("name", sorted(name for name in EXAMPLES if re.match(r"my_\w+\.py", name)))
def test_examples_are_short(name):
    assert (
        len([line for line in EXAMPLES[name].splitlines()[1:] if line and not line.startswith(("import", "from"))])
        <= 10
    )
