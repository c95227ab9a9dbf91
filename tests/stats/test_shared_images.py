"""Runs whose test images differ: compared on what they share, or not at all."""

import numpy as np
import pytest
from made_runs import NAMES, write_run
from sklearn.metrics import f1_score

from lightning_imbal.report.terminal import print_runs
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.floors import FLOORS
from lightning_imbal.stats.read_runs import read_runs
from lightning_imbal.stats.shared_images import LEAST, overlap_of, same_images

TESTED = 160


def write_two(folder, shared, **settings):
    """Leaves two runs, the second far better, that share so many of their test images."""
    for number, name in enumerate(("ce", "ldam")):
        first = number * (TESTED - shared)
        write_run(folder / name, TESTED, first, skill=0.5 + 3 * number, noise=number, **settings)
    return [folder / "ce", folder / "ldam"]


def table_of(folders):
    results = read_runs(folders)
    return results, results.cells.set_index(["row", "metric"])


@pytest.mark.parametrize("shared", [0, LEAST - 1])
def test_what_shares_too_little_is_not_compared(tmp_path, capsys, shared):
    folders = write_two(tmp_path, shared)
    results, cells = table_of(folders)
    assert cells["p_value"].isna().all() and cells["mcnemar"].isna().all() and cells["p_best"].isna().all()
    assert not results.winners and results.floors.empty and results.cells["p_floor"].isna().all()
    for folder in folders:
        own = Run(folder)
        assert cells.loc[(folder.name, "f1"), "value"] == pytest.approx(own.score("f1"))
    said = "none of them is" if shared == 0 else "19 of them are"
    sentence = f"The test images differ (ce on 160, ldam on 160), and {said} in all tests, fewer than 20: each number "
    assert results.notes[0].startswith(sentence)
    # The numbers of test images are those of a run, and no sum.
    assert max(results.classes.groupby("row")["images"].sum()) == TESTED
    print_runs(list(map(str, folders)))
    told = " ".join(capsys.readouterr().out.split())
    assert sentence in told and "Bold: this network" not in told and "majority class" not in told
    assert f" {Run(folders[0]).score('f1'):.3f} " in told


def test_enough_shared_images_are_compared_on(tmp_path, capsys):
    folders = write_two(tmp_path, 100)
    results, cells = table_of(folders)
    both = [Run(folder).predictions for folder in folders]
    images = np.intersect1d(both[0].image, both[1].image)
    assert len(images) == 100
    for folder, of_run in zip(folders, both, strict=True):
        kept = np.isin(of_run.image, images)
        want = f1_score(of_run.label[kept], of_run.answers[kept], average="macro")
        assert cells.loc[(folder.name, "f1"), "value"] == pytest.approx(want)
    assert cells.loc[("ldam", "f1"), "p_value"] < 0.05, "it is far better"
    told = (
        "The test images differ (ce on 160, ldam on 160): all numbers here are of the 100 test images that all share."
    )
    assert results.notes[0] == told
    assert results.classes.groupby("row")["images"].sum().tolist() == [100, 100]
    assert set(results.floors["row"]) == set(FLOORS)
    print_runs(list(map(str, folders)))
    said = " ".join(capsys.readouterr().out.split())
    assert told in said and "Bold: this network" in said and f" {cells.loc[('ce', 'f1'), 'value']:.3f} " in said


def test_twenty_are_enough_and_a_class_may_have_none(tmp_path):
    folders = write_two(tmp_path, 400, classes=(0, 1))
    write_run(tmp_path / "third", TESTED, 0, skill=2.0, classes=(1, 2))
    found = overlap_of({name: [Run(tmp_path / name)] for name in ("ce", "third")})
    assert found.suffices and found.absent == ("bkl/lk", "nv")
    assert found.sentences()[0].endswith("that all share. None of them is of bkl/lk, nv.")
    cells = read_runs([folders[0], tmp_path / "third"]).classes.set_index(["row", "class"])
    images = cells["images"].unstack().loc["ce"]
    assert images["mel"] == len(found.images) and not images[["nv", "bkl/lk", "df"]].any()
    write_two(tmp_path / "b", LEAST)
    twenty = overlap_of({name: [Run(tmp_path / "b" / name)] for name in ("ce", "ldam")})
    assert twenty.suffices and len(twenty.images) == LEAST


def test_the_same_images_are_nothing_to_say(tmp_path):
    results, cells = table_of(write_two(tmp_path, TESTED))
    assert "differ (" not in " ".join(results.notes) and cells.loc[("ldam", "f1"), "p_value"] < 0.05
    # In another order they are the same ones; folds that are not there yet are none.
    runs = {fold: Run(tmp_path / f"f{fold}", f"fold {fold}") for fold in range(2)}
    for fold in runs:
        write_run(tmp_path / f"f{fold}", 100, 100 * fold)
    assert overlap_of({"a": [runs[0], runs[1]], "b": [runs[0]]}) is None
    assert overlap_of({"a": [runs[0], runs[1]], "b": [runs[1], runs[0]]}) is None
    assert overlap_of({"a": [runs[0]], "b": [runs[1]]}).images == frozenset()
    assert same_images([runs[0]], [runs[0]]) and not same_images([runs[0]], [runs[1]])


def test_an_image_with_another_label_is_another_one(tmp_path):
    write_run(tmp_path / "a", 100)
    write_run(tmp_path / "b", 100, names=[NAMES[1], NAMES[0], *NAMES[2:]])
    swapped = Run(tmp_path / "b")
    assert overlap_of({"a": [Run(tmp_path / "a")], "b": [swapped]}).absent == ("mel", "nv")


def test_what_has_no_predictions_is_left_out_where_the_others_are_cut(tmp_path):
    folders = write_two(tmp_path, 100)
    write_run(tmp_path / "none", TESTED, predictions=False)
    results = read_runs([*folders, tmp_path / "none"])
    assert "none is left out. It has no predictions of the images that the others" in " ".join(results.notes)
    cells = results.cells.set_index(["row", "metric"])
    assert np.isnan(cells.loc[("none", "f1"), "value"]) and cells.loc[("ldam", "f1"), "p_value"] < 0.05
