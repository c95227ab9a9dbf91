"""What a spreadsheet would run is written with an apostrophe and read back as it was; numbers stay numbers."""

from io import StringIO

import pandas as pd
import pytest

from lightning_imbal.runs.identity import split_changes, split_digest, split_text
from lightning_imbal.runs.spreadsheet import to_csv, without_apostrophes
from lightning_imbal.runs.stage import Stage

FORMULAS = ["=cmd|' /C calc'!A0", "+x", "-b", "@sum", "\tx", "\rx", "-", "+1+1", "-1-1", "'=x", "''-b"]
HARMLESS = ["a", "-0.5", "+1", "-1e-05", "1-b", "'a", "'-0.5", "", "a=b"]


@pytest.mark.parametrize("text", FORMULAS + HARMLESS)
def test_texts_come_back_as_they_were(text):
    table = pd.DataFrame({"name": ["x", text], "score": [-0.5, 1.0]})
    written = pd.read_csv(StringIO(to_csv(table), newline=""), dtype=str, keep_default_na=False)
    assert written["name"].tolist() == ["x", f"'{text}" if text in FORMULAS else text]
    assert written["score"].tolist() == ["-0.5", "1.0"]
    assert without_apostrophes(written)["name"].tolist() == ["x", text]


def test_mixed_columns_keep_what_is_no_text():
    table = pd.DataFrame({"value": ["=1", None, 2]}, dtype=object)
    assert to_csv(table).split() == ["value", "'=1", '""', "2"]


def test_split_of_such_names_has_not_changed(tmp_path):
    table = pd.DataFrame({"image": ["-a.png", "b.png"], "class": ["=x", "-1"], "part": ["train", "test"]})
    (tmp_path / "split.csv").write_text(split_text(table))
    assert "'-a.png,'=x,train\nb.png,-1,test\n" in split_text(table)
    saved = Stage(tmp_path).split()
    assert saved.to_dict("list") == table.to_dict("list") and split_changes(saved, table) == ""
    assert split_digest(table) != split_digest(table.assign(image=["'-a.png", "b.png"]))
