"""Attributes of images: where they come from, what is refused, and how they become numbers."""

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lightning_imbal.data.index.attributes import attribute_columns, encoded, fitted_encoding, named_columns
from lightning_imbal.errors import UserError

IMAGES = pd.DataFrame({"image": ["a", "b", "c", "d"]})


def attributes(name, values, used=(), given=None):
    free = pd.DataFrame({name: values})
    return attribute_columns([given or name], IMAGES[: len(values)], free, dict(used), "Skin")[f"meta/{given or name}"]


def refused(name, values, **kwargs):
    with pytest.raises(UserError) as error:
        attributes(name, values, **kwargs)
    return str(error.value)


@pytest.mark.parametrize("given", ["sex, age", ["sex", "age"]])
def test_columns_are_a_list_or_a_text(given):
    assert named_columns(given) == ["sex", "age"] and named_columns(None) == []


@pytest.mark.parametrize("given", ["sex,sex", "sex,", ["age", "sex", "age"]])
def test_a_column_is_named_once(given):
    with pytest.raises(UserError, match=r"name each column once\.$"):
        named_columns(given)


def test_words_that_say_that_nothing_is_known_are_missing():
    assert attributes("sex", [" male ", "Unknown", None, "N/A"]).tolist() == ["male", "", "", ""]
    assert attributes("grade", ["none", "0", "-", "nan"]).tolist() == ["none", "0", "-", ""]


def test_an_attribute_of_no_image_is_told(caplog):
    caplog.set_level("INFO")
    attributes("sex", ["male", "", "NA"])
    assert not caplog.messages
    attributes("sex", ["", "NA", None])
    assert caplog.messages == ["Skin: the attribute 'sex' is missing of every image."]


def test_what_is_no_further_column_is_refused():
    assert refused("age", ["1"], given="aeg").endswith(
        "no further column 'aeg' (data.metadata_columns): did you mean 'age'?"
    )
    assert "which is the label" in refused("age", ["1"], given="dx", used={"dx": "the label"})
    with pytest.raises(UserError, match="knows nothing of its images but their classes"):
        attribute_columns(["age"], IMAGES, None, {}, "Flowers")


def test_an_id_is_no_attribute():
    many = pd.DataFrame({"image": [f"i{i}" for i in range(500)], "word": [f"w{i}" for i in range(500)]})
    with pytest.raises(UserError, match=r"^The column 'word' of Skin holds 500 different words"):
        attribute_columns(["word"], many, many, {}, "Skin")
    some = many.assign(word=[f"w{i % 50}" for i in range(500)], number=range(500))
    assert attribute_columns(["word", "number"], many, some, {}, "Skin").shape == (500, 2)


@pytest.mark.parametrize("name", ["age", "Patient Age", "PatientAge", "age_approx", "AGE"])
@pytest.mark.parametrize("age", ["-3", "121"])
def test_an_age_that_nobody_has_names_the_first_image(name, age):
    sentence = refused(name, ["120", "0", age, "-9"])
    assert sentence.startswith(f"Skin gives c the age {age} (column {name!r}, 2 such rows)")


def test_among_ages_that_are_numbers_a_word_is_refused_and_groups_of_ages_are_words():
    assert "gives b the age 90+ (column 'age', 2 such rows), but ages are 0 to 120" in refused(
        "age", ["7", "90+", "abc", ""]
    )
    table = attribute_columns(["age"], IMAGES, pd.DataFrame({"age": ["<40", "40-60", ">60", ""]}), {}, "Skin")
    assert list(table["meta/age"]) == ["<40", "40-60", ">60", ""]


def test_a_number_without_an_end_is_refused_where_all_else_are_numbers():
    assert refused("dose", ["1", "-inf", "inf", ""]).startswith("Skin gives b the number -inf (column 'dose', 2 such")
    table = attribute_columns(["site"], IMAGES, pd.DataFrame({"site": ["inf", "sup", "3", ""]}), {}, "Skin")
    assert list(table["meta/site"]) == ["inf", "sup", "3", ""]


@pytest.mark.parametrize("name", ["stage", "image", "age_days", "voltage"])
def test_what_is_no_age_in_years_may_be_any_number(name):
    assert attributes(name, ["-3", "400"]).tolist() == ["-3", "400"]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    age = rng.integers(20, 80, 60).astype(str)
    age[::7] = ""
    return pd.DataFrame({"meta/age": age, "meta/sex": rng.choice(["male", "female", ""], 60), "label": 0})


def test_encoding_is_that_of_pandas(table):
    train, test = table[:40], table[40:].assign(**{"meta/sex": ["other", *table["meta/sex"][41:]]})
    encoding = fitted_encoding(train)
    age = pd.to_numeric(train["meta/age"])
    words = pd.get_dummies(test["meta/sex"]).reindex(columns=["female", "male"])
    expected = pd.concat(
        [
            ((pd.to_numeric(test["meta/age"]) - age.mean()) / age.std(ddof=0)).fillna(0),
            (test["meta/age"] == "").astype(float),
            words.astype(float),
            1 - words.sum(axis=1),
        ],
        axis=1,
    )
    np.testing.assert_allclose(encoded(test, encoding), expected.to_numpy(), rtol=1e-6)
    assert encoded(test, encoding)[0, 2:].tolist() == [0, 0, 1]  # a word that the training part does not have


def test_few_numbers_are_words():
    ten = pd.DataFrame({"meta/grade": [str(i) for i in range(10)] * 2})
    assert [column.get("word") for column in fitted_encoding(ten)] == [*map(str, range(10)), None]
    eleven = pd.DataFrame({"meta/grade": [str(i) for i in range(11)]})
    assert fitted_encoding(eleven)[0] == {"attribute": "grade", "mean": 5.0, "std": pytest.approx(10**0.5)}


def test_an_attribute_that_is_not_there_is_missing(table):
    encoding = fitted_encoding(table)
    row = encoded(table[["label"]], encoding)
    assert (row == [0, 1, 0, 0, 1]).all() and len(row) == 60
    assert (encoded(table.assign(**{"meta/age": "inf"}), encoding)[:, :2] == [0, 1]).all()


def test_an_attribute_of_no_training_image_is_an_input_that_says_nothing():
    nothing = pd.DataFrame({"meta/sex": ["", ""]})
    assert fitted_encoding(nothing) == [{"attribute": "sex", "missing": True}]
    assert encoded(nothing.assign(**{"meta/sex": ["", "male"]}), fitted_encoding(nothing)).tolist() == [[1], [1]]
    assert encoded(nothing, []).shape == (2, 0)


def test_headers_of_dicom_are_asked_for_by_keyword(monkeypatch):
    def dicom_columns(paths, names):
        assert paths.tolist() == ["1.dcm", "2.dcm"] and names == ["PatientAge"]
        return pd.DataFrame({"PatientAge": ["45", ""]})

    module = SimpleNamespace(dicom_columns=dicom_columns)
    monkeypatch.setitem(sys.modules, "lightning_imbal.data.index.dicom_headers", module)
    index = pd.DataFrame({"image": ["a", "b"], "path": ["1.dcm", "2.dcm"]})
    free = pd.DataFrame({"sex": ["m", "f"]})
    found = attribute_columns(["sex", "dicom:PatientAge"], index, free, {}, "Scans")
    assert found.to_dict("list") == {"meta/sex": ["m", "f"], "meta/dicom:PatientAge": ["45", ""]}
    with pytest.raises(UserError, match="no file for each image"):
        attribute_columns(["dicom:PatientAge"], index[["image"]], None, {}, "Scans")
