"""Means of several runs by hand, folds as one, and what does not fit together."""

import numpy as np
import pytest
import torch
from made_runs import COUNTS, NAMES, write_run, write_split, write_test, write_validation

from lightning_imbal.errors import UserError
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.ensemble import ensemble
from lightning_imbal.stats.members import identity_of

A, B = [[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]], [[0.0, 0.0, 1.0, 0.0], [0.75, 0.25, 0.0, 0.0]]


def fold(number, of=3, seed=0, **more):
    return {"kind": "KFold", "folds": of, "fold": number, "seed": seed} | more


def write(folder, probability, label=(0, 1), number=(0, 1), **more):
    write_test(folder, torch.tensor(probability), np.array(label), np.array(number), **more)
    return Run(folder)


def folds_of(tmp_path, seeds=(0,), of=3):
    runs = []
    for seed in seeds:
        for k in range(of):
            folder = tmp_path / f"seed{seed}+fold{k}"
            write_run(folder, images=20, first=20 * k, noise=10 * seed + k, seed=seed, split=fold(k, of))
            runs.append(Run(folder))
    return runs


def row_of(predictions, image):
    return predictions.probability[predictions.image.tolist().index(image)]


def refused(runs, *words):
    with pytest.raises(UserError) as told:
        ensemble(runs)
    assert all(str(word) in str(told.value) for word in words), told.value


def test_mean_by_hand(tmp_path):
    found = ensemble([write(tmp_path / "a", A), write(tmp_path / "b", B[::-1], label=(1, 0), number=(1, 0))])
    assert found.predictions.image.tolist() == ["ISIC_0000", "ISIC_0001"]
    assert found.predictions.probability.tolist() == [[0.25, 0.25, 0.5, 0.0], [0.5, 0.25, 0.125, 0.125]]
    assert found.predictions.label.tolist() == [0, 1] and found.predictions.class_counts == tuple(COUNTS)


def test_classes_in_another_order_are_put_into_that_of_the_first(tmp_path):
    order = [2, 0, 3, 1]
    other = [[row[place] for place in order] for row in B]
    more = {"names": [NAMES[place] for place in order], "counts": [COUNTS[place] for place in order]}
    runs = [write(tmp_path / "a", A), write(tmp_path / "b", other, label=(1, 3), **more)]
    found = ensemble(runs).predictions
    assert found.class_names == tuple(NAMES) and found.class_counts == tuple(COUNTS)
    assert found.probability.tolist() == [[0.25, 0.25, 0.5, 0.0], [0.5, 0.25, 0.125, 0.125]]
    assert found.label.tolist() == [0, 1]


def test_folds_are_one_test(tmp_path):
    runs = folds_of(tmp_path)
    found = ensemble(runs[::-1])
    assert sorted(found.predictions.image) == [f"ISIC_{number:04d}" for number in range(60)]
    for run in runs:
        for image, expected in zip(run.predictions.image, run.predictions.probability, strict=True):
            assert np.array_equal(row_of(found.predictions, image), expected)
    assert found.predictions.class_counts == tuple(COUNTS)  # each fold was trained on so many
    assert [len(folds) for folds in found.rounds] == [3]
    assert set(found.split["part"]) == {"test"} and len(found.split) == 60


def test_seeds_of_folds_are_averaged_for_each_image(tmp_path):
    runs = folds_of(tmp_path, seeds=(0, 1))
    found = ensemble(runs).predictions
    assert len(found.image) == 60
    for first, second in zip(runs[:3], runs[3:], strict=True):
        for row, image in enumerate(first.predictions.image):
            expected = (first.predictions.probability[row] + second.predictions.probability[row]) / 2
            assert row_of(found, image) == pytest.approx(expected, abs=1e-15)


def test_seeds_of_one_fold_are_averaged(tmp_path):
    runs = [write(tmp_path / f"{seed}", A, seed=seed, split=fold(1)) for seed in range(2)]
    made = ensemble(runs)
    assert made.predictions.probability.tolist() == A
    assert identity_of(made, "x")["split"] == fold(1)


def test_lesions_are_those_of_the_split(tmp_path):
    for name in "ab":
        write_run(tmp_path / name, images=20, noise=ord(name))
        write_split(tmp_path / name, of_group=4)
    made = ensemble([Run(tmp_path / "a"), Run(tmp_path / "b")])
    assert made.split.equals(Run(tmp_path / "a").split())
    assert len(set(made.predictions.unit)) == 5 and made.predictions.grouped.all()


def test_what_is_known_of_the_members_is_carried_over(tmp_path):
    about = {"trained_images": 2, "chosen_by": {"epoch": "val/f1"}, "data_remarks": ["No masks.", "Two joined."]}
    runs = [
        write(tmp_path / "a", A, backbone="resnet18", data_remarks=["No masks."], split_digest="1"),
        write(tmp_path / "b", B, backbone="resnet50", seed=4, split_digest="1", **about),
    ]
    made = ensemble(runs)
    found = identity_of(made, "both")
    assert found["name"] == "both" and found["backbone"] == "resnet18, resnet50" and found["method"] == "Classifier"
    assert found["seed"] is None and found["split_digest"] == "1" and found["part"] == "test"
    assert found["trained_images"] == 2 and found["chosen_by"] == {"epoch": "val/f1"}
    assert found["data_remarks"] == ["No masks.", "Two joined."]
    assert [(each["name"], each["seed"]) for each in found["members"]] == [("a", 0), ("b", 4)]
    assert len({each["sha256"] for each in found["members"]}) == 2


def test_groups_on_both_sides_of_a_fold_are_told(tmp_path):
    runs = folds_of(tmp_path)
    assert identity_of(ensemble(runs), "x")["data_remarks"] == []
    for k, run in enumerate(runs):
        (run.folder / "stage1").mkdir()
        # Images 18 to 21 are of one lesion, of which the first two folds have tested two each; so on at 38 to 41.
        rows = [f"ISIC_{n:04d},nv,{(n + 2) // 4},{'test' if n // 20 == k else 'train'}" for n in range(60)]
        (run.folder / "stage1" / "split.csv").write_text("\n".join(["image,class,group,part", *rows, ""]))
    [told] = identity_of(ensemble([Run(run.folder) for run in runs]), "x")["data_remarks"]
    assert told.startswith("8 of 60 test images are of a group")


def test_other_images_are_counted(tmp_path):
    runs = [write(tmp_path / "a", A), write(tmp_path / "b", [A[0]] * 3, label=[0] * 3, number=[0, 3, 4])]
    one, two = "1 image, such as ISIC_0001, only by", "2 images, such as ISIC_0003, only by"
    refused(runs, f"{one} {runs[0].folder}", f"{two} {runs[1].folder}", "not tested on the same images")


def test_an_image_of_two_labels_is_named(tmp_path):
    runs = [write(tmp_path / "a", A), write(tmp_path / "b", A, label=(0, 3))]
    refused(runs, f"ISIC_0001 is mel in {runs[0].folder} and df in {runs[1].folder}")


def test_a_class_that_one_has_not_is_named(tmp_path):
    runs = [write(tmp_path / "a", A), write(tmp_path / "b", A, names=["nv", "mel", "bkl/lk", "ak"], groups={})]
    refused(runs, f"{runs[1].folder} has the class 'ak', which {runs[0].folder} has not")
    fewer = [[0.5, 0.5, 0.0]] * 2
    runs[1] = write(tmp_path / "c", fewer, names=NAMES[:3], counts=COUNTS[:3], groups={})
    refused(runs, f"{runs[0].folder} has the class 'df', which {runs[1].folder} has not")


def test_a_missing_fold_is_named(tmp_path):
    runs = folds_of(tmp_path, seeds=(0, 1), of=3)
    refused([runs[0], runs[2]], "fold 2 of 3 (--data.split.fold 1) is missing", runs[0].folder, runs[2].folder)
    refused(runs[:-1], "fold 3 of 3 (--data.split.fold 2) is missing", runs[3].folder)
    refused([*runs[:3], runs[3]], "fold 2 of 3", runs[3].folder)


def test_official_folds_are_complete_if_every_image_was_tested(tmp_path):
    runs = folds_of(tmp_path)
    for k, run in enumerate(runs):
        del run.results["identity"]["split"]["folds"]
        (run.folder / "stage1").mkdir()
        rows = [f"ISIC_{n:04d},nv,{'test' if n // 20 == k else 'train'}" for n in range(60)]
        (run.folder / "stage1" / "split.csv").write_text("\n".join(["image,class,part", *rows, ""]))
    assert len(ensemble(runs).predictions.image) == 60
    refused(runs[:2], "No fold beside", "has tested ISIC_0040, and 19 more")
    refused(runs[1:], "fold 1 of 3")


def test_folds_that_share_an_image_are_refused(tmp_path):
    runs = [write(tmp_path / f"{k}", A, split=fold(k, of=2)) for k in range(2)]
    refused(runs, f"{runs[1].folder} and {runs[0].folder} have both tested ISIC_0000, and 1 more image")


def test_a_run_beside_folds_is_refused(tmp_path):
    runs = [*folds_of(tmp_path), write(tmp_path / "whole", A, label=(0, 0))]
    found = np.random.default_rng(0).permutation(np.resize([0, 0, 0, 0, 1, 1, 2, 3], 2000))[:2]
    runs[-1] = write(tmp_path / "whole", A, label=found)
    refused(runs, f"{tmp_path / 'whole'} is no fold of a cross-validation")


def test_fewer_than_two_are_refused(tmp_path):
    run = write(tmp_path / "a", A)
    refused([run], "two runs or more")
    refused([run, Run(tmp_path / "." / "a")], "given twice")


def test_another_part_is_refused(tmp_path):
    runs = [write(tmp_path / "a", A), write(tmp_path / "b", A, part="val")]
    refused(runs, f"{runs[1].folder} was evaluated on the val part", runs[0].folder)


def test_pooled_and_single_images_are_not_mixed(tmp_path):
    refused([write(tmp_path / "a", A), write(tmp_path / "b", A, pool="mean")], "not pooled alike")


def test_a_run_without_predictions_is_refused(tmp_path):
    runs = [write(tmp_path / "a", A), write(tmp_path / "b", A, predictions=False)]
    refused(runs, f"{runs[1].folder} has no predictions.parquet")


def test_validation_images_are_averaged_where_all_runs_predicted_the_same(tmp_path):
    for seed in range(2):
        write_run(tmp_path / f"seed{seed}", images=20, noise=seed)
        write_validation(tmp_path / f"seed{seed}", images=40, noise=seed)
    runs = [Run(tmp_path / f"seed{seed}") for seed in range(2)]
    mean = np.mean([run.validation.probability for run in runs], axis=0)
    assert ensemble(runs).validation.probability == pytest.approx(mean)
    write_validation(tmp_path / "seed1", images=39)
    assert ensemble([Run(run.folder) for run in runs]).validation is None
    (tmp_path / "seed1" / "predictions_val.parquet").unlink()
    assert ensemble([Run(run.folder) for run in runs]).validation is None
