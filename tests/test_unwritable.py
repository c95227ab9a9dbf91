"""Places that cannot be written to are refused before anything is done, and left as they were."""

import pytest

from lightning_imbal.atomic_files import refuse_unwritable
from lightning_imbal.cli import main
from lightning_imbal.errors import UserError


@pytest.mark.parametrize(
    ("place", "folder", "sentence"),
    [
        ("", False, "--it is empty: name a file"),
        (" ", True, "--it is empty: name a folder"),
        ("folder", False, "--it folder is a folder: name a file"),
        ("file", True, "cannot be made, since .*file is a file"),
        ("file/below", False, "cannot be made, since .*file is a file"),
        ("file/below/that", True, "cannot be made, since .*file is a file"),
        ("/proc/it", False, r"cannot be made \(/proc: "),
        *(("new/file", False, None), ("folder", True, None), ("file", False, None), ("folder/new", True, None)),
    ],
)
def test_a_place(place, folder, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    before = sorted(tmp_path.rglob("*"))
    if sentence is None:
        refuse_unwritable("--it", place, folder)
    else:
        with pytest.raises(UserError, match=sentence):
            refuse_unwritable("--it", place, folder)
    assert sorted(tmp_path.rglob("*")) == before and (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize(
    "args",
    [
        ["audit", "--config", "experiments/demo.yaml", "--json", "/proc/a.json"],
        ["audit", "--config", "experiments/demo.yaml", "--distance", "-1"],
        ["compare", "--data.class_path", "DigitsLT", "--seeds", "-1"],
        ["compare", "--data.class_path", "DigitsLT", "--runs", "README.md"],
        ["table", "experiments/tables/zeng_table2.yaml", "--seeds", "-1"],
        ["table", "experiments/tables/zeng_table2.yaml", "--runs", "/proc/x"],
        ["fit", "--config", "experiments/demo.yaml", "--run_dir", "README.md/x"],
    ],
)
def test_verbs_refuse_it_in_one_sentence(args, capsys):
    assert main(args) == 2
    assert len([line for line in capsys.readouterr().err.splitlines() if line.startswith("lightning_imbal: ")]) == 1
