"""What belongs together is guessed from columns and names, with numbers, and not from what is no group."""

import pandas as pd
import pytest

from lightning_imbal.data.look.group_guesses import guess_groups
from lightning_imbal.data.look.group_pattern import group_word, groups_in, known_groups
from lightning_imbal.errors import UserError


def guess(files, labels=None, columns=None):
    files = pd.Series(list(files))
    labels = files.str.split("/").str[0] if labels is None else pd.Series(labels)
    return next(iter(guess_groups(files, labels, columns)), None)


N = range(40)


@pytest.mark.parametrize(
    ("files", "word", "number"),
    [
        ([f"{i % 2}/{i // 2}_{'left' if i % 2 else 'right'}.jpeg" for i in N], "patient", 20),
        ([f"a/Patient{i // 2:03d}_{'LR'[i % 2]}.jpg" for i in N], "patient", 20),
        ([f"a/person{i // 2}_bacteria_{i}.jpeg" for i in N], "patient", 20),
        ([f"CNV/CNV-{1000 + i // 4}-{i % 4}.jpeg" for i in N], "group", 10),
        ([f"a/{8000 + i // 5}_idx5_x{i}_y9_class0.png" for i in N], "group", 8),
        ([f"a/case_{i // 4}_slice_{i}.png" for i in N], "case", 10),
        ([f"a/x{i // 4}_slice_{i}.png" for i in N], "group", 10),
        ([f"a/x{i // 2}{'_aug3' * (i % 2)}.png" for i in N], "original", 20),
        ([f"a/x{i // 2}{'-rot90' * (i % 2)}.png" for i in N], "original", 20),
        ([f"a/x{i // 2}{' - Copy (2)' * (i % 2)}.png" for i in N], "original", 20),
        ([f"a/{'flipped_' * (i % 2)}x{i // 2}.png" for i in N], "original", 20),
        ([f"a/{chr(97 + i // 4)}b_slice_{i}.png" for i in N], "group", 10),
        ([f"a/{chr(97 + i // 2)}b_{['OD', 'OS'][i % 2]}.png" for i in N], "patient", 20),
        ([f"benign/SOB/SOB_{i // 4 + 20}AB/{'40X' if i % 2 else '100X'}/{i}.png" for i in N], "group", 10),
        ([f"train/XR_HAND/patient{i // 2:05d}/study1_positive/image{i % 2}.png" for i in N], "patient", 20),
    ],
)
def test_names(files, word, number):
    found = guess(files)
    assert (found.word, found.number) == (word, number)
    assert found.said() == f"names look like {number} {word}s: 40 of 40 images share one with others"
    assert groups_in(pd.Series(files), found.option[1]).equals(found.groups)


@pytest.mark.parametrize(
    "files",
    [
        [f"a/ISIC_{i:07d}.jpg" for i in N],
        [f"{'ab'[i % 2]}/{i // 2}.png" for i in N],
        [f"a/IMG_{i:04d}.png" for i in N],
        [f"benign/benign ({i}).png" for i in N],
        [f"{'ab'[i % 2]}/2019_{i}.png" for i in N],
        [f"{'ab'[i % 2]}/image_slice_{i}.png" for i in N],
        [f"{'ab'[i % 2]}/rotor_{i}.png" for i in N],
        [f"a/scan{max(0, i - 29) // 2}_{i}.png" for i in N],
    ],
)
def test_names_that_tell_nothing(files):
    assert guess(files) is None


def test_names_of_two_kinds_are_joined():
    files = [f"sick/person{i // 2}_virus_{i}.jpeg" for i in N] + [
        f"well/IM-{i // 2:04d}-{i:04d}.jpeg" for i in range(20)
    ]
    found = guess(files)
    assert (found.word, found.number, found.images) == ("patient", 30, 60)


@pytest.mark.parametrize(
    ("column", "values", "word"),
    [
        ("lesion_id", [f"HAM_{i // 2}" for i in N], "lesion"),
        ("Patient ID", [str(i // 3) for i in N], "patient"),
        ("StudyInstanceUID", [f"1.2.{i // 2}" for i in N], "study"),
        ("doctor", [f"Dr. {i // 2}" for i in N], "doctor"),
        ("patient_age", [str(i // 2) for i in N], None),
        ("sex", ["male", "female"] * 20, None),
        ("site", ["back", "arm"] * 20, None),
        ("note", [f"text {i}" for i in N], None),
    ],
)
def test_columns(column, values, word):
    found = guess([f"{i}.png" for i in N], ["a", "b"] * 20, pd.DataFrame({column: values}))
    assert (found.word if found else None) == word
    if found:
        assert found.told().startswith("--data.group_column")


def test_patients_come_before_their_lesions():
    columns = pd.DataFrame({"lesion_id": [f"L{i // 2}" for i in N], "patient_id": [f"P{i // 4}" for i in N]})
    found = guess_groups(pd.Series([f"{i}.png" for i in N]), pd.Series(["a"] * 40), columns)
    assert [each.word for each in found] == ["patient", "lesion"]


def test_patterns_of_the_user(told):
    assert group_word(r"(?P<patient>\d+)_(left|right)") == "patient" and group_word(r"(\d+)_(left|right)") == "group"
    files = pd.Series(["a/1_left.png", "a/1_right.png", "a/other.png"])
    assert known_groups(files, r"(\d+)_(left|right)").tolist() == ["1", "1", None]
    assert known_groups(files, r"(a)/(?P<patient>\d+)").tolist() == ["1", "1", None]
    assert "does not fit 1 picture, such as a/other.png: each of these is on its own" in told.text
    for pattern, sentence in (
        (r"(\d", "no regular expression"),
        (r"\d+", "has no bracket"),
        (r"(x\d+)", "fits no picture"),
    ):
        with pytest.raises(UserError, match=sentence):
            known_groups(files, pattern)
