"""What is said of classes that a part, or the test part of a fold, has no image of."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lightning_imbal.data.checks import missing_classes, report_missing_classes
from lightning_imbal.data.splits import Holdout, KFold

NAMES = ("nv", "mel", "df", "vasc")


def data(split, sizes, test=(), bad=()):
    """Images of so many of each class, those of one fold or the rows `test` being the test part."""
    label = np.repeat(np.arange(len(sizes)), sizes)
    table = pd.DataFrame({"image": np.arange(len(label)), "label": label, "class": np.array(NAMES)[label], "part": ""})
    table.loc[[*test], "part"], table.loc[[*bad], "part"] = "test", "unreadable"
    labels_of = {"test": label[[*test]], "val": label[:0]}.get
    return SimpleNamespace(
        split=split,
        index=table,
        table=table,
        groups=None,
        class_names=NAMES[: len(sizes)],
        labels_of=labels_of,
        lock_test=False,
    )


def test_classes_that_some_folds_lack_are_named_with_those_folds():
    [said] = missing_classes(data(KFold(5), [20, 3, 4, 9], test=range(4)))
    assert said.startswith("Of the 5 folds, counted from 0, some have no test image of: mel (fold ")
    mel, df = said.split(": ")[1].split(". ")[0].split("), ")
    assert mel.count(",") == 1 and df.startswith("df (fold ") and "," not in df
    assert "leave the class out" in said and "Take fewer" in said
    assert missing_classes(data(KFold(3), [20, 3, 4], test=range(4))) == []


def test_an_image_that_cannot_be_read_is_in_no_fold():
    split = KFold(4)
    of_rare = np.arange(20, 24)
    assert missing_classes(data(split, [20, 4])) == []
    fold = split.test_folds(data(split, [20, 4]).index)[of_rare[0]]
    [said] = missing_classes(data(split, [20, 4], bad=of_rare[:1]))
    assert f"mel (fold {fold})." in said


def test_a_part_of_another_split_is_said_to_lack_a_class():
    [said] = missing_classes(data(Holdout(), [20, 4], test=range(4)))
    assert said == "The test part has no image of: mel. Scores of such a class mean nothing."


@pytest.mark.parametrize(("earlier", "times"), [(None, 1), ([20, 4], 0), ([20, 4, 1], 1)])
def test_what_was_said_of_an_earlier_stage_is_not_said_again(monkeypatch, earlier, times):
    said = []
    monkeypatch.setattr("lightning_imbal.data.checks.rank_zero_info", said.append)
    first = earlier and data(Holdout(), earlier, test=range(4))
    report_missing_classes(data(Holdout(), [20, 4], test=range(4)), first)
    assert len(said) == times
