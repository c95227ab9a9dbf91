"""No two runs have one name."""

from made_runs import write_run, write_stage

from lightning_imbal.runs.run import Run
from lightning_imbal.stats.read_runs import read_runs
from lightning_imbal.stats.run_names import row_names, run_names

CE = {"method": "CE", "predictor": "", "data": "skin"}


def runs_of(folder, *names):
    return [Run(folder / name) for name in names]


def test_the_same_title_is_told_apart_by_settings_then_by_folders(tmp_path):
    for name, lr in {"a": 0.1, "b": 0.01, "c": 0.01}.items():
        write_run(tmp_path / name, images=20, title=CE)
        write_stage(tmp_path / name / "stage1", lr=lr)
    assert run_names(runs_of(tmp_path, "a", "b")) == (["lr 0.1", "lr 0.01"], "CE, skin, seed 0")
    assert run_names(runs_of(tmp_path, "b", "c")) == (["b", "c"], "CE, skin, seed 0")
    names, _ = run_names(runs_of(tmp_path, "a", "b", "c"))
    assert len(set(names)) == 3
    assert run_names(runs_of(tmp_path, "a")) == (["CE, skin, seed 0"], "")


def test_the_same_folder_below_others_and_a_damaged_configuration(tmp_path):
    for name in ("x/test", "y/test", "y"):
        write_run(tmp_path / name, images=20, title=CE)
    (tmp_path / "y" / "stage1").mkdir()
    (tmp_path / "y" / "stage1" / "config.yaml").write_text("[")
    assert run_names(runs_of(tmp_path, "x/test", "y/test"))[0] == ["x/test", "y/test"]
    assert run_names(runs_of(tmp_path, "y", "y/test"))[0] == ["y", "y/test"]
    assert run_names(runs_of(tmp_path, "y", "y"))[0] == ["y", "y (2)"]


def test_seeds_are_named_where_nothing_else_tells_rows_apart(tmp_path):
    for name, seed, method in (("a", 0, "CE"), ("b", 1, "CE"), ("c", 1, "LDAM")):
        write_run(tmp_path / name, images=20, seed=seed, title=CE | {"method": method})
    a, b, c = runs_of(tmp_path, "a", "b", "c")
    assert row_names([[a], [b]])[0] == ["seed 0", "seed 1"]
    assert row_names([[a, b], [c]])[0] == ["CE", "LDAM"]
    assert run_names([a, c])[0] == ["CE, seed 0", "LDAM, seed 1"]
    assert row_names([[a, b]])[0] == ["CE, skin"]


def test_reports_name_rows_by_their_titles(tmp_path):
    for method in ("CE", "LDAM -> cRW"):
        for seed in range(2):
            folder = tmp_path / f"{method[:2]}+seed{seed}"
            write_run(folder, images=40, seed=seed, noise=seed, title=CE | {"method": method})
    results = read_runs(sorted(tmp_path.iterdir()))
    assert list(results.spec.rows) == ["CE", "LDAM -> cRW"] and results.spec.title == "4 runs of skin"
    assert results.spec.columns[0].title.startswith("skin, test part")
    assert read_runs([tmp_path / "CE+seed0"]).spec.title == "CE, skin, seed 0"
