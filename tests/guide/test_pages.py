"""Pages of everything that can be listed: nothing is missing, nothing is stale, all fits into a terminal."""

import csv
import re
from pathlib import Path

import pytest
import yaml

from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import OVERLAYS, files_of, read_yaml
from lightning_imbal.guide.classes import public_classes
from lightning_imbal.guide.comments import comment
from lightning_imbal.guide.methods import CHANGES, EQUATION, LIMITS, RESULTS, described
from lightning_imbal.guide.page import as_text
from lightning_imbal.guide.pages import page_of
from lightning_imbal.guide.references import NAMED, named_in, references
from lightning_imbal.score_names import SCORES
from lightning_imbal.tables.methods import rows_of

KINDS = [*OVERLAYS, "experiments", "tables"]
METHODS = [(kind, name) for kind in ("methods", "heads") for name in files_of(kind)]


@pytest.fixture(scope="module")
def pages():
    """Every page there is, by kind and name."""
    names = {kind: list(files_of("." if kind == "experiments" else kind)) for kind in KINDS}
    names |= {room: [each.name for each in public_classes(room)] for room in ("losses", "samplers", "decisions")}
    return {(kind, name): page_of(kind, name) for kind, of in (names | {"scores": list(SCORES)}).items() for name in of}


def test_every_page_fits_into_80_columns(pages):
    assert len(pages) > 150
    lines = [line for page in pages.values() for line in as_text(page).splitlines()]
    assert not [line for line in lines if len(line) > 80]


def test_every_page_says_something_and_how_to_use_it(pages):
    assert all(page.title and page.about for page in pages.values())
    without = [key for key, page in pages.items() if not (page.section("Run it") or page.section("Use it"))]
    assert not without


@pytest.mark.parametrize("key", METHODS, ids="/".join)
def test_every_method_has_all_sections(pages, key):
    page = pages[key]
    equation = page.section(EQUATION)
    assert equation.code or equation.text.startswith("It has none: ")
    for title in ("Papers", CHANGES, "Stages", LIMITS):
        assert page.section(title).items
    section = page.section(RESULTS)
    assert section.rows or section.text == "Not run here."


def test_a_comment_is_a_paragraph_without_its_commands(tmp_path):
    (tmp_path / "a.yaml").write_text("# A: one,\n# two.\n# lightning_imbal fit\n#\n# three\nmodel: {}\n# no head\n")
    (tmp_path / "b.yaml").write_text("model: {}\n# no head\n")
    assert comment(tmp_path / "a.yaml").split() == ["A:", "one,", "two.", "three"]
    assert comment(tmp_path / "b.yaml") == ""


def test_the_yaml_is_that_of_the_file(pages):
    for (kind, name), page in pages.items():
        if kind in OVERLAYS:
            assert yaml.safe_load(page.section(f"{kind}/{name}.yaml").code) == read_yaml(files_of(kind)[name])


def results_of(row):
    with Path("experiments/results/isic2018_small-64px.csv").open() as file:
        return [line for line in csv.DictReader(file) if line["row"] == row]


def test_numbers_are_those_of_the_results(pages):
    tested = 0
    for kind, name in METHODS:
        row = rows_of([name])[name][0]
        printed = {cells[0]: cells for cells in pages[kind, name].section(RESULTS).rows}
        titles = {"balanced_accuracy": 1, "f1": 2, "rare": 3}
        for line in results_of(row):
            if line["metric"] in titles:
                value, low, high = (float(line[column]) for column in ("value", "low", "high"))
                text = printed[f"{row}, {line['dataset']}"][titles[line["metric"]]]
                assert text == f"{value:.3f} [{low:.3f}, {high:.3f}]"
                tested += 1
    assert tested > 40 * 6


def test_what_was_not_run_is_said(pages):
    ours = [key for key, page in pages.items() if (section := page.section(RESULTS)) and not section.rows]
    assert all(pages[key].section(RESULTS).text == "Not run here." for key in ours)


@pytest.mark.parametrize(
    "name, changed",
    [
        ("ce", ["Nothing: it is plain cross-entropy, every image once in an epoch."]),
        ("rw", ["model.loss.weight: inverse instead of none."]),
        ("rs", ["data.sampler.q: 0.0 instead of 1.0."]),
        ("label_smoothing", ["model.loss.label_smoothing: 0.1 instead of 0.0."]),
        ("ce_crw", ["A second stage: heads/crw.yaml."]),
    ],
)
def test_what_a_method_changes(pages, name, changed):
    assert list(pages["methods", name].section(CHANGES).items) == changed


def test_what_costs_or_is_needed_is_said(pages):
    for name, images in {"bcl": 3, "ecl": 2, "hybrid_sc": 3, "balanced_mixup": 2}.items():
        said = f"A step reads {images} images where cross-entropy reads one."
        assert said in pages["methods", name].section(LIMITS).items
    assert not any("A step reads" in item for item in pages["methods", "ce"].section(LIMITS).items)
    for name in ("ecl", "bwce", "ce_tau_norm"):
        assert any("validation part" in item for item in pages["methods", name].section(LIMITS).items)


def test_the_classes_of_a_method_are_those_that_differ_from_cross_entropy():
    names = {name: [each.name for each in described(name, "methods")] for name in ("ldam_drw", "ecl", "ce_crw", "tsc")}
    assert names["ldam_drw"] == ["Deferred", "LDAM", "NormedLinear"]
    assert names["ecl"] == ["ECL", "BWCE", "BHPLoss"]
    assert names["ce_crw"] == ["FrozenHead", "CrossEntropy"]
    assert names["tsc"] == ["TSC", "TSCLoss", "FrozenHead", "ClassBlocks"]


def test_every_paper_that_is_named_is_known_in_full():
    named = {paper for kind, name in METHODS for paper in NAMED.findall(comment(files_of(kind)[name]))}
    described_there = [each for kind, name in METHODS for each in described(name, kind)]
    in_losses = named_in(*(each.text for each in public_classes("losses")))
    of_methods = {paper for each in described_there for paper in NAMED.findall(" ".join(each.text.split()))}
    assert {paper for paper in named | of_methods if " et al." in paper} <= set(references())
    of_data = named_in(*(f"{each.about} {each.text}" for each in public_classes("data")))
    assert {*named, *of_methods, *in_losses, *of_data} >= set(references())


def test_commands_name_files_that_are_there(pages):
    for page in pages.values():
        section = page.section("Run it")
        for file in re.findall(r"(?:--config|--then) (\w+/\w+\.yaml)", section.code if section else ""):
            assert Path("experiments", file).is_file()


def test_a_method_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "experiments" / "methods").mkdir(parents=True)
    text = "# Ours: new.\nmodel: {class_path: ours.Net}\nthen: {model: {class_path: FrozenHead}}\n"
    (tmp_path / "experiments" / "methods" / "ours.yaml").write_text(text)
    (tmp_path / "experiments" / "methods" / "bare.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    page = page_of("methods", "ours")
    assert (page.title, page.about) == ("Ours", "Ours: new.")
    assert [*page.section("Stages").items] == [
        "First, for the epochs of the protocol. ours.Net",
        "Second. As the file says.",
    ]
    assert page.section(RESULTS).text == "Not run here."
    assert page_of("methods", "bare").title == "bare"


@pytest.mark.parametrize(
    "kind, name, hint",
    [
        ("methods", "ELC", "There is no 'ELC' in methods: did you mean ecl?"),
        ("methods", "Balanced-Mixup", "did you mean balanced_mixup?"),
        ("heads", "tau-norm", "did you mean tau_norm?"),
        ("losses", "ldma", "did you mean LDAM?"),
        ("tables", "qqq", "`lightning_imbal list tables` shows all."),
    ],
)
def test_an_unknown_name_is_refused(kind, name, hint):
    with pytest.raises(UserError, match=re.escape(hint)):
        page_of(kind, name)


def test_a_file_is_its_name():
    assert page_of("methods", "methods/ecl.yaml") == page_of("methods", "ecl")
