"""`lightning_imbal list`: every kind of thing to choose from, by the name that is typed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from small_runs import refused

from lightning_imbal import losses, samplers
from lightning_imbal.cli import main
from lightning_imbal.experiment_files import files_of
from lightning_imbal.score_names import SCORES

KINDS = [
    "methods",
    "heads",
    "data",
    "backbones",
    "variants",
    "experiments",
    "tables",
    "losses",
    "samplers",
    "decisions",
    "scores",
]
BASES = {"losses": {"ImbalancedLoss"}, "samplers": {"EpochSampler"}}


def listed(capsys, *args):
    """What `list --json` prints: the lines about each name, by kind."""
    assert main(["list", *args, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    return {kind: {entry["name"]: entry["about"] for entry in entries} for kind, entries in found.items()}


def test_everything_has_a_name_and_a_line(capsys):
    found = listed(capsys)
    assert sorted(found) == sorted(KINDS)
    assert all(about for lines in found.values() for about in lines.values())


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_is_the_same_alone(capsys, kind):
    assert listed(capsys, kind) == {kind: listed(capsys)[kind]}


def test_files_with_their_first_lines(capsys):
    found = listed(capsys, "methods", "experiments", "tables")
    assert list(found) == ["methods", "experiments", "tables"]
    for kind, folder in {"methods": "methods", "experiments": ".", "tables": "tables"}.items():
        files = files_of(folder)
        assert list(found[kind]) == list(files)
        assert all(files[name].read_text().startswith(f"# {about}\n") for name, about in found[kind].items())
    assert found["methods"]["ldam"].startswith("LDAM: the rarer a class, the larger the margin")


@pytest.mark.parametrize("kind, room", [("losses", losses), ("samplers", samplers)])
def test_classes_are_the_public_ones(capsys, kind, room):
    public = {name: getattr(room, name) for name in room.__all__ if isinstance(getattr(room, name), type)}
    expected = {name: cls.__doc__.partition("\n")[0] for name, cls in public.items() if name not in BASES[kind]}
    assert listed(capsys, kind)[kind] == expected


def test_scores_with_their_titles(capsys):
    assert listed(capsys, "scores")["scores"] == {name: score.title for name, score in SCORES.items()}


def test_own_method_is_listed(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("experiments/methods").mkdir(parents=True)
    Path("experiments/methods/ours.yaml").write_text("# Ours: new.\nmodel: {}\n")
    Path("experiments/methods/bare.yaml").write_text("model: {}\n")
    found = listed(capsys, "methods")["methods"]
    assert (found["ours"], found["bare"]) == ("Ours: new.", "") and "ecl" in found


def test_people_get_a_line_each(capsys):
    assert main(["list", "heads", "scores"]) == 0
    heads, scores = capsys.readouterr().out.split("\n\n")
    assert heads.splitlines()[0] == "heads (--then heads/NAME.yaml)"
    assert [line.split()[0] for line in heads.splitlines()[1:]] == list(files_of("heads"))
    assert [line.split(None, 1)[1] for line in scores.splitlines()[1:]] == [score.title for score in SCORES.values()]


def test_unknown_kind_is_refused(capsys):
    assert "There is no kind 'method': did you mean methods?" in refused(capsys, "list", "method")
    assert "choose from methods, heads, data" in refused(capsys, "list", "xyz")


def test_a_name_prints_its_page(capsys):
    assert main(["list", "methods", "ecl"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("ECL (methods ecl)\n\nECL: class-enhancement contrastive learning.")
    for title in (
        "Papers",
        "Equation",
        "Stages",
        "When not to use it, and what it needs",
        "Results here",
        "Run it",
        "methods/ecl.yaml",
    ):
        assert f"\n\n{title}\n  " in printed
    assert "lightning_imbal compare --config my_images.yaml \\\n      --methods ce ecl" in printed


def test_names_follow_their_kinds(capsys):
    assert main(["list", "losses", "LDAM", "Focal", "scores", "heads", "crw"]) == 0
    printed = capsys.readouterr().out
    assert [printed.index(text) for text in ("LDAM\n", "Focal\n", "scores (", "cRW (heads crw)")] == sorted(
        printed.index(text) for text in ("LDAM\n", "Focal\n", "scores (", "cRW (heads crw)")
    )
    assert main(["list", "losses", "LDAM", "scores", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["losses"][0]["sections"]["Equation"]["code"].startswith("L = mean_i -log softmax(")
    assert [entry["name"] for entry in found["scores"]] == list(SCORES)


def test_unknown_names_are_refused(capsys):
    assert "There is no 'elc' in methods: did you mean ecl?" in refused(capsys, "list", "methods", "elc")
    asked = refused(capsys, "list", "crw")
    assert "There is no kind 'crw': did you mean `lightning_imbal list heads crw`?" in asked
    assert "did you mean `lightning_imbal list losses SORD`?" in refused(capsys, "list", "SORD")
    assert "did you mean `lightning_imbal fit --data.help ChulaRBC12`?" in refused(capsys, "list", "ChulaRBC12")


@pytest.mark.parametrize("more", ["", ", 'methods', 'ecl', 'losses', 'LDAM'"])
def test_nothing_heavy_is_imported(more):
    script = f"import sys; from lightning_imbal.cli import main; main(['list', '--json'{more}])\n"
    script += "heavy = {'torch', 'lightning', 'pandas', 'numpy'} & set(sys.modules); assert not heavy, heavy"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
