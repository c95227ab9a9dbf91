"""Rows of the subgroups that W&B gets, against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, recall_score

from lightning_imbal.callbacks.class_panels import subgroup_rows


def test_rows_are_those_of_each_subgroup_over_the_classes_that_it_has():
    rng = np.random.default_rng(0)
    label, answer = rng.integers(0, 3, 90), rng.integers(0, 3, 90)
    sex = np.array(["f"] * 50 + ["m"] * 40)
    label[50:] = label[50:].clip(max=1)  # the class 2 is in f alone
    rows = subgroup_rows(pd.DataFrame({"meta/sex": sex, "age": "3"}), label, answer, ["a", "b", "c"])
    for row, name in zip(rows, "fm", strict=True):
        own, there = sex == name, np.unique(label[sex == name])
        f1, recall = (
            of(label[own], answer[own], labels=there, average="macro", zero_division=0)
            for of in (f1_score, recall_score)
        )
        assert row == [f"sex: {name}", own.sum(), pytest.approx(f1), pytest.approx(recall)]
    assert subgroup_rows(pd.DataFrame({"image": sex}), label, answer, ["a", "b", "c"]) == []
