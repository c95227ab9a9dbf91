"""Attributes of DICOM headers as columns: only those that are named, ages in years, empty where there is none."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pydicom")
from made_dicom import KINDS, made_dicom
from made_pictures import write

from lightning_imbal.data.dicom.header import header_texts, is_dicom_file, tags_of
from lightning_imbal.data.index.dicom_headers import dicom_columns, dicom_groups
from lightning_imbal.data.look.group_guesses import Guess
from lightning_imbal.data.look.header_groups import patients_in_headers, with_headers
from lightning_imbal.data.look.suspected import suspected_groups
from lightning_imbal.data.pictures.picture_format import picture_format
from lightning_imbal.errors import UserError

PIXELS = np.zeros((32, 40), np.uint16)


@pytest.fixture
def save(tmp_path):
    """Writes a DICOM file with attributes, and gives its path."""

    def at(name, **elements):
        (tmp_path / name).write_bytes(made_dicom(PIXELS, 12, **elements))
        return str(tmp_path / name)

    return at


def test_columns(save, tmp_path):
    paths = [
        save("a.dcm", PatientSex="F", PatientAge="045Y", ImageType=["ORIGINAL", "PRIMARY"], PatientName="Ä^B"),
        save("b", PatientSex="", PatientAge="018M", KVP="70.50", PatientName="C^D"),
        str(write(tmp_path / "c.png", np.zeros((4, 4, 3), np.uint8))),
        str(tmp_path / "absent.dcm"),
        save("d.dcm", PatientAge="045Y"),
    ]
    with open(paths[4], "r+b") as file:
        file.truncate(200)
    names = ["PatientAge", "ImageType", "PatientSex", "KVP", "BitsStored", "TransferSyntaxUID"]
    found = dicom_columns(pd.Series(paths, index=[7, 8, 9, 10, 11]), names)
    assert found.loc[7].tolist() == ["45", "ORIGINAL\\PRIMARY", "F", "", "12", "1.2.840.10008.1.2.1"]
    assert found.loc[8].tolist() == ["1.5", "", "", "70.50", "12", "1.2.840.10008.1.2.1"]
    assert [found.loc[row].tolist() for row in (9, 10)] == [[""] * 6] * 2 and found.loc[11, "PatientAge"] == ""
    assert list(found) == names and dicom_columns(paths, ["PatientSex"])["PatientSex"].tolist() == ["F", "", "", "", ""]


@pytest.mark.parametrize(
    ("age", "years"),
    [("003W", "0.057"), ("010D", "0.027"), ("123M", "10.25"), ("000Y", "0"), ("-03Y", "-03Y"), ("45", "45")],
)
def test_ages_in_years(age, years, save):
    assert header_texts(save("a.dcm", PatientAge=age), tags_of(["PatientAge"])) == {"PatientAge": years}


@pytest.mark.parametrize("kind", KINDS)
def test_every_encoding(kind, save):
    path = save("a.dcm", kind=kind, PatientID="P1", Columns=40)
    assert header_texts(path, tags_of(["PatientID", "Columns"])) == {"PatientID": "P1", "Columns": "40"}
    assert is_dicom_file(path) and picture_format(path) == ("40x32", "DICOM MONOCHROME2 of 12 bits")


def test_unknown_attributes_are_refused(save):
    path = save("a.dcm")
    for name, sentence in (
        ("PatientSx", "There is no DICOM attribute 'PatientSx': did you mean PatientSex?"),
        ("qqq", "There is no DICOM attribute 'qqq': give the keyword of one, such as PatientSex."),
        ("PixelData", "The DICOM attribute PixelData is no text but of the kind OB or OW: name another one."),
        ("ReferencedImageSequence", "is no text but of the kind SQ: name another one."),
    ):
        with pytest.raises(UserError) as refusal:
            dicom_columns([path], [name])
        assert sentence in str(refusal.value)


def test_groups(save, told):
    paths = pd.Series([save("a.dcm", PatientID="P1 "), save("b.dcm", PatientID="P2"), save("c.dcm", PatientID="P1")])
    assert dicom_groups(paths, "PatientID").tolist() == ["P1", "P2", "P1"] and not told.text
    some = pd.concat([paths, pd.Series([save("d.dcm")])], ignore_index=True)
    assert dicom_groups(some, "PatientID").isna().tolist() == [False, False, False, True]
    assert "PatientID is missing in 1 picture, such as" in told.text and "d.dcm: each of these is on its" in told.text
    with pytest.raises(UserError, match=r"data.dicom_group=StudyID: no picture has it, such as .*a.dcm; leave it out"):
        dicom_groups(paths, "StudyID")
    with pytest.raises(UserError, match=r"all 2 pictures have 'P1', which keeps nothing apart, .* anonymous"):
        dicom_groups(paths[[0, 2]], "PatientID")


def test_patients_are_guessed(save, tmp_path):
    paths = pd.Series([save(f"{i}.dcm", PatientID=f"P{i // 2}") for i in range(6)])
    guess = patients_in_headers(paths)
    assert (guess.number, guess.images, guess.told()) == (3, 6, "--data.dicom_group PatientID")
    assert guess.said() == "headers look like 3 patients: 6 of 6 images share one with others"
    alone = patients_in_headers(paths[::2])
    assert alone.said() == "headers look like 3 patients: 0 of 3 images share one with others"
    assert patients_in_headers(paths[:2]) is None  # one patient, or what stands in the place of all
    picture = str(write(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8)))
    assert patients_in_headers(pd.Series([picture] * 4)) is None
    assert patients_in_headers(pd.concat([paths, pd.Series([picture] * 7)], ignore_index=True)) is None


def test_only_a_column_of_patients_comes_before_headers(save):
    paths = pd.Series([save(f"{i}.dcm", PatientID=f"P{i // 2}") for i in range(6)])
    groups = pd.Series(list("aabbcc"))
    patients, lesions = (Guess(("group_column", f"{word}_id"), word, groups) for word in ("patient", "lesion"))
    names = Guess(("group_pattern", "(.)"), "patient", groups)
    found = with_headers([patients, lesions, names], paths)
    assert [each.option[1] for each in found] == ["patient_id", "PatientID", "lesion_id", "(.)"]
    table = pd.DataFrame({"part": ["train", "test", "train", "train", "val", "val"], "class": "a"})
    suspected = suspected_groups(table, paths, None, paths)
    assert (suspected["groups"], suspected["torn"], suspected["images"]) == (3, 1, 2)
    assert suspected["option"] == "--data.dicom_group PatientID"
    assert suspected_groups(table[::2], paths[::2], None, paths[::2]) is None  # each patient has one
