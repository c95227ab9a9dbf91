"""Prediction sets of rows, against counting image by image."""

import numpy as np
import pytest
from made_runs import write_run, write_validation

from lightning_imbal.decisions.conformal import prediction_sets
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.decided import labelled
from lightning_imbal.stats.proportions import wilson
from lightning_imbal.stats.set_coverage import sets_of


def write(folder, validation=True, images=400, noise=0, skill=1.5, **settings):
    write_run(folder, images=240, noise=noise, skill=skill, **settings)
    if validation:
        write_validation(folder, images=images, noise=noise, skill=skill)
    return Run(folder)


def counted(run, per_class):
    """Held, size, and whether referred, of the set of every test image."""
    fitted = prediction_sets(labelled(run.validation), 0.1, per_class)
    held, size = [], []
    for label, probability in zip(run.predictions.label, run.predictions.probability, strict=True):
        members = {c for c in range(4) if probability[c] >= fitted.threshold[c]}
        held.append(label in members)
        size.append(len(members))
    return run.predictions.label, np.array(held), np.array(size), np.array(size) != 1


@pytest.mark.parametrize("per_class", [False, True])
def test_of_one_run(tmp_path, per_class):
    run = write(tmp_path / "run")
    sets = sets_of([run], per_class)
    label, held, size, referred = counted(run, per_class)
    for place, rows in enumerate([*(label == c for c in range(4)), label >= 0]):
        share = held[rows].mean()
        assert sets.coverage.value[place] == pytest.approx(share)
        assert sets.mean_size[place] == pytest.approx(size[rows].mean())
        assert sets.referred[place] == pytest.approx(referred[rows].mean())
        interval = sets.coverage.low[place], sets.coverage.high[place]
        assert interval == pytest.approx(wilson(share, rows.sum()), abs=1e-6)
    assert 0.85 < sets.coverage.value[-1] < 0.95 and sets.in_every == []


def test_means_over_seeds(tmp_path):
    runs = [write(tmp_path / f"s{seed}", noise=seed, seed=seed) for seed in range(3)]
    sets, each = sets_of(runs, True), [sets_of([run], True) for run in runs]
    np.testing.assert_allclose(sets.coverage.value, np.mean([one.coverage.value for one in each], axis=0))
    np.testing.assert_allclose(sets.mean_size, np.mean([one.mean_size for one in each], axis=0))
    np.testing.assert_allclose(sets.referred, np.mean([one.referred for one in each], axis=0))


def test_folds_are_calibrated_apart_and_counted_together(tmp_path):
    runs = [
        write(tmp_path / f"f{fold}", first=300 * fold, noise=fold, skill=1 + fold, split={"kind": "K", "fold": fold})
        for fold in range(2)
    ]
    label, held, size, _ = (np.concatenate(both) for both in zip(*(counted(run, False) for run in runs), strict=True))
    sets = sets_of(runs, False)
    assert sets.coverage.value[-1] == pytest.approx(held.mean())
    assert sets.coverage.value[3] == pytest.approx(held[label == 3].mean())
    assert sets.mean_size[-1] == pytest.approx(size.mean())


def test_without_validation_part_there_are_none(tmp_path):
    runs = [write(tmp_path / "with"), write(tmp_path / "without", validation=False, seed=1)]
    assert sets_of(runs[1:], True) is None
    np.testing.assert_array_equal(sets_of(runs, True).mean_size, sets_of(runs[:1], True).mean_size)
    fold = {"kind": "K", "fold": 0}
    folds = [write(tmp_path / "f0", split=fold), write(tmp_path / "f1", validation=False, split=fold | {"fold": 1})]
    assert sets_of(folds, True) is None
    unseen = write(tmp_path / "unseen", predictions=False)
    assert sets_of([unseen], True) is None


def test_classes_that_cannot_be_calibrated_are_in_every_set(tmp_path):
    run = write(tmp_path / "run", images=40)  # 4 of each of the last two classes: 9 are needed
    sets = sets_of([run], True)
    assert sets.in_every == [2, 3]
    assert sets.coverage.value[2:4].tolist() == [1, 1] and (sets.mean_size >= 2).all()
    assert sets_of([run], False).in_every == []


def test_classes_without_test_images(tmp_path):
    sets = sets_of([write(tmp_path / "run", classes=[0, 1])], True)
    assert np.isnan(sets.coverage.value).tolist() == [False, False, True, True, False]
    assert np.isnan(sets.mean_size).tolist() == np.isnan(sets.referred).tolist() == [False, False, True, True, False]
