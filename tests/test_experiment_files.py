"""A file of `experiments` is found by its short name from any folder: the user's own first, then the package's."""

from pathlib import Path

import pytest
import yaml

from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import beside, files_of, find, folders, parse_yaml, read_yaml, with_files_found

SHIPPED = Path(__file__).resolve().parents[1] / "experiments"
EXAMPLE = "give the path of a file such as experiments/"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name):
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("model: {}\n")
    return file


@pytest.mark.parametrize("name", ["methods/ecl.yaml", "marrakchi_isic.yaml", "demo.yaml", "data/isic2018.yaml"])
@pytest.mark.parametrize("before", ["", "experiments/"])
def test_short_name_is_one_of_the_package(here, name, before):
    assert find(before + name) == str(SHIPPED / name)


def test_table_needs_no_folder(here):
    expected = str(SHIPPED / "tables" / "zeng_table2.yaml")
    names = ["zeng_table2.yaml", "tables/zeng_table2.yaml", "experiments/tables/zeng_table2.yaml"]
    assert [find(name, "tables") for name in names] == [expected] * 3
    assert find("demo.yaml", "tables") == str(SHIPPED / "demo.yaml")


def test_path_as_given_wins_then_the_folder_here_then_the_package(here):
    name = "methods/ecl.yaml"
    below, given = Path("experiments", name), Path(name)
    assert find(name) == str(SHIPPED / name)
    write(below)
    assert find(name) == find(str(below)) == str(below)
    write(given)
    assert find(name) == name and find(str(below)) == str(below)
    assert find(str(below.absolute())) == str(below.absolute())
    assert find("methods/ce.yaml") == str(SHIPPED / "methods" / "ce.yaml"), "a folder of one's own hides no other file"


def test_folder_is_no_file(here):
    Path("demo.yaml").mkdir()
    assert find("demo.yaml") == str(SHIPPED / "demo.yaml")


def test_says_once_which_file_is_meant_unless_it_is_as_given(here, capsys):
    write("experiments/said.yaml")
    find("experiments/said.yaml")
    assert capsys.readouterr() == ("", "")
    find("said.yaml")
    find("said.yaml")
    assert capsys.readouterr() == ("", "said.yaml: experiments/said.yaml\n")


@pytest.mark.parametrize("rank", ["RANK", "LOCAL_RANK", "SLURM_PROCID"])
def test_only_the_first_process_says_it(here, capsys, monkeypatch, rank):
    monkeypatch.setenv(rank, "1")
    write(f"experiments/by_{rank}.yaml")
    assert find(f"by_{rank}.yaml") == f"experiments/by_{rank}.yaml"
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "name, kind, said",
    [
        ("methods/elc.yaml", ".", "There is no file methods/elc.yaml: did you mean methods/ecl.yaml?"),
        ("ecl.yaml", ".", "There is no file ecl.yaml: did you mean methods/ecl.yaml?"),
        ("data/crw.yaml", ".", "There is no file data/crw.yaml: did you mean heads/crw.yaml?"),
        ("demos.yaml", ".", "There is no file demos.yaml: did you mean demo.yaml?"),
        ("demo", ".", "There is no file demo: did you mean demo.yaml?"),
        ("methods/lda.yaml", ".", "There is no file methods/lda.yaml: did you mean methods/ldam.yaml?"),
        ("Methods/LDAM", ".", "There is no file Methods/LDAM: did you mean methods/ldam.yaml?"),
        (
            "/home/me/mehods/ldma.yaml",
            ".",
            "There is no file /home/me/mehods/ldma.yaml: did you mean methods/ldam.yaml?",
        ),
        ("nothere.yaml", ".", f"There is no file nothere.yaml: {EXAMPLE}demo.yaml."),
        ("methods/xyz.yaml", ".", f"There is no file methods/xyz.yaml: {EXAMPLE}demo.yaml."),
        ("zeng_tabel2.yaml", "tables", "There is no table zeng_tabel2.yaml: did you mean zeng_table2.yaml?"),
        (
            "x",
            "tables",
            f"There is no table x: {EXAMPLE}tables/marrakchi_table1.yaml.",
        ),
        ("/x/y", ".", f"There is no file /x/y: {EXAMPLE}demo.yaml."),
    ],
)
def test_missing_file_is_one_sentence(here, name, kind, said):
    with pytest.raises(UserError) as refusal:
        find(name, kind)
    assert str(refusal.value) == said


def test_what_is_named_in_a_sentence_is_there():
    assert (SHIPPED / "tables" / "marrakchi_table1.yaml").is_file() and (SHIPPED / "demo.yaml").is_file()


def test_files_of_a_kind_are_those_that_would_be_found(here):
    assert files_of("heads") == {file.stem: file for file in sorted(SHIPPED.glob("heads/*.yaml"))}
    own = [write("experiments/heads/crw.yaml"), write("experiments/heads/a.yaml")]
    files = files_of("heads")
    assert list(files) == sorted(files) and files["crw"] == own[0] and files["a"] == own[1]
    assert all(find(f"heads/{name}.yaml") == str(file) for name, file in files.items())
    assert "demo" in files_of(".")


def test_folder_of_the_checkout_is_one_place(here, monkeypatch):
    assert folders() == [SHIPPED]
    Path("experiments").mkdir()
    assert folders() == [Path("experiments"), SHIPPED]
    monkeypatch.chdir(SHIPPED.parent)
    assert folders() == [Path("experiments")]


def test_only_configurations_of_a_command_line_are_looked_for(here):
    given = ["--config", "demo.yaml", "--config=methods/ce.yaml", "--run_dir", "demo.yaml", "--x=demo.yaml"]
    expected = ["--config", str(SHIPPED / "demo.yaml"), f"--config={SHIPPED / 'methods' / 'ce.yaml'}", *given[3:]]
    assert with_files_found(given) == expected
    assert with_files_found([]) == [] and with_files_found(["--config"]) == ["--config"]


def test_short_form_of_config_is_looked_for_and_written_out(here):
    ecl = str(SHIPPED / "methods" / "ecl.yaml")
    assert with_files_found(["-c", "methods/ecl.yaml"]) == ["--config", ecl]
    for given in ["-c=methods/ecl.yaml", "-cmethods/ecl.yaml"]:
        assert with_files_found([given]) == [f"--config={ecl}"]
    assert with_files_found(["-c"]) == ["--config"]
    assert with_files_found(["--ckpt_path", "last", "-v"]) == ["--ckpt_path", "last", "-v"]
    with pytest.raises(UserError, match="did you mean methods/ecl.yaml"):
        with_files_found(["-c", "methods/elc.yaml"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3\n", "has the key 'a' twice, in lines 1 and 3: keep one of them"),
        ("x:\n  - {a: 1, a: 1}\n", "has the key 'a' twice, in lines 2 and 2"),
        ("a: [1\n", "is not valid YAML: while parsing"),
        (b"a: \xe4\n", "is not valid YAML: save it as text with UTF-8"),
    ],
)
def test_yaml_that_is_unclear_is_refused(tmp_path, text, sentence):
    file = tmp_path / "c.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=f"c.yaml {sentence}"):
        read_yaml(file)


def test_what_an_anchor_brings_may_be_given_again():
    text = "x: &x {a: 1, b: 2}\ny: &y {<<: *x, a: 3}\nz: {<<: *y, b: 4}\nlist: [{a: 1}, {a: 2}]\n"
    content = parse_yaml(text, "text")
    assert content == yaml.safe_load(text)
    assert content["y"] == {"a": 3, "b": 2} and content["list"] == [{"a": 1}, {"a": 2}]


def test_what_lies_beside_a_place_that_is_not_there(here):
    for file in ("runs/demo/stage1/best.ckpt", "runs/other/x", "labels.csv", "images/a.png"):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text("")
    assert beside("runs/demoo") == "did you mean runs/demo?"
    assert beside("demo") == beside("deno") == "did you mean runs/demo?"
    assert beside("runs/dem/stage1/best.ckpt") == "did you mean runs/demo/stage1/best.ckpt?"
    assert beside(here / "label.csv") == f"did you mean {here / 'labels.csv'}?"
    assert beside("Images") == "did you mean images?"
    assert beside("runs/othre/stage1") == beside("xyz") == beside("/xyz/abc") == ""
