"""`lightning_imbal ensemble`: what it writes is a run, which the other verbs read."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from made_runs import COUNTS, GROUPS, NAMES, write_run, write_split
from small_runs import refused

from lightning_imbal.cli import main
from lightning_imbal.errors import UserError
from lightning_imbal.metrics import classification_scores
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.read_runs import read_runs


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """Three seeds, on images of which two each are of one lesion; only to be read."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in range(3):
        write_run(folder / f"ce+seed{seed}", images=60, noise=seed, seed=seed)
        write_split(folder / f"ce+seed{seed}", of_group=2)
    return [folder / f"ce+seed{seed}" for seed in range(3)]


@pytest.fixture(scope="module")
def made(members, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "three_seeds"
    assert main(["ensemble", *map(str, members), "--run_dir", str(folder)]) == 0
    return folder


def test_scores_are_those_of_the_mean(members, made):
    tables = [pd.read_parquet(member / "predictions.parquet").set_index(["image", "label"]) for member in members]
    found = pd.read_parquet(made / "predictions.parquet").set_index(["image", "label"])
    pd.testing.assert_frame_equal(found, sum(tables) / 3, rtol=0, atol=1e-7)
    label = torch.tensor([NAMES.index(name) for name in found.index.get_level_values("label")])
    expected = classification_scores(torch.tensor(found.to_numpy()), label, COUNTS, NAMES, GROUPS)
    run = Run(made)
    for key, value in expected.items():
        assert run.score(key) == pytest.approx(value, abs=1e-6), key
    assert run.score("f1") > max(Run(member).score("f1") for member in members)


def test_it_is_read_as_a_run_whose_lesions_are_known(made, members):
    run = Run(made)
    assert run.identity["name"] == "three_seeds" and run.identity["seed"] is None
    assert {"commit", "versions", "finished"} <= run.identity.keys()
    assert len(set(run.predictions.unit)) == 30 and run.predictions.grouped.all()
    results = read_runs([made, *members])
    assert list(results.spec.rows) == ["ensemble of 3 runs (ce)", "ce"]
    assert results.cells["value"].notna().all()
    assert np.isfinite(results.cells.loc[results.cells["metric"] == "f1", ["low", "high"]].to_numpy()).all()


def test_the_table_of_the_classes_is_printed_and_so_is_a_page(made, members, tmp_path, capsys):
    assert main(["ensemble", *map(str, members[:2]), "--run_dir", str(tmp_path / "two")]) == 0
    told = capsys.readouterr().out
    assert (
        "ensemble of 2 runs (ce), ISIC2018: test part" in told
        and "train images" in told
        and f"Results: {tmp_path / 'two'}" in told
    )
    page = tmp_path / "page.html"
    assert main(["report", str(tmp_path / "two"), str(made), "--html", str(page)]) == 0
    assert "three_seeds" in page.read_text()


def test_an_ensemble_can_be_a_member(made, members, tmp_path):
    assert main(["ensemble", str(made), str(members[0]), "--run_dir", str(tmp_path / "both")]) == 0
    found = [Run(place).predictions.probability for place in (tmp_path / "both", made, members[0])]
    assert np.allclose(found[0], (found[1] + found[2]) / 2, rtol=0, atol=1e-7)


def test_a_file_of_another_ensemble_is_noticed(members, tmp_path):
    folder = tmp_path / "two"
    assert main(["ensemble", *map(str, members[:2]), "--run_dir", str(folder)]) == 0
    text = (folder / "split.csv").read_text()
    (folder / "split.csv").write_text(text.replace("lesion 1\n", "lesion 0\n"))
    with pytest.raises(UserError, match=r"split\.csv is not the one"):
        Run(folder).split()


def test_folds_are_one_run(tmp_path, capsys):
    folders = [tmp_path / f"cv+fold{fold}" for fold in range(3)]
    for fold, folder in enumerate(folders):
        write_run(folder, images=30, first=30 * fold, noise=fold, split={"kind": "KFold", "folds": 3, "fold": fold})
    assert main(["ensemble", *map(str, folders), "--run_dir", str(tmp_path / "all")]) == 0
    assert "of all folds together" in capsys.readouterr().out
    found = Run(tmp_path / "all")
    assert found.results["confusion"] == np.sum([Run(each).results["confusion"] for each in folders], axis=0).tolist()
    assert found.identity["split"] == {"kind": "KFold", "folds": 3}
    [name] = read_runs([tmp_path / "all"]).spec.rows
    assert name == "ensemble of 3 runs (cv), ISIC2018, 3 folds"


def test_nothing_is_written_over_or_beside_what_is_refused(members, made, tmp_path, capsys):
    assert "already holds results" in refused(capsys, "ensemble", *map(str, members), "--run_dir", str(made))
    write_run(tmp_path / "other", images=50)
    sentence = refused(capsys, "ensemble", str(members[0]), str(tmp_path / "other"), "--run_dir", str(tmp_path / "x"))
    assert "10 images" in sentence and not (tmp_path / "x").exists()
    assert "--run_dir" in refused(capsys, "ensemble", *map(str, members))
    assert "no finished run" in refused(capsys, "ensemble", str(tmp_path), str(made), "--run_dir", str(tmp_path / "x"))


def test_the_record_names_the_members(made, members):
    identity = json.loads((made / "metrics.json").read_text())["identity"]
    assert [each["folder"] for each in identity["members"]] == list(map(str, members))
    assert [each["seed"] for each in identity["members"]] == [0, 1, 2]
