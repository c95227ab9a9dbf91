"""Probabilities of networks that have not seen an image: folds together, seeds averaged, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import torch
from made_folds import flipped, names, write_folds, write_split
from made_runs import NAMES, write_test

from lightning_imbal.cli import main
from lightning_imbal.errors import UserError
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.held_out import held_out

PROBABILITY, LABEL, _ = flipped(60)
OTHER, *_ = flipped(60, seed=1)


def write(folder, number, part="test", **more):
    number = np.array(number)
    write_test(folder, torch.tensor(PROBABILITY[number]), LABEL[number], number, part=part, **more)
    return Run(folder)


def validated(folder, number):
    """Leaves the predictions of these images as those of the validation part."""
    table = pd.DataFrame(np.log(OTHER[number]), columns=[f"logit/{name}" for name in NAMES])
    table.insert(0, "image", names(number))
    table.insert(1, "label", np.array(NAMES)[LABEL[number]])
    table.to_parquet(folder / "predictions_val.parquet")


def holdout(folder):
    """A run that was trained on 30 images, validated on 10 and tested on 20."""
    run = write(folder, range(40, 60))
    write_split(folder, LABEL, ["train"] * 30 + ["val"] * 10 + ["test"] * 20)
    return run


def refused(runs, *words):
    with pytest.raises(UserError) as told:
        held_out(runs)
    assert all(str(word) in str(told.value) for word in words), told.value


def test_folds_look_at_each_image_once(tmp_path):
    found = held_out(write_folds(tmp_path, PROBABILITY, LABEL))
    order = [names(range(60)).index(image) for image in found.images.image]
    assert sorted(order) == list(range(60)) and np.allclose(found.images.probability, PROBABILITY[order], atol=1e-7)
    assert np.array_equal(found.images.label, LABEL[order])
    assert found.all_images.tolist() == np.bincount(LABEL, minlength=4).tolist()
    assert found.notes[0].startswith("Looked at 60 of 60 images (100%),") and "No group" in found.notes[1]


def test_seeds_of_a_fold_are_averaged(tmp_path):
    runs = write_folds(tmp_path, PROBABILITY, LABEL) + write_folds(tmp_path, OTHER, LABEL, seed=1)
    found = held_out(runs)
    order = [names(range(60)).index(image) for image in found.images.image]
    assert len(order) == 60 and np.allclose(found.images.probability, (PROBABILITY + OTHER)[order] / 2, atol=1e-7)


def test_of_one_holdout_the_rest_is_told(tmp_path):
    found = held_out([holdout(tmp_path)])
    assert found.images.image.tolist() == names(range(40, 60))
    assert found.notes[0].startswith("Looked at 20 of 60 images (33%), each")
    assert "other 40, which were trained on" in found.notes[1] and "--folds 5" in found.notes[1]


def test_validation_images_are_taken_where_none_was_tested(tmp_path):
    run, other = holdout(tmp_path / "a"), write(tmp_path / "b", range(35, 45))
    validated(tmp_path / "a", np.arange(30, 40))
    write_split(tmp_path / "b", LABEL, ["train"] * 35 + ["test"] * 10 + ["train"] * 15)
    found = held_out([run, other])
    assert sorted(found.images.image) == names(range(30, 60))
    probability = dict(zip(found.images.image, found.images.probability, strict=True))
    assert np.allclose(probability["ISIC_0034"], OTHER[34], atol=1e-7)
    assert np.allclose(probability["ISIC_0035"], PROBABILITY[35], atol=1e-7), "what was tested counts alone"
    assert "(50%), 5 of them in a validation part" in found.notes[0]


def test_images_that_were_trained_on_are_never_looked_at(tmp_path):
    run = holdout(tmp_path)
    write_split(tmp_path, LABEL, ["train"] * 45 + ["test"] * 15, stage="stage2")
    write_split(tmp_path, LABEL, ["train"] * 40 + ["test"] * 20, stage="stage3")
    found = held_out([run])
    assert found.images.image.tolist() == names(range(45, 60))
    assert "Left out: 5 predictions of images that the network had learned from." in found.notes


def test_without_a_split_nothing_is_verified(tmp_path):
    found = held_out([write(tmp_path, range(20))])
    assert found.all_images is None and "how many there are is not known" in found.notes[0]
    assert "Not verified" in found.notes[1] and str(tmp_path) in found.notes[1]


def test_groups_on_both_sides_are_told(tmp_path):
    runs = write_folds(tmp_path, PROBABILITY, LABEL, group=[f"lesion {row // 2}" for row in range(60)])
    assert "60 test images are of a group (lesion, patient) that was also trained on" in " ".join(held_out(runs).notes)


def test_an_ensemble_of_folds_says_the_same(tmp_path):
    runs = write_folds(tmp_path / "folds", PROBABILITY, LABEL, group=[f"lesion {row // 2}" for row in range(60)])
    command = ["ensemble", *(str(run.folder) for run in runs), "--run_dir", str(tmp_path / "all")]
    assert main(command) == 0
    found, expected = held_out([Run(tmp_path / "all")]), held_out(runs)
    assert found.images.image.tolist() == expected.images.image.tolist()
    assert np.allclose(found.images.probability, expected.images.probability, atol=1e-6)
    assert "60 of 60 test images are of a group (lesion, patient) that was also trained on" in " ".join(found.notes)


def test_other_labels_than_those_of_the_training_are_told(tmp_path):
    run = holdout(tmp_path)
    write_split(tmp_path, np.where(np.arange(60) == 50, (LABEL + 1) % 4, LABEL), ["train"] * 40 + ["test"] * 20)
    assert "tested with other labels than it was trained with (1 image)" in " ".join(held_out([run]).notes)


def test_what_does_not_fit_together_is_refused(tmp_path):
    run = holdout(tmp_path / "a")
    refused([run, Run(tmp_path / "a")], "given twice")
    other = write(tmp_path / "b", range(30, 50))
    write_split(tmp_path / "b", np.where(np.arange(60) == 3, (LABEL + 1) % 4, LABEL), ["train"] * 30 + ["test"] * 30)
    refused([run, other], f"ISIC_0003 is {NAMES[LABEL[3]]} in", "0 more images are of another class", "label file")
    write_split(tmp_path / "b", LABEL[:50], ["train"] * 30 + ["test"] * 20)
    refused([run, other], "not of the same images (10 images in one alone, such as ISIC_0050)")
    classes = write(tmp_path / "c", range(20), names=["nv", "mel", "bkl/lk", "vasc"], groups={})
    refused([run, classes], "has the class 'vasc'")
    flip = Run(tmp_path / "d")
    write_test(flip.folder, torch.tensor(PROBABILITY[40:]), (LABEL[40:] + 1) % 4, np.arange(40, 60))
    refused([run, flip], "give runs on the same labels")


def test_what_says_nothing_of_single_images_is_refused(tmp_path):
    refused([write(tmp_path / "a", range(20), predictions=False)], "no predictions.parquet")
    refused([write(tmp_path / "b", range(20), pool="mean")], "--pool")
    refused([write(tmp_path / "c", range(20), trained_images=7)], "trained on 7 of its test images")
    diverged = write(tmp_path / "d", range(20))
    table = pd.read_parquet(tmp_path / "d" / "predictions.parquet")
    table.loc[3, [f"probability/{name}" for name in NAMES]] = np.nan
    table.to_parquet(tmp_path / "d" / "predictions.parquet")
    refused([diverged], "no probabilities for 1 image (NaN)")
    run = holdout(tmp_path / "e")
    write_split(tmp_path / "e", LABEL, ["train"] * 60, stage="stage0")
    refused([run], "trained on all images")
