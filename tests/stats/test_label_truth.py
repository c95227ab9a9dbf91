"""What a list finds of wrong labels, by hand; and files of true classes that are none."""

import pandas as pd
import pytest

from lightning_imbal.errors import UserError
from lightning_imbal.stats.label_truth import found_of_truth, read_truth, truth_text

# Ten images, the most suspicious first; the true class of c is not known.
LIST = pd.DataFrame(
    {"image": list("abcdefghij"), "label": ["mel", "nv", "nv", "nv", "mel", "nv", "df", "nv", "nv", "nv"]}
)
LIST["suspicious"] = LIST.index < 4
TRUTH = dict(zip("abdefghij", ["nv", "nv", "mel", "mel", "mel", "nv", "nv", "nv", "nv"], strict=True))
NAMES = ["nv", "mel", "df"]


def test_recall_at_as_many_as_there_are_wrong_labels():
    found = found_of_truth(LIST, pd.Series(TRUTH)).set_index("label")
    # Wrong are a, d, f and g: of the first four that are known (a, b, d, e), two.
    assert found.loc["all"].tolist() == [9, 4, 2, 3, 4 * 4 / 9, 3, 2]
    assert found.loc["mel"].tolist() == [2, 1, 1, 1, 4 / 9, 1, 1]
    assert found.loc["nv"].tolist() == [6, 2, 1, 1, 8 / 9, 2, 1]  # of b and d, one
    assert found.loc["df"].tolist() == [1, 1, 0, 1, 4 / 9, 0, 0]
    assert found.index.tolist() == ["all", "mel", "nv", "df"]


def test_the_sentence():
    said = truth_text(found_of_truth(LIST, pd.Series(TRUTH)))
    assert said.startswith("Of 4 wrong labels among 9 images with a known true class, 2 (50%) are found by looking at")
    assert "at the 4 most suspicious; by chance 1.8. 3 are marked as suspicious, and 2 of these are wrong." in said
    right = pd.Series(LIST["label"].to_numpy(), index=LIST["image"])
    assert truth_text(found_of_truth(LIST, right)).startswith("All 10 images")
    assert len(found_of_truth(LIST, right)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,label\na,nv\na,mel\n", "names a twice"),
        ("image,label\na,meel\n", "which the runs do not know: did you mean mel?"),
        (
            "image,label\nISIC_1,nv\n",
            "none of the images that were looked at: it names 'ISIC_1' where the runs name 'a'",
        ),
        ("image,label\n", "has no rows"),
        ("name,dx\na,nv\n", "give a CSV with the columns image and label"),
    ],
)
def test_what_is_no_truth_is_refused(tmp_path, text, said):
    file = tmp_path / "truth.csv"
    file.write_text(text)
    with pytest.raises(UserError, match="truth.csv") as told:
        read_truth(file, NAMES, list("abc"))
    assert said in str(told.value)
    with pytest.raises(UserError, match="is no file"):
        read_truth(tmp_path / "other.csv", NAMES, list("abc"))


def test_a_truth_is_read(tmp_path):
    file = tmp_path / "truth.csv"
    file.write_text("image,label,by\na,nv,me\nz,mel,you\n")
    assert read_truth(file, NAMES, list("abc")).to_dict() == {"a": "nv", "z": "mel"}
