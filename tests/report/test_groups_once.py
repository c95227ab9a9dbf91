"""Scores in which each lesion counts once, wherever runs are reported; without known groups nothing is another."""

import re
from pathlib import Path

import pandas as pd
import pytest
from made_runs import NAMES, write_run, write_split, write_stage
from rich.console import Console

from lightning_imbal.cli import main
from lightning_imbal.report.model_card import model_card
from lightning_imbal.report.page.page import write_page
from lightning_imbal.report.tables.write import write_and_print
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.group_scores import ONCE
from lightning_imbal.stats.read_runs import read_runs
from lightning_imbal.stats.results import ranked

SUMMARY = {"f1": "Macro F1", "balanced_accuracy": "Balanced accuracy", "accuracy": "Accuracy"}
FACTS = dict.fromkeys(("file", "checkpoint", "head", "adjustment", "image_size", "recipe", "mean", "std"), "x")
FACTS |= {"check": "", "origin": "", "steps": ""}


def write(folder, of_group, noise=0, **identity):
    """A run whose lesions have several images, but for the last one; or as many lesions as images."""
    write_run(folder, images=100, noise=noise, **identity)
    write_split(folder, of_group)
    write_stage(folder / "stage1")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Of two methods, of which the second is better."""
    root = tmp_path_factory.mktemp("runs")
    skill = {"ce": 0.8, "ldam": 1.6}
    return [write(root / name, 3, skill=skill[name], title={"method": name.upper()}) for name in skill]


@pytest.fixture(scope="module")
def results(folders):
    return read_runs(folders)


def value_of(results, row, score, name=""):
    found = results.groups_once
    return found[(found["row"] == row) & (found["score"] == score) & (found["class"] == name)].iloc[0]


def printed(folders, capsys):
    assert main(["report", *map(str, folders)]) == 0
    return capsys.readouterr().out


def test_a_single_run_in_the_terminal(folders, results, capsys):
    out = printed(folders[:1], capsys)
    assert "34 groups (lesion, patient), each counts once" in out and "an image counts 1 /" in out
    for score, title in SUMMARY.items():
        row = value_of(results, "CE", score)
        assert re.search(rf"{title} +│ +{row['value']:.3f} \[{row['low']:.2f}, {row['high']:.2f}\]", out)


def test_runs_side_by_side_in_the_terminal(folders, results, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    out = printed(folders, capsys)
    both = " +│ +".join(f"{value_of(results, row, 'f1')['value']:.3f}" for row in ("CE", "LDAM"))
    assert re.search(rf"Macro F1 +│ +{both}", out)
    monkeypatch.setenv("COLUMNS", "40")
    narrow = printed(folders, capsys)
    assert narrow.count("┃ score") == 2 and narrow.count("34 groups") == narrow.count("1 / (images") == 1


def test_the_tables_have_both_and_mark_the_best(results, tmp_path):
    console = Console(width=200, file=(tmp_path / "out.txt").open("w"))
    write_and_print(ranked(results), tmp_path / "compare", console)
    console.file.close()
    told, text = (tmp_path / "out.txt").read_text(), (tmp_path / "compare.md").read_text()
    assert "34 groups (lesion, patient), each counts once" in told
    head = next(line for line in text.splitlines() if "each group once" in line and "Macro F1" in line)
    assert head.count("each image") == head.count("each group once") == 3
    row = value_of(results, "LDAM", "f1")
    of_images = results.cells[(results.cells["row"] == "LDAM") & (results.cells["metric"] == "f1")]["value"].item()
    assert row["of_images"] == pytest.approx(of_images, abs=1e-6) and f"{of_images:.3f}" != f"{row['value']:.3f}"
    best = f"| {of_images:.3f} | **{row['value']:.3f}**<br><sub>[{row['low']:.2f}, {row['high']:.2f}]</sub> |"
    assert f"| LDAM {best}" in text and ONCE in text.replace("\\", "")
    assert "each counts once" in (tmp_path / "compare.tex").read_text()
    table = pd.read_csv(tmp_path / "compare_groups.csv", keep_default_na=False)
    assert table["row"].drop_duplicates().tolist() == ["LDAM", "CE"], "as the table is ranked"
    assert len(table) == 2 * (3 + 2 * len(NAMES)) and set(table["score"]) == {
        "f1",
        "balanced_accuracy",
        "accuracy",
        "recall",
    }


def test_the_page_has_a_chapter(results, tmp_path):
    write_page(results, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8").partition('<section id="groups-once">')[2]
    chapter = re.sub(r"<wbr>", "", text.partition("</section>")[0])
    assert ONCE in chapter.replace("&#39;", "'")
    assert "Recall of every class, each group once" in chapter and "Balanced accuracy, each group once" in chapter
    for row in ("CE", "LDAM"):
        assert f">{value_of(results, row, 'f1')['value']:.3f}<small>" in chapter
        assert f">{value_of(results, row, 'recall', 'df')['value']:.3f}<small>" in chapter
    groups = value_of(results, "CE", "f1", "df")["groups"]
    assert f'<td data-value="{groups}">{groups}</td>' in chapter


def test_the_model_card_has_its_lines(folders, results):
    card, row = model_card(folders[0], FACTS), value_of(results, "CE", "f1")
    line = f"once | {row['value']:.3f} | {row['low']:.3f} to {row['high']:.3f} |"
    assert f"Macro F1, each group of images (lesion, patient) {line}" in card
    assert card.count("each group of images") == 3


def test_without_groups_of_several_images_nothing_is_said(tmp_path, capsys):
    folder = write(tmp_path / "ce", 1)
    assert "once" not in printed([folder], capsys)
    found = read_runs([folder])
    assert found.groups_once.empty and ranked(found).groups_once.empty
    write_and_print(found, tmp_path / "table", Console(file=(tmp_path / "out.txt").open("w")))
    assert not list(tmp_path.glob("*_groups.csv")) and "once" not in (tmp_path / "table.md").read_text()


def test_a_run_without_predictions_is_reported_as_ever(tmp_path, capsys):
    folder = write(tmp_path / "ce", 3, predictions=False)
    assert "once" not in printed([folder], capsys)
    both = [folder, write(tmp_path / "ldam", 3, title={"method": "LDAM"})]
    assert re.search("score +┃ +LDAM", printed(both, capsys))
    assert set(read_runs(both).groups_once["row"]) == {"LDAM"}


def test_a_run_without_groups_waits_for_no_predictions(tmp_path, capsys, monkeypatch):
    folder = write(tmp_path / "ce", None)
    monkeypatch.delattr(Run, "predictions")
    assert "once" not in printed([folder], capsys)


def test_an_ensemble_names_its_groups_beside_its_results(folders, tmp_path, capsys):
    folder = write(tmp_path / "both", None)
    assert "once" not in printed([folder], capsys)
    (folder / "split.csv").write_text(Path(folders[0], "stage1", "split.csv").read_text())
    assert "each counts once" in printed([folder], capsys)
