"""Subgroups in the terminal, in files, on the page and in the model card; nothing of them without attributes."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from made_attributes import write_attributes
from made_runs import write_run, write_stage
from rich.console import Console
from sklearn.metrics import f1_score
from small_runs import refused

from lightning_imbal.cli import main
from lightning_imbal.errors import UserError
from lightning_imbal.report.model_card_subgroups import subgroup_parts
from lightning_imbal.report.page.page import write_page
from lightning_imbal.report.page.subgroups import chapters_of_subgroups
from lightning_imbal.report.page.tables_subgroups import class_table, gap_table, score_table
from lightning_imbal.report.tables.latex import to_latex
from lightning_imbal.report.tables.markdown import to_markdown
from lightning_imbal.report.tables.sheets_subgroups import ABSENT_NOTE, FEW_NOTE, GAP_NOTE, all_notes, all_sheets
from lightning_imbal.report.tables.write import write_and_print
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.read_runs import read_runs

COLUMN = "ISIC2018, test part"
ODD = "50 %_|<b>"  # a value that means something to LaTeX, Markdown and HTML


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A run of each of two methods, with a site that has an odd value, and one of few images."""
    folder = tmp_path_factory.mktemp("runs")
    for noise, skill in enumerate((0.6, 1.4)):
        run = folder / f"m{noise}"
        write_run(run, skill=skill, noise=noise, images=200)
        write_stage(run / "stage1")
        site = np.array([ODD] * 100 + ["trunk"] * 92 + ["nail"] * 8)
        write_attributes(run, site=site, age=np.resize(["", *map(str, range(5, 90, 5))], 200))
    return [str(folder / f"m{noise}") for noise in range(2)]


@pytest.fixture(scope="module")
def results(folders):
    return read_runs(folders)


def by_hand(folder, site):
    """Macro F1 of the images of a site, over the classes that it has."""
    table = pd.read_parquet(f"{folder}/predictions.parquet")
    table = table[table["meta/site"] == site]
    columns = [name for name in table if name.startswith("probability/")]
    answer = table[columns].idxmax(axis=1).str.removeprefix("probability/")
    return f1_score(table["label"], answer, labels=sorted(set(table["label"])), average="macro", zero_division=0)


def test_a_run_is_told_by_its_subgroups_within_80_columns(folders, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["report", folders[0], "--edges", "age=40,60"]) == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines()[:-1])) <= 80  # the last is a command
    for site in (ODD, "trunk"):
        assert re.search(rf"{re.escape(site)} +│ +\d+ +│ {by_hand(folders[0], site):.3f}", told)
    for subgroup in ("up to 40", "41 to 60", "over 60", "not known", "too few images"):
        assert subgroup in told
    flat = " ".join(told.split())
    assert "by site: recall of every class" in flat and GAP_NOTE in flat and FEW_NOTE in flat
    assert re.search(r"Macro F1 by site: worst .* gap 0\.\d{3} \[-?0\.\d\d, 0\.\d\d\]\.", flat)


def test_several_methods_are_told_by_their_worst_subgroups(folders, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["report", *folders]) == 0
    told = capsys.readouterr().out
    assert "Worst subgroup by site, and its gap to the best" in told and max(map(len, told.splitlines()[:-1])) <= 80
    worst = {folder: min(by_hand(folder, site) for site in (ODD, "trunk")) for folder in folders}
    for folder, value in worst.items():
        assert re.search(rf"{folder[-2:]} +│ {value:.3f} ", told)


def test_files_hold_every_number(folders, tmp_path, capsys):
    assert main(["report", folders[1], "--subgroups", str(tmp_path / "out" / "sub")]) == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        *("sub.md", "sub.tex", "sub.csv", "sub_classes.csv", "sub_gaps.csv")
    }
    scores = pd.read_csv(tmp_path / "out" / "sub.csv").set_index(["attribute", "subgroup"])
    assert scores.loc[("site", ODD), "f1"] == pytest.approx(by_hand(folders[1], ODD), abs=1e-5)
    assert scores.loc["site", "images"].to_dict() == {ODD: 100, "trunk": 92, "nail": 8}
    text, latex = ((tmp_path / "out" / f"sub.{ending}").read_text() for ending in ("md", "tex"))
    assert r"50 %\_\|\<b>" in text and ODD not in text
    assert r"50 \%\_\textbar{}\textless{}b\textgreater{}" in latex and ODD not in latex
    assert f"{by_hand(folders[1], ODD):.3f}" in text and f"{by_hand(folders[1], ODD):.3f}" in latex


def test_tables_of_runs_get_the_worst_subgroups(results, tmp_path):
    write_and_print(results, tmp_path / "compare", Console(quiet=True))
    gaps = pd.read_csv(tmp_path / "compare_subgroups_gaps.csv")
    assert gaps[["row", "attribute", "score", "column"]].to_numpy().tolist() == [
        [row, attribute, score, COLUMN]
        for row in results.spec.rows
        for attribute in ("site", "age")
        for score in ("f1", "balanced_accuracy")
    ]
    assert (tmp_path / "compare_subgroups.csv").is_file() and (tmp_path / "compare_subgroups_classes.csv").is_file()
    assert (results.subgroups[COLUMN].classes["images"] == 0).any() and ABSENT_NOTE in all_notes(results)
    worst = results.subgroups[COLUMN].gaps["worst"].iloc[0]
    assert f"### {COLUMN}: Worst subgroup by site, and its gap to the best" in to_markdown(results)
    for text in (to_markdown(results), to_latex(results)):
        assert GAP_NOTE.split(":")[0] in text and (worst in text or "50 " in text)


def test_page_tables_have_the_same_numbers(results, folders):
    found = results.subgroups[COLUMN]
    scores = {(row[1].text, row[2].text): row for row in score_table(found, 3).rows if row[0].text == "site"}
    for folder, name in zip(folders, results.spec.rows, strict=True):
        assert scores["trunk", name][4].text == f"{by_hand(folder, 'trunk'):.3f}"
        assert scores["nail", name][4].text == "n/a" and scores["nail", name][4].below == "too few images"
    gap = gap_table(found, 3).rows[0]
    assert "groups of images" not in score_table(found, 3).headings  # none are known
    assert gap[4].value == pytest.approx(gap[3].value - gap[2].value) and gap[4].below.startswith("[")
    classes = class_table(found, ["nv", "mel", "bkl/lk", "df"], 3)
    few = found.classes[found.classes["few"]].iloc[0]
    [row] = [
        row
        for row in classes.rows
        if [cell.text for cell in row[:4]] == [few[name] for name in ("attribute", "subgroup", "class", "row")]
    ]
    assert row[4].value == few["images"] < 5 and re.search(r"\] of \d images?$", row[5].below)


def test_the_chart_has_a_bar_for_each_subgroup(results):
    [chapter] = chapters_of_subgroups(results, ["nv", "mel", "bkl/lk", "df"])
    [chart] = chapter.charts
    assert list(chart.figures) == [f"{attribute}, {row}" for row in results.spec.rows for attribute in ("site", "age")]
    cells = results.subgroups[COLUMN].classes
    for trace in chart.figures["site, m0"].data:
        name = next(site for site in (ODD, "trunk", "nail") if trace.name.startswith(site[:4]))
        own = cells[(cells["row"] == "m0") & (cells["subgroup"] == name)].set_index("class")["recall"]
        assert trace.y == pytest.approx(own.loc[["nv", "mel", "bkl/lk", "df"]].to_numpy(), nan_ok=True)


def test_the_page_has_a_chapter_that_runs_no_value(results, tmp_path):
    write_page(results, tmp_path / "page.html", anonymous=True)
    text = (tmp_path / "page.html").read_text().partition('<script nonce="')[0]
    assert '<section id="subgroups">' in text and "&lt;b&gt;" in text and "<b>" not in text
    assert "trunk" in text and "up to 30" in text  # without names, too: they are of many images


def test_the_model_card_names_the_worst_subgroup(folders):
    results = read_runs(folders[:1])
    parts = subgroup_parts(results)
    worst = results.subgroups[COLUMN].gaps.iloc[0]
    assert parts[0] == "## Subgroups" and f"gap {worst['gap']:.3f} " in parts[1]
    assert f"best trunk ({worst['best_value']:.3f})" in parts[1] or "worst trunk" in parts[1]
    assert parts[2].startswith("By site") and "too few images" in parts[3] and len(parts) == 8


def test_nothing_is_said_without_attributes(tmp_path, capsys):
    write_run(tmp_path / "run", images=60)
    write_stage(tmp_path / "run" / "stage1")
    results = read_runs([tmp_path / "run"])
    assert not Run(tmp_path / "run").has_attributes and results.subgroups == {} and subgroup_parts(results) == []
    assert all_notes(results) == results.notes and len(all_sheets(results)) == 2
    write_and_print(results, tmp_path / "t" / "table", Console(quiet=True))
    assert {file.name for file in (tmp_path / "t").iterdir()} == {
        *("table.md", "table.tex", "table.csv", "table_classes.csv")
    }
    assert main(["report", str(tmp_path / "run")]) == 0
    assert "ubgroup" not in capsys.readouterr().out
    for option in (["--edges", "age=40"], ["--subgroups", str(tmp_path / "x")]):
        assert "--data.metadata_columns" in refused(capsys, "report", str(tmp_path / "run"), *option)


def test_a_table_takes_edges(tmp_path, monkeypatch, capsys):
    def tell(*args):
        raise UserError(f"edges: {args[-1]}")

    monkeypatch.setattr("lightning_imbal.cli.table.collect", tell)
    data, method = (str(Path("experiments", name).absolute()) for name in ("isic2018_small.yaml", "methods/ce.yaml"))
    table = {"title": "T", "columns": [{"dataset": "ISIC2018", "configs": [data]}]}
    table |= {"rows": {"CE": {"configs": [method]}}, "metrics": {"f1": {"score": "f1"}}}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(table))
    args = ["table", str(tmp_path / "small.yaml"), "--jobs", "0", "--runs", str(tmp_path / "runs")]
    assert "edges: {'age': (40.0, 60.0)}" in refused(capsys, *args, "--edges", "age=40,60")
    assert "ascending" in refused(capsys, *args, "--edges", "age=60,40")


def test_edges_are_refused_before_anything_is_told(folders, capsys):
    assert "did you mean age?" in refused(capsys, "report", *folders, "--edges", "aeg=40")
    assert "is no number: edges are for what is" in refused(capsys, "report", *folders, "--edges", "site=40")
    assert "ascending" in refused(capsys, "report", *folders, "--edges", "age=60,40")
    assert "is a folder" in refused(capsys, "report", *folders, "--subgroups", folders[0])
