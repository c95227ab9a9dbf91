"""`lightning_imbal report`: table, page and figures of finished runs, and the sentences for what cannot be reported."""

import json

import pandas as pd
import pytest
from made_runs import write_run, write_stage
from matplotlib.figure import Figure
from small_runs import refused

from lightning_imbal.cli import main
from lightning_imbal.report.page import page
from lightning_imbal.runs.run import Run


@pytest.fixture
def runs(tmp_path):
    """Two methods, two seeds each."""
    folders = []
    for noise, (method, skill) in enumerate({"ce": 0.6, "ldam": 1.4}.items()):
        for seed in range(2):
            folders.append(tmp_path / f"isic+{method}+seed{seed}")
            write_run(folders[-1], skill=skill, noise=2 * noise + seed, seed=seed)
            write_stage(folders[-1] / "stage1", seed=seed)
    return [str(folder) for folder in folders]


def test_page_and_figures_are_written_beside_the_table(runs, tmp_path, monkeypatch, capsys):
    page, figures = tmp_path / "out" / "page.html", tmp_path / "figures"
    # What they show, which takes long to draw, is tested beside the figures.
    monkeypatch.setattr(Figure, "savefig", lambda figure, file, **options: file.touch())
    assert main(["report", *runs, "--html", str(page), "--figures", str(figures)]) == 0
    told = capsys.readouterr().out
    assert "F1 per class" in told and str(page) in told
    text = page.read_text()
    assert "ldam" in text and "4 runs" in text
    written = {file.name for file in figures.iterdir()}
    assert {"f1_per_class.png", "f1_per_class.pdf", "confusion.png", "class_histogram.pdf"} <= written


def test_runs_that_do_not_fit_side_by_side_are_in_further_tables(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    folders = [tmp_path / f"a_long_name_of_a_run_{number}" for number in range(7)]
    for number, folder in enumerate(folders):
        write_run(folder, skill=number, noise=number)
    assert main(["report", *map(str, folders)]) == 0
    told = capsys.readouterr().out
    for folder in folders:
        found = json.loads((folder / "metrics.json").read_text())
        for value in [found["summary"]["accuracy"], *(row["f1"] for row in found["classes"])]:
            assert f" {value:.3f} " in told
    assert told.count("F1 per class") == 5 and max(map(len, told.splitlines()[:-1])) <= 80  # the last is a command


def test_runs_that_differ_in_the_seed_are_one_method(runs, tmp_path):
    from lightning_imbal.stats.read_runs import read_runs

    results = read_runs(runs)
    assert list(results.spec.rows) == ["isic+ce", "isic+ldam"]
    [of_column] = results.runs.values()
    assert [run.repeat for run in of_column["isic+ldam"]] == ["seed 0", "seed 1"]


def test_folds_are_repeats_too(tmp_path):
    from lightning_imbal.stats.read_runs import read_runs

    for fold in range(2):
        write_run(tmp_path / f"x_fold{fold}", first=240 * fold, split={"kind": "KFold", "fold": fold})
    results = read_runs([tmp_path / "x_fold0", tmp_path / "x_fold1"])
    assert [run.repeat for of_row in results.runs.values() for run in of_row["x, ISIC2018"]] == ["fold 0", "fold 1"]


@pytest.mark.parametrize("option, said", [("--html", "report.html"), ("--figures", "is a file")])
def test_what_cannot_be_written_is_refused_first(runs, tmp_path, capsys, option, said):
    (tmp_path / "file").touch()
    place = tmp_path if option == "--html" else tmp_path / "file"
    assert said in refused(capsys, "report", runs[0], option, str(place))


def test_page_begins_with_what_limits_its_numbers(tmp_path):
    write_run(tmp_path / "run", images=40)
    images = [f"ISIC_{number:04d}" for number in range(80)]
    split = pd.DataFrame({"image": images, "class": "nv", "part": ["test"] * 40 + ["train"] * 40})
    split["group"] = [f"lesion {number % 70}" for number in range(80)]  # ten lesions are on both sides
    (tmp_path / "run" / "stage1").mkdir()
    split.to_csv(tmp_path / "run" / "stage1" / "split.csv", index=False)
    assert main(["report", str(tmp_path / "run"), "--html", str(tmp_path / "page.html")]) == 0
    text = (tmp_path / "page.html").read_text().partition("<main>")[0]
    assert "10 of 40 test images are of a group (lesion, patient) that was also trained on: the scores may" in text
    counts = {row["name"]: row["images"] for row in Run(tmp_path / "run").results["classes"]}
    few = [name for name, number in counts.items() if number < 10]
    assert few and all(f"{name} ({counts[name]} image" in text for name in few)
    assert not any(f"{name} ({counts[name]} image" in text for name in counts if name not in few)


def test_pictures_are_looked_for_where_they_are_now(runs, tmp_path, monkeypatch, capsys):
    looked = []

    def thumbnails(folder, images, side, root):
        looked.append(root)
        return dict.fromkeys(images, b"a picture")

    monkeypatch.setattr("lightning_imbal.data.thumbnails.thumbnails", thumbnails)
    root = ["--data.root", str(tmp_path)]
    assert main(["report", runs[0], "--html", str(tmp_path / "page.html"), *root]) == 0
    assert looked == [str(tmp_path)] and "small pictures of" in (tmp_path / "page.html").read_text()
    assert "--data.root is for pictures: add --html" in refused(capsys, "report", runs[0], *root)


def test_a_place_that_may_not_be_written_is_named(runs, monkeypatch, capsys):
    def refuse(results, file, **others):
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(page, "write_page", refuse)
    assert "locked/page.html cannot be used (Permission denied)" in refused(
        capsys, "report", runs[0], "--html", "locked/page.html"
    )


def test_runs_on_different_classes_are_refused(runs, tmp_path, capsys):
    write_run(tmp_path / "other", names=["a", "b", "c", "d"], groups=None)
    sentence = refused(capsys, "report", runs[0], str(tmp_path / "other"), "--html", str(tmp_path / "page.html"))
    assert "classes" in sentence and not (tmp_path / "page.html").exists()


def test_parts_are_not_mixed(runs, tmp_path, capsys):
    write_run(tmp_path / "other", part="val")
    sentence = refused(capsys, "report", runs[0], str(tmp_path / "other"), "--html", str(tmp_path / "page.html"))
    assert "val part" in sentence


def test_a_page_without_names(tmp_path, capsys):
    write_run(tmp_path / "of_miller", prefix="face_")
    page = tmp_path / "page.html"
    assert main(["report", str(tmp_path / "of_miller"), "--html", str(page), "--anonymous"]) == 0
    text = page.read_text().partition("<script nonce")[0]
    assert "Without names (--anonymous)" in text and "miller" not in text and "face_" not in text
    assert main(["report", str(tmp_path / "of_miller"), "--anonymous"]) == 2
    assert "--anonymous is for a page" in capsys.readouterr().err
