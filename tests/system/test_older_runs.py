"""A run from before a score was invented: every report and table says n/a in its place."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from made_runs import write_run, write_split, write_stage
from rich.console import Console

from lightning_imbal.cli import main
from lightning_imbal.report.model_card import model_card
from lightning_imbal.report.tables.write import write_and_print
from lightning_imbal.stats.results import collect
from lightning_imbal.tables.cell import Cell
from lightning_imbal.tables.comparison import comparison
from lightning_imbal.tables.spec import Metric, Row

TITLES = {"ece": "Expected calibration error", "kappa": "Quadratic kappa"}
FACTS = dict.fromkeys(
    ["file", "checkpoint", "head", "adjustment", "image_size", "recipe", "mean", "std", "check", "origin", "steps"], "x"
)


@pytest.fixture(params=TITLES)
def lacking(request, tmp_path):
    """A score, and the folders of two runs; the first one lacks it."""
    for seed, name in enumerate(("older", "newer")):
        folder = tmp_path / name
        write_run(folder, noise=seed, ordered=True)
        write_split(folder)
        write_stage(folder / "stage1")
        config = yaml.safe_load((folder / "stage1" / "config.yaml").read_text())
        config["data"] = {"class_path": "made.up.Skin"}
        (folder / "stage1" / "config.yaml").write_text(yaml.safe_dump(config))
    results = json.loads((tmp_path / "older" / "metrics.json").read_text())
    del results["summary"][request.param]
    (tmp_path / "older" / "metrics.json").write_text(json.dumps(results))
    return request.param, tmp_path / "older", tmp_path / "newer"


def line_of(text, title):
    """The first line with a title, below which are the tables of the classes."""
    return next(line for line in text.splitlines() if title in line and "results below" not in line)


def test_terminal(lacking, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    key, older, newer = lacking
    assert main(["report", str(older)]) == 0
    assert line_of(capsys.readouterr().out, TITLES[key]).split()[-1] == "n/a"
    assert main(["report", str(older), str(newer)]) == 0
    value = json.loads((newer / "metrics.json").read_text())["summary"][key]
    cells = line_of(capsys.readouterr().out, TITLES[key]).split()
    assert "n/a" in cells and f"{value:.3f}" in cells


def test_page(lacking, tmp_path):
    _, older, newer = lacking
    page = tmp_path / "page.html"
    assert main(["report", str(older), str(newer), "--html", str(page)]) == 0
    leaderboard = page.read_text().partition('id="leaderboard"')[2].partition("</section>")[0]
    assert leaderboard.count(">n/a<") == 1


def test_model_card(lacking):
    key, older, _ = lacking
    card = model_card(older, FACTS)
    assert line_of(card, f"| {TITLES[key]} ").split("|")[2:4] == [" n/a ", "  "]
    assert ("Expected calibration error n/a in the results below" in card) == (key == "ece")


def test_table(lacking, tmp_path):
    key, older, newer = lacking
    spec = comparison({"older": Row(), "newer": Row()}, "skin", Path("protocol.yaml"))
    spec.metrics = {"f1": Metric(score="f1"), key: Metric(score=key)}
    cells = [Cell(folder.name, spec.columns[0], "seed 0", None, folder) for folder in (older, newer)]
    results = collect(spec, cells, [], tmp_path, "newer")
    with (tmp_path / "table.txt").open("w") as file:
        write_and_print(results, tmp_path / "table", Console(file=file, width=150))
    row = line_of((tmp_path / "table.md").read_text(), "| older |").split(" | ")
    assert row[2] == "n/a" and row[1] != "n/a"
    assert "n/a" in line_of((tmp_path / "table.txt").read_text(), "older ")
    assert " n/a " in line_of((tmp_path / "table.tex").read_text(), "older &")
    table = pd.read_csv(tmp_path / "table.csv").set_index(["metric", "row"])
    assert table.loc[(key, "older"), ["value", "low", "high", "calibrated", "p_value", "p_best"]].isna().all()
    beside = ["calibrated"] if key == "ece" else ["low", "high"]
    assert table.loc[(key, "newer"), ["value", *beside]].notna().all()
    assert table.loc[key, "best"][["older", "newer"]].tolist() == ["newer", "newer"]


def test_table_of_a_score_of_a_class(tmp_path):
    for seed, name in enumerate(("older", "newer")):
        write_run(tmp_path / name, noise=seed)
    results = json.loads((tmp_path / "older" / "metrics.json").read_text())
    del results["classes"][1]["sensitivity_at_95"]
    (tmp_path / "older" / "metrics.json").write_text(json.dumps(results))
    spec = comparison({"older": Row(), "newer": Row()}, "skin", Path("protocol.yaml"))
    spec.metrics = {key: Metric(score=key) for key in ("f1", "sensitivity_at_95/mel", "cce/nv")}
    cells = [Cell(name, spec.columns[0], "seed 0", None, tmp_path / name) for name in ("older", "newer")]
    table = collect(spec, cells, [], tmp_path, "newer").cells.set_index(["metric", "row"])
    assert table.loc[("sensitivity_at_95/mel", "older"), ["value", "low", "p_value"]].isna().all()
    assert table.loc[("sensitivity_at_95/mel", "newer"), ["value", "low"]].notna().all()
    assert 0 < table.loc[("cce/nv", "older"), "p_value"] <= 1 and np.isnan(table.loc[("cce/nv", "newer"), "low"])
