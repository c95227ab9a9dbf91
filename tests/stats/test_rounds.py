"""Folds are one test: joined before they are scored, whether their predictions or only their confusions are there."""

import numpy as np
import pytest
import torch
from made_predictions import NAMES, long_tailed, make, predicted
from made_runs import write_run

from lightning_imbal.metrics import classification_scores
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.rounds import Round, joined_score, mean_known, predicted_rounds, rounds_of

OF_CONFUSION = ["accuracy", "balanced_accuracy", "f1", "precision", "recall", "scr", "mcc", "kappa", "kendall_tau"]
OF_CONFUSION += ["mean_grade_error", "macro_grade_error", "adjacent_accuracy"]
OF_CONFUSION += ["f1/df", "recall/mel", "precision/bkl/lk"]


def exactly(value):
    return pytest.approx(value, abs=1e-12, rel=0, nan_ok=True)


def cut(whole, places):
    return Round(tuple(make(whole.label[p], whole.probability[p], whole.unit[p], whole.image[p]) for p in places))


def test_scores_of_folds_are_those_of_their_union():
    whole = long_tailed(90)
    folds = cut(whole, np.array_split(np.random.default_rng(0).permutation(90), 4))
    assert sorted(folds.joined.image) == sorted(whole.image)
    assert sum(folds.joined.class_counts) == 4 * sum(whole.class_counts)
    got, expected = folds.scores(OF_CONFUSION), Round((whole,)).scores(OF_CONFUSION)
    assert {key: value.tolist() for key, value in got.items()} == {
        key: exactly(value.tolist()) for key, value in expected.items()
    }


def test_what_ranks_or_bins_probabilities_is_averaged_over_the_folds():
    whole = long_tailed(90)
    places = np.array_split(np.random.default_rng(0).permutation(90), 3)
    folds, weight = cut(whole, places), np.random.default_rng(1).integers(0, 3, (7, 90))
    got = folds.scores(["ece", "f1", "auc"], weight)
    assert list(got) == ["ece", "f1", "auc"]
    parts = np.split(weight, np.cumsum([len(place) for place in places])[:-1], axis=1)
    for key in ("auc", "ece"):
        alone = [Round((fold,)).scores([key], part)[key] for fold, part in zip(folds.folds, parts, strict=True)]
        assert got[key] == exactly(np.mean(alone, axis=0))


def test_a_class_is_ranked_in_the_folds_that_have_it():
    label = np.array([0, 0, 1, 3, 0, 1, 1, 0, 1, 3])
    whole = make(label, long_tailed(10).probability)
    folds = cut(whole, (np.arange(4), np.arange(4, 7), np.arange(7, 10)))
    keys = ["auc/df", "ap/df", "pauc/df", "ap/nv", "auc/bkl/lk", "cce/df"]
    got = folds.scores(keys)
    alone = [Round((fold,)).scores(keys) for fold in folds.folds]
    for key in ("auc/df", "ap/df", "pauc/df"):
        assert got[key] == exactly(np.mean([alone[0][key], alone[2][key]], axis=0)), key
    for key in ("ap/nv", "cce/df"):
        assert got[key] == exactly(np.mean([each[key] for each in alone], axis=0)), key
    assert got["auc/bkl/lk"] == 0.5
    assert got["ap/nv"] != pytest.approx(Round((whole,)).scores(["ap/nv"])["ap/nv"])


def test_errors_of_images_are_joined():
    whole = long_tailed(90)
    folds = cut(whole, (np.arange(20), np.arange(20, 90)))
    got, expected = (each.scores(["brier", "log_loss"]) for each in (folds, Round((whole,))))
    assert all(got[key] == exactly(expected[key].tolist()) for key in ("brier", "log_loss"))


def test_a_class_of_four_images_in_five_folds_is_found_whole():
    """Averaged over the folds, a perfect classifier had an F1 of 0.8 there."""
    label = np.repeat([0, 1, 3], [20, 10, 4])
    fold = np.arange(len(label)) % 5
    folds = [
        predicted(label[fold == k], label[fold == k], image=[f"i{n}" for n in np.flatnonzero(fold == k)])
        for k in range(5)
    ]
    assert min((run.label == 3).sum() for run in folds) == 0
    scores = Round(tuple(folds)).scores(["accuracy", "balanced_accuracy", "f1/df", "recall/df", "mcc", "auc"])
    assert {key: value.item() for key, value in scores.items()} == dict.fromkeys(scores, exactly(1.0))


def test_groups_of_one_image_are_taken_out_of_every_fold():
    whole = long_tailed(40)
    folds = cut(whole, (np.arange(25), np.arange(25, 40)))
    alone = np.arange(40) % 3 == 0
    for fold, part in zip(folds.folds, (alone[:25], alone[25:]), strict=True):
        fold.alone[:] = part
    assert folds.only(True).joined.image.tolist() == whole.image[alone].tolist()
    assert folds.only(False).joined.image.tolist() == whole.image[~alone].tolist()


def split(fold=None, seed=None):
    return {"kind": "KFold", "seed": seed} | ({} if fold is None else {"fold": fold})


def test_which_runs_are_one_round(tmp_path):
    made = [split(0), split(1), split(0), split(), split(), split(1, seed=7), split(1)]
    for place, each in enumerate(made):
        write_run(tmp_path / str(place), images=20, predictions=False, split=each, seed=0)
    write_run(tmp_path / "other seed", images=20, predictions=False, split=split(1), seed=5)
    runs = [Run(tmp_path / name) for name in [*map(str, range(len(made))), "other seed"]]
    names = [[run.folder.name for run in folds] for folds in rounds_of(runs)]
    assert names == [["0", "1"], ["2", "6"], ["3"], ["4"], ["5"], ["other seed"]]


def test_folds_with_seeds_of_their_own_are_one_round(tmp_path):
    for fold in range(3):
        write_run(tmp_path / str(fold), images=20, predictions=False, split=split(fold), seed=fold)
    [together] = rounds_of([Run(tmp_path / str(fold)) for fold in range(3)])
    assert [run.folder.name for run in together] == ["0", "1", "2"]
    for seed in range(3):
        write_run(tmp_path / f"seed {seed}", images=20, predictions=False, split=split(0), seed=seed)
    assert len(rounds_of([Run(tmp_path / f"seed {seed}") for seed in range(3)])) == 3


def test_folds_of_two_seeds_are_not_mixed_where_some_are_missing(tmp_path):
    made = [(0, 0), (0, 2), (5, 0), (5, 1)]
    for seed, fold in made:
        write_run(tmp_path / f"{seed} {fold}", images=20, predictions=False, split=split(fold), seed=seed)
    runs = [Run(tmp_path / f"{seed} {fold}") for seed, fold in made]
    assert [[run.folder.name for run in folds] for folds in rounds_of(runs)] == [["0 0", "0 2"], ["5 0", "5 1"]]


def test_scores_without_predictions_are_those_of_the_joined_confusions(tmp_path):
    keys = [*OF_CONFUSION, "group_f1/minor", "group_recall/major"]
    runs = []
    for k in range(3):
        write_run(tmp_path / str(k), images=60, first=60 * k, noise=k, split=split(k))
        runs.append(Run(tmp_path / str(k)))
    label = torch.from_numpy(np.concatenate([run.predictions.label for run in runs]))
    probability = torch.from_numpy(np.concatenate([run.predictions.probability for run in runs]))
    counts = runs[0].predictions.class_counts
    groups = {group: list(names) for group, names in runs[0].predictions.groups.items()}
    expected = classification_scores(probability, label, list(counts), list(NAMES), groups)
    for run in runs:
        (run.folder / "predictions.parquet").unlink()
    for key in keys:
        assert joined_score(runs, key) == pytest.approx(expected[key], abs=1e-6), key
        assert joined_score(runs[:1], key) == runs[0].score(key)
    for key in ("auc", "ece"):
        assert joined_score(runs, key) == exactly(np.mean([run.score(key) for run in runs]))
    assert joined_score(runs, "f1/df") != pytest.approx(np.mean([run.score("f1/df") for run in runs]), abs=1e-3)


@pytest.mark.parametrize("predictions", [True, False])
def test_scores_by_probability_are_the_same_without_predictions(tmp_path, predictions):
    """Of folds of unlike size, one of which lacks a class."""
    for k, (images, classes) in enumerate([(40, range(4)), (90, range(3)), (60, range(4))]):
        write_run(tmp_path / str(k), images=images, first=100 * k, noise=k, split=split(k), classes=classes)
    runs = [Run(tmp_path / str(k)) for k in range(3)]
    keys = ["ap", "sensitivity_at_95", "cce", "brier", "log_loss", "auc/df", "specificity_at_90/df", "cce/df"]
    expected = Round(tuple(run.predictions for run in runs)).scores(keys)
    if not predictions:
        for run in runs:
            (run.folder / "predictions.parquet").unlink()
    for key in keys:
        assert joined_score(runs, key) == pytest.approx(expected[key].item(), abs=1e-6), key
    assert runs[1].score("auc/df") == 0.5
    assert joined_score(runs, "brier") != pytest.approx(np.mean([run.score("brier") for run in runs]), abs=1e-4)


@pytest.mark.parametrize("key", ["auc", "ap/nv"])
def test_what_ranks_is_not_known_where_one_fold_is_older(tmp_path, key):
    for k in range(2):
        write_run(tmp_path / str(k), images=30, first=30 * k, split=split(k))
    runs = [Run(tmp_path / str(k)) for k in range(2)]
    del runs[1].results["summary"]["auc"], runs[1].results["classes"][0]["ap"]
    assert np.isnan(joined_score(runs, key))


def test_a_score_that_one_fold_is_older_than_is_not_known(tmp_path):
    for k in range(2):
        write_run(tmp_path / str(k), images=30, first=30 * k, split=split(k))
    runs = [Run(tmp_path / str(k)) for k in range(2)]
    del runs[1].results["summary"]["mcc"]
    assert np.isnan(joined_score(runs, "mcc")) and not np.isnan(joined_score(runs, "f1"))


def test_mean_of_what_is_known():
    nan = np.nan
    found = mean_known([np.array([1.0, nan, nan]), np.array([3.0, 5.0, nan])])
    assert found.tolist() == exactly([2.0, 5.0, nan])


def test_rounds_of_which_a_fold_has_no_predictions_are_left_out(tmp_path):
    runs = []
    for seed in (0, 1):
        for fold in (0, 1):
            folder, split = tmp_path / f"s{seed}f{fold}", {"kind": "KFold", "folds": 2, "fold": fold}
            write_run(folder, 40, first=40 * fold, seed=seed, split=split, predictions=(seed, fold) != (0, 1))
            runs.append(Run(folder))
    [whole] = predicted_rounds(runs)
    assert [fold.image.tolist() for fold in whole.folds] == [run.predictions.image.tolist() for run in runs[2:]]
    assert predicted_rounds(runs[1:2]) == []
