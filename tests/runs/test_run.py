"""What a run's files say: predictions and their groups, scores of older runs, stages."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from made_runs import NAMES as CLASSES
from made_runs import write_run, write_stage

from lightning_imbal.errors import UserError
from lightning_imbal.runs.predictions import labels_of, mean_probability
from lightning_imbal.runs.run import Run, by_size, caveats_of

NAMES = ("nv", "mel", "bkl/lk", "df")
COUNTS = (400, 60, 30, 7)
GROUPS = {"major": ("nv",), "middle": ("bkl/lk", "mel"), "minor": ("df",)}
IDENTITY = {"name": "ce", "data": "ISIC2018", "split": {"kind": "Holdout"}, "part": "test", "versions": {}}
IMAGES = ["007", "12", "NA", "a", "b"]


def write_results(folder, image=IMAGES, finished=True):
    folder.mkdir(parents=True, exist_ok=True)
    probability = np.random.default_rng(0).dirichlet(np.ones(4), len(image)).astype(np.float32)
    table = pd.DataFrame(probability, columns=[f"probability/{name}" for name in NAMES])
    table.insert(0, "image", image)
    label = [3, 0, 2, 0, 1][: len(image)]
    table.insert(1, "label", [NAMES[number] for number in label])
    table.to_parquet(folder / "predictions.parquet")
    classes = [
        {"name": name, "train_images": count, "images": label.count(number)}
        for number, (name, count) in enumerate(zip(NAMES, COUNTS, strict=True))
    ]
    groups = {group: {"classes": list(members), "f1": 0.5} for group, members in GROUPS.items()}
    confusion = np.zeros((4, 4), int)
    np.add.at(confusion, (label, probability.argmax(axis=1)), 1)
    results = {"identity": IDENTITY, "summary": {}, "classes": classes, "groups": groups}
    if finished:
        (folder / "metrics.json").write_text(json.dumps(results | {"confusion": confusion.tolist()}))
    return probability


def write_split(folder, group):
    folder.mkdir(parents=True)
    columns = {"image": [*IMAGES[:4], "train"], "class": "nv", "group": group, "part": "test"}
    table = pd.DataFrame({name: column for name, column in columns.items() if column is not None})
    table.to_csv(folder / "split.csv", index=False)


def test_predictions_are_read_as_they_were_written(tmp_path):
    probability = write_results(tmp_path)
    got = Run(tmp_path).predictions
    assert got.image.tolist() == IMAGES
    assert got.label.tolist() == [3, 0, 2, 0, 1] and got.label.dtype == np.int64
    assert got.probability.dtype == np.float64 and (got.probability == probability).all()
    assert (got.class_names, got.class_counts, got.groups) == (NAMES, COUNTS, GROUPS)
    assert got.unit.tolist() == [f"image {image}" for image in IMAGES]


def test_units_are_the_groups_of_the_last_stage(tmp_path):
    write_results(tmp_path, image=IMAGES[:4])
    write_results(tmp_path / "test_of_other_data")
    write_split(tmp_path / "stage1", group=["x", "x", "x", "x", "x"])
    write_split(tmp_path / "stage2", group=["01", "NA", "01", None, "y"])
    # "a" has an empty group, "b" is not in the file.
    units = ["01", "NA", "01", "image a", "image b"]
    assert Run(tmp_path).predictions.unit.tolist() == units[:4]
    assert Run(tmp_path / "test_of_other_data").predictions.unit.tolist() == units


def test_split_without_groups(tmp_path):
    write_results(tmp_path, image=IMAGES[:4])
    write_split(tmp_path / "stage1", group=None)
    assert Run(tmp_path).predictions.unit.tolist() == [f"image {image}" for image in IMAGES[:4]]


@pytest.mark.parametrize("side", ["plain", "test_messidor2", "test/plain"])
def test_units_of_a_folder_inside_a_run_are_those_of_the_run(side, tmp_path, monkeypatch):
    write_results(tmp_path / "run" / side, image=IMAGES[1:4])
    write_split(tmp_path / "run" / "stage1", group=["p", "q", "q", "q", "r"])
    assert Run(tmp_path / "run" / side).predictions.unit.tolist() == ["q", "q", "q"]
    monkeypatch.chdir(tmp_path / "run" / side)
    assert Run(type(tmp_path)(".")).predictions.unit.tolist() == ["q", "q", "q"]


def test_numbers_as_ids_are_text(tmp_path):
    write_results(tmp_path / "test", image=[7, 12, 5])
    write_split(tmp_path / "stage1", group=["p", "q", "q", "q", "r"])
    got = Run(tmp_path / "test").predictions
    assert got.image.tolist() == ["7", "12", "5"]
    assert got.unit.tolist() == ["image 7", "q", "image 5"]


def test_run_that_is_not_finished(tmp_path):
    assert Run(tmp_path).predictions is None
    write_results(tmp_path, finished=False)
    with pytest.raises(UserError, match=r"no metrics\.json: finish the run"):
        _ = Run(tmp_path).predictions


def test_mean_over_the_runs_that_tested_an_image(tmp_path):
    first, second = (tmp_path / name for name in ("first", "second"))
    write_results(first, image=IMAGES[:3])
    write_results(second, image=IMAGES[1:4])
    runs = [Run(folder).predictions for folder in (first, second)]
    runs[1].label[:] = [0, 2, 1]  # the same images have the same labels
    assert labels_of(runs).to_dict() == {"007": 3, "12": 0, "NA": 2, "a": 1}
    expected = np.array(
        [
            runs[0].probability[0],
            (runs[0].probability[1] + runs[1].probability[0]) / 2,
            (runs[0].probability[2] + runs[1].probability[1]) / 2,
            runs[1].probability[2],
        ]
    )
    assert mean_probability(runs) == pytest.approx(expected, abs=1e-15)


def without(folder, *path):
    """Takes a score out of the results of a run, as an older program has left them."""
    results = json.loads((folder / "metrics.json").read_text())
    *above, key = path
    place = results
    for step in above:
        place = place[step]
    del place[key]
    (folder / "metrics.json").write_text(json.dumps(results))


def test_scores_are_those_of_the_file(tmp_path):
    write_run(tmp_path)
    run = Run(tmp_path)
    assert run.score("kappa") == run.results["summary"]["kappa"]
    assert run.score("recall") == run.results["summary"]["recall"]
    assert run.score("f1/bkl/lk") == run.results["classes"][CLASSES.index("bkl/lk")]["f1"]
    assert run.score("ap/nv") == run.results["classes"][0]["ap"] != run.score("ap")
    assert run.score("group_f1/minor") == run.results["groups"]["minor"]["f1"]


@pytest.mark.parametrize(
    "key, path",
    [
        ("kappa", ["summary", "kappa"]),
        ("precision/nv", ["classes", 0, "precision"]),
        ("sensitivity_at_95/nv", ["classes", 0, "sensitivity_at_95"]),
        ("group_f1/minor", ["groups", "minor", "f1"]),
    ],
)
def test_score_that_an_older_run_lacks_is_nan(tmp_path, key, path):
    write_run(tmp_path)
    without(tmp_path, *path)
    assert np.isnan(Run(tmp_path).score(key))


@pytest.mark.parametrize(
    "key", ["kapa", "f1/melanoma", "group_f1/tail", "group_precision/minor", "f1/", "auc/nevus", "kappa/nv"]
)
def test_what_is_no_score_is_refused(tmp_path, key):
    write_run(tmp_path)
    with pytest.raises(UserError, match=f"has no score '{key}', which the table asks for"):
        Run(tmp_path).score(key)


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no finished run"):
        Run(tmp_path).check_finished()
    with pytest.raises(UserError, match="holds no finished run"):
        _ = Run(tmp_path).identity


def test_checkpoint_is_that_of_the_last_stage(tmp_path):
    assert Run(tmp_path).best_checkpoint == tmp_path / "stage1" / "checkpoints" / "best.ckpt"
    for name in ("stage1", "stage2"):
        write_stage(tmp_path / name)
    assert [stage.name for stage in Run(tmp_path).stages] == ["stage1", "stage2"]
    for folder in (tmp_path, tmp_path / "test" / "plain"):
        assert Run(folder).best_checkpoint == tmp_path / "stage2" / "checkpoints" / "best.ckpt"


def test_a_stage_that_has_not_begun_has_no_curves(tmp_path):
    (tmp_path / "stage1").mkdir()
    [stage] = Run(tmp_path).stages
    assert stage.curves() is None and stage.split() is None and Run(tmp_path).split() is None
    write_stage(stage.folder, epochs=3)
    assert stage.config()["trainer"] == {"max_epochs": 3}
    assert stage.curves()["epoch"].max() == 3


def test_classes_by_size_keep_their_order_if_tied():
    rows = [{"name": name, "train_images": images} for name, images in {"a": 5, "b": 9, "c": 5}.items()]
    assert [row["name"] for row in by_size(rows)] == ["b", "a", "c"]


def test_scores_are_read_without_pandas(tmp_path):
    write_run(tmp_path)
    read = f"import sys; from lightning_imbal.runs.run import Run; print(Run({str(tmp_path)!r}).score('f1')); "
    read += "print({'numpy', 'pandas', 'torch'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", read], capture_output=True, text=True, check=True).stdout.split()
    assert told == [str(Run(tmp_path).score("f1")), "set()"]


def test_what_was_left_out_is_said():
    results = {"identity": {"name": "a", "part": "test", "data_remarks": ["b is left out."]}, "classes": []}
    assert caveats_of(results) == ["b is left out."]


def test_why_scores_are_too_good_is_said_as_far_as_it_is_known():
    results = {"identity": {"name": "ce", "part": "val"}, "classes": [{"images": 3}, {"images": 4}]}
    assert caveats_of(results) == []  # of an older version
    results["identity"] |= {"trained_images": 0, "chosen_by": {}}
    assert caveats_of(results) == []
    results["identity"] |= {"trained_images": 2, "chosen_by": {"epoch": "val/f1", "tau": "balanced accuracy"}}
    assert caveats_of(results) == [
        "ce: 2 of the 7 val images were trained on, the scores say nothing of new images.",
        "ce has chosen its epoch by val/f1 and its tau by balanced accuracy on this very val part, so that the scores "
        "are too good; those of the test part are not.",
    ]
