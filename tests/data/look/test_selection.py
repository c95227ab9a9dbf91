"""What is used of the user's images, and the sentences about what is not."""

from pathlib import Path

import pandas as pd
import pytest

from lightning_imbal.data.look.selection import Selection, is_excluded
from lightning_imbal.errors import UserError

SIZES = {"mild": 5, "moderate": 4, "none": 9, "odd": 1}


def rows():
    labels = [name for name, size in SIZES.items() for _ in range(size)]
    files = [f"{label}/{i}.png" for i, label in enumerate(labels)]
    return pd.DataFrame({"image": files, "file": files, "label": labels})


def select(exclude=None, merge=None, classes=None, min_images=1, table=None):
    chosen, names, said = Selection(exclude, merge or {}, classes, min_images)(
        rows() if table is None else table, Path("images"), Path("images"), "image"
    )
    assert set(chosen["label"]) == set(names)
    return chosen["label"].value_counts().reindex(names).to_dict(), said


def test_all_is_used_by_default():
    assert select() == (SIZES, [])


def test_labels_are_joined_classes_chosen_and_rare_ones_left_out():
    sizes, said = select(merge={"DR": ["mild", "moderate"]}, min_images=2)
    assert sizes == {"DR": 9, "none": 9}
    assert said == ["DR is mild (5), moderate (4) together.", "Classes of fewer than 2 images are left out: odd (1)."]
    sizes, said = select(classes=["none", "DR"], merge={"DR": ["mild", "moderate"]})
    assert list(sizes) == ["none", "DR"] and said[1:] == [
        "Classes that data.classes does not name are left out: odd (1)."
    ]


def test_excluded_pictures_are_counted():
    sizes, said = select(exclude=["odd/*", "none/1?.png"])
    assert sizes == {"mild": 5, "moderate": 4, "none": 1} and said == [
        "9 pictures left out by data.exclude=odd/* none/1?.png."
    ]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"classes": ["none", "mid"]}, "data.classes names 'mid', which no image of images has: did you mean mild"),
        ({"classes": ["none", "none"]}, "names 'none' twice"),
        ({"merge": {"DR": ["mild", "moderat"]}}, "data.merge joins 'moderat' to DR, .* did you mean moderate?"),
        ({"merge": {"DR": ["mild"], "x": ["mild"]}}, "puts 'mild' into DR and x"),
    ],
)
def test_what_is_not_there_is_named(settings, sentence):
    with pytest.raises(UserError, match=sentence):
        select(**settings)


def test_labels_that_look_alike_are_refused_unless_each_is_named():
    table = rows().replace({"label": {"odd": "None"}})
    with pytest.raises(UserError, match=r"'none' \(9 images\) and 'None' \(1 image\).*data.merge"):
        select(table=table)
    assert select(table=table, merge={"none": ["none", "None"]})[0]["none"] == 10
    assert select(table=table, classes=["none", "None", "mild", "moderate"])[0]["None"] == 1


@pytest.mark.parametrize(
    ("pattern", "hits"),
    [
        ("*_mask*", ["a/b/x_mask.png"]),
        ("**/masks/*", ["masks/x.png", "a/masks/x.png", "a/masks/deep/x.png"]),
        ("masks/*", ["masks/x.png"]),
        ("a/*", ["a/masks/x.png", "a/masks/deep/x.png", "a/b/x_mask.png"]),
        ("*.png", ["masks/x.png", "a/masks/x.png", "a/masks/deep/x.png", "a/b/x_mask.png"]),
    ],
)
def test_patterns(pattern, hits):
    files = pd.Series(["masks/x.png", "a/masks/x.png", "a/masks/deep/x.png", "no_mask/x.jpg", "a/b/x_mask.png"])
    assert files[is_excluded(files, [pattern])].tolist() == hits
