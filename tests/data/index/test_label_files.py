"""Label files as other programs write them: read for what they say, or refused with the mend."""

import gzip

import pytest

from lightning_imbal.data.index.label_files import read_columns
from lightning_imbal.errors import UserError

TEXT = "image,label\na.png,schön\nb.png,böse\n"
ROWS = [["a.png", "schön"], ["b.png", "böse"]]


def read(folder, content, columns=("image", "label"), name="labels.csv"):
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_columns(file, columns, dtype=str, keep_default_na=False, na_values=[""])


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        "\ufeff" + TEXT,
        '\ufeff"image","label"\n"a.png","schön"\nb.png,böse\n',
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        "\n\n" + TEXT,
        "note,image,note,label\nx,a.png,y,schön\nx,b.png,y,böse\n",
        TEXT.replace("schön\n", "schön,\n"),
    ],
)
def test_usual_files_are_read_without_a_word(tmp_path, told, content):
    assert read(tmp_path, content)[["image", "label"]].to_numpy().tolist() == ROWS
    assert not told.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TEXT.replace(",", ";").encode(), "with semicolons between its cells."),
        (TEXT.replace(",", "\t").encode(), "with tabs between its cells."),
        (TEXT.encode("utf-16"), "as UTF-16."),
        (TEXT.replace(",", ";").encode("utf-16"), "as UTF-16 and with semicolons between its cells."),
        (
            TEXT.encode("latin-1"),
            "as Latin-1, because it is not UTF-8: save it as UTF-8 if this line of it looks wrong",
        ),
    ],
)
def test_other_separators_and_encodings_are_said(tmp_path, told, content, said):
    assert read(tmp_path, content).to_numpy().tolist() == ROWS
    assert f"labels.csv was read {said}" in told.text and ("'a.png,schön'" in told.text) == ("Latin-1" in said)


def test_compressed_file_may_have_tabs_too(tmp_path, told):
    content = gzip.compress(TEXT.replace(",", "\t").encode())
    assert read(tmp_path, content, name="labels.csv.gz").to_numpy().tolist() == ROWS


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("image,label\na,b\nc,d,e\n", r"more cells in line 3 \(c\) than the 2 of its header: mend the line"),
        ("\nimage,label\na,b,c\nd,e,f\n", r"more cells in line 3 \(a\)"),
        ("image,label\na,b,c,d\n", r"more cells in line 2 \(a\)"),
        ("image;label\na;b;c\n", r"more cells in line 2 \(a\)"),
        ("image,label,label\na,b,c\n", "the column 'label' twice in its first line"),
        (TEXT.encode("utf-16-le"), "is not UTF-8 text, nor UTF-16 or Latin-1: save it as CSV with UTF-8"),
        ("image,label\na,b\n".encode("utf-16-le"), "is not UTF-8 text"),
        ("image,label\na,5 €\n".encode("cp1252"), "is not UTF-8 text"),
        ("image,label\na,皮膚\n".encode("shift-jis"), "is not UTF-8 text"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        ("image;label,x\na;b,c\n", "no column 'image' and no column 'label'"),
        ('image,label\na,"b\n', "cannot be read as CSV"),
        ("image,label\n", "has no rows"),
        ("", "is empty"),
    ],
)
def test_unclear_files_are_refused(tmp_path, content, sentence):
    with pytest.raises(UserError, match=sentence):
        read(tmp_path, content)


def test_damaged_compressed_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be read as CSV"):
        read(tmp_path, gzip.compress(TEXT.encode())[:-12], name="labels.csv.gz")
