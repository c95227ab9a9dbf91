"""`lightning_imbal labels`: from folds to a list and a page; nothing is written over."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from made_folds import flipped, names, write_folds
from made_runs import NAMES
from small_runs import refused

from lightning_imbal.cli import main

pytest.importorskip("cleanlab", reason="cleanlab is not installed: pip install 'lightning_imbal[labels]'")
PROBABILITY, LABEL, TRUE = flipped(600)


@pytest.fixture(scope="module")
def folds(tmp_path_factory):
    """Three folds, to be read only."""
    folder = tmp_path_factory.mktemp("folds")
    pd.DataFrame({"image": names(range(600)), "label": np.array(NAMES)[TRUE]}).to_csv(folder / "truth.csv", index=False)
    return folder, [str(run.folder) for run in write_folds(folder, PROBABILITY, LABEL)]


def test_folds_become_a_list_and_a_page(folds, tmp_path, capsys):
    folder, runs = folds
    more = ["--html", "--truth", str(folder / "truth.csv"), "--json", str(tmp_path / "found.json")]
    assert main(["labels", *runs, "--out", str(tmp_path / "out"), *more]) == 0
    told = capsys.readouterr().out
    assert "Looked at 600 of 600 images (100%)" in told and "Suspicious labels of ISIC2018" in told
    number = (LABEL != TRUE).sum()
    [found] = re.findall(rf"Of {number} wrong labels among 600 images with a known true class, (\d+) \(", told)
    assert int(found) > 0.8 * number
    table = pd.read_csv(tmp_path / "out" / "labels.csv", keep_default_na=False)
    assert len(table) == 600 and (table["decision"] == "").all()
    first = table.iloc[0]
    [printed] = [line.split("│")[1:-1] for line in told.splitlines() if first["image"] in line]
    chances = [f"{first[f'probability_{name}']:.3f}" for name in ("label", "suggested")]
    assert [cell.strip() for cell in printed[:5]] == [
        first["image"],
        first["label"],
        chances[0],
        first["suggested"],
        chances[1],
    ]
    wrong = set(np.array(names(range(600)))[LABEL != TRUE])
    assert len(wrong & set(table["image"][:number])) == int(found)
    assert table["image"][0] in (tmp_path / "out" / "labels.html").read_text().replace("<wbr>", "")
    content = json.loads((tmp_path / "found.json").read_text())
    assert content["truth"][0]["found"] == int(found) and [row["class"] for row in content["classes"]] == NAMES
    sentence = refused(capsys, "labels", *runs, "--out", str(tmp_path / "out"))
    assert "labels.csv is there already" in sentence and "out_2" in sentence


def test_what_is_wrong_is_refused_before_anything_is_written(folds, tmp_path, capsys):
    runs = folds[1]
    out = ["--out", str(tmp_path / "out")]
    assert "--most is 0" in refused(capsys, "labels", *runs, *out, "--most", "0")
    assert "add --html" in refused(capsys, "labels", *runs, *out, "--data.root", str(tmp_path))
    gone = [*runs, *out, "--html", "--data.root", str(tmp_path / "gone")]
    assert "gone is not there" in refused(capsys, "labels", *gone)
    assert "is no file" in refused(capsys, "labels", *runs, *out, "--truth", str(tmp_path / "x.csv"))
    assert "given twice" in refused(capsys, "labels", runs[0], runs[0], *out)
    assert not list(tmp_path.iterdir())
