"""A page without names: neither of images, folders and groups, nor pictures; the numbers are the same."""

import json
import re

import pandas as pd
import pytest
import yaml
from made_runs import NAMES, write_features, write_run, write_split, write_stage

from lightning_imbal.data import thumbnails as pictures_module
from lightning_imbal.report.page.anonymous import Anonymous
from lightning_imbal.report.page.page import write_page
from lightning_imbal.stats.caveats import limits_of
from lightning_imbal.stats.drawn_methods import methods_of
from lightning_imbal.stats.read_runs import read_runs

SENTENCES = [
    "1 picture cannot be read: scans_of_miller/nv/face_0001.png, see /home/jane/scans_of_miller.",
    "face_0003 is of lesion_12, in images of clinic_b-ce; bkl/lk has 3 images.",
    "Train longer: lightning_imbal fit --data.root scans_of_miller --run_dir clinic_b",
]
SECRET = ["scans_of", "miller", "face_", "lesion_", "clinic", "jane", "/home", "weights_of_jane", "a_very_long_name"]
LONG = "clinic_b-a_very_long_name_of_a_folder_that_is_broken+seed0"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clinic_b")
    for name, skill in (("clinic_b-ce+seed0", 0.5), (LONG, 1.0)):
        run = folder / name
        write_run(
            run,
            skill=skill,
            prefix="face_",
            data="scans_of_miller",
            data_remarks=["scans_of_miller/x.png is left out"],
            options={"a": "/home"},
        )
        write_split(run, 4)
        write_stage(run / "stage1", pretrained="weights_of_jane/best.ckpt", backbone="resnet18")
        file = run / "stage1" / "split.csv"
        table = pd.read_csv(file)
        table["image"], table["group"] = (
            table["image"].str.replace("ISIC", "face"),
            table["group"].str.replace(" ", "_"),
        )
        table.to_csv(file, index=False)
        file = run / "stage1" / "config.yaml"
        config = yaml.safe_load(file.read_text()) | {"run_dir": str(run)}
        config["data"] = {
            "class_path": "lightning_imbal.data.CSVData",
            "init_args": {"root": "scans_of_miller", "labels": "miller.csv", "batch_size": 48, "group_by": "miller_id"},
        }
        file.write_text(yaml.safe_dump(config))
        write_features(run)
    return read_runs(sorted(folder.iterdir()))


@pytest.fixture(scope="module")
def pages(results, tmp_path_factory):
    """The text of the page with names and without, up to the library that draws it."""
    texts = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures_module, "thumbnails", lambda folder, images, *_: dict.fromkeys(images, b"a picture"))
        for anonymous in (False, True):
            file = tmp_path_factory.mktemp("page") / "page.html"
            write_page(results, file, [*limits_of(results), *SENTENCES], SENTENCES, SENTENCES, None, anonymous)
            texts[anonymous] = file.read_text().partition("<script nonce")[0]
    return texts


def test_no_name_is_left(pages):
    assert all(word in pages[False] for word in SECRET)
    left = {word: re.findall(rf".{{30}}{word}.{{30}}", pages[True]) for word in SECRET}
    assert left == {word: [] for word in SECRET}
    assert "data:image" in pages[False] and "data:image" not in pages[True] and "<img" not in pages[True]


def test_it_is_said_what_the_page_holds(pages):
    assert "--anonymous leaves them out" in pages[False] and "small pictures of" in pages[False]
    assert "Without names (--anonymous)" in pages[True]


def test_the_same_name_is_the_same_number(pages):
    said = re.findall(r"1 picture cannot be read: (path \d+), see (path \d+)", pages[True])
    assert len(said) == 3 and len(set(said)) == 1 and said[0][0] != said[0][1]
    table = re.search(r'data-choice="mistakes".*?</table>', pages[True], re.DOTALL)[0]
    images = [name.replace("<wbr>", "") for name in re.findall(r'<th scope="row">(.*?)</th>', table)]
    assert len(images) == len(set(images)) > 3 and all(re.fullmatch(r"image \d+", name) for name in images)


def test_classes_numbers_and_sentences_stay(pages, results):
    for name in NAMES:
        assert f">{name}<" in pages[True].replace("<wbr>", "")
    scores = [f"{value:.3f}" for value in results.cells.loc[results.cells["metric"] == "f1", "value"]]
    assert all(score in pages[True] for score in scores)
    assert "a bar for each method with its 95 % interval" in pages[True]
    assert (
        "batch_size: 48" in pages[True]
        and "group_by: (left out)" in pages[True]
        and "backbone: resnet18" in pages[True]
    )
    for text in re.findall(r'data-figures="[^"]*">(.*?)</script>', pages[True], re.DOTALL):
        figures = json.loads(text)
        assert all(trace["type"] in ("bar", "scatter", "heatmap") for figure in figures for trace in figure["data"])


def test_names_of_the_project_stay(results):
    hidden = Anonymous(results, methods_of(results))
    assert (
        hidden.text("LDAM-DRW") == "LDAM-DRW"
        and hidden.sentence("CE (majority class): 3/4.") == "CE (majority class): 3/4."
    )
    assert hidden.text("bkl/lk") == "bkl/lk" and hidden.text("0.913") == "0.913"
    assert hidden.text("clinic_b-ce").startswith("folder ")
    assert hidden.image("x") == hidden.image("x") != hidden.image("y")
