"""What belongs together in the predictions of runs: units over all parts, an image over several runs."""

import numpy as np
import pandas as pd

from lightning_imbal.runs.predictions import as_predictions, labels_of, mean_probability

RESULTS = {
    "classes": [{"name": "nv", "train_images": 9}, {"name": "mel", "train_images": 2}],
    "groups": {"minor": {"classes": ["mel"]}},
}


def predictions(split=None, **probability):
    table = pd.DataFrame(
        {"image": list(probability), "label": ["nv" if image < "c" else "mel" for image in probability]}
    )
    table["probability/nv"] = list(probability.values())
    table["probability/mel"] = 1 - table["probability/nv"]
    return as_predictions(table, RESULTS, split)


def test_an_image_is_alone_if_no_part_has_another_of_its_group():
    groups = {"a": "1", "b": "2", "c": "", "d": "3", "trained": "1", "left out": "3"}
    split = pd.DataFrame({"image": list(groups), "group": list(groups.values()), "part": "train"})
    split.loc[:3, "part"] = "test"
    known = predictions(split, d=0.5, c=0.5, b=0.5, a=0.5)
    assert known.unit.tolist() == ["3", "image c", "2", "1"]
    assert known.alone.tolist() == [False, True, True, False]
    assert predictions(None, a=0.5).alone.tolist() == [True]
    assert known.only(known.alone).image.tolist() == ["c", "b"]


def test_images_of_several_runs_are_in_the_order_in_which_they_come():
    runs = [predictions(d=0.25, a=1.0), predictions(a=0.5, c=0.0, d=0.75)]
    label, probability = labels_of(runs), mean_probability(runs)
    assert label.index.tolist() == ["d", "a", "c"] and label.tolist() == [1, 0, 1]
    assert np.array_equal(probability, [[0.5, 0.5], [0.75, 0.25], [0.0, 1.0]])
