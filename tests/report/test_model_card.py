"""The model card of made-up runs: its numbers are those of the run, its limits those of the data."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from made_runs import COUNTS, IMAGES, NAMES, write_run, write_stage

from lightning_imbal.experiment_files import files_of, read_yaml
from lightning_imbal.report.model_card import described, model_card
from lightning_imbal.stats.read_runs import read_runs

FACTS = {
    "file": "model.onnx",
    "checkpoint": "stage1/checkpoints/best.ckpt",
    "head": "Linear(bias=True)",
    "adjustment": "PostHocAdjusted(tau=0.5)",
    "image_size": "64 x 64",
    "recipe": "own.Squash",
    "mean": "[0.5, 0.5, 0.5]",
    "std": "[0.2, 0.2, 0.2]",
    "check": "Checked on 3 images.",
    "origin": "These scores are those of the file.",
    "steps": "picture = picture[:64, :64]",
}


def write_data(folder, parts, groups=None, names=NAMES):
    """Leaves the configuration of the last stage and the part of every image."""
    write_stage(folder / "stage1", names=names)
    config = yaml.safe_load((folder / "stage1" / "config.yaml").read_text())
    config["data"] = {"class_path": "own.module.Skin_Images", "init_args": {}}
    (folder / "stage1" / "config.yaml").write_text(yaml.safe_dump(config))
    table = pd.DataFrame({"image": [f"ISIC_{row:04d}" for row in range(len(parts))], "part": parts})
    table["class"] = np.resize(names, len(parts))
    if groups is not None:
        table["group"] = groups
    table.to_csv(folder / "stage1" / "split.csv", index=False)


@pytest.fixture
def run(tmp_path):
    write_run(tmp_path / "own", images=120, checkpoint="best.ckpt")
    write_data(tmp_path / "own", ["train", "test", "val", ""] * 30)
    return tmp_path / "own"


def tables(card):
    """The cells of every table, as a reader of the page sees them."""
    found = [[]]
    for line in card.splitlines():
        if line.startswith("|"):
            cells = [re.sub(r"\\(.)", r"\1", cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found[-1].append(cells)
        elif found[-1]:
            found.append([])
    return [[row for row in table if set("".join(row)) != set("-:") and row[0] != "---"] for table in found if table]


def test_numbers_are_those_of_the_run(run):
    about, split, summary, classes, confusions = tables(model_card(run, FACTS))
    found, results = json.loads((run / "metrics.json").read_text()), read_runs([run])
    assert dict(about[1:])["backbone"] == "resnet18" and dict(about[1:])["at inference"] == FACTS["adjustment"]
    macro = next(row for row in summary if row[0] == "Macro F1")
    cell = results.cells.set_index("metric").loc["f1"]
    assert macro == ["Macro F1", f"{found['summary']['f1']:.3f}", f"{cell['low']:.3f} to {cell['high']:.3f}"]
    assert len(summary) == 1 + len(results.spec.metrics)
    ece, calibrated = found["summary"]["ece"], results.cells.set_index("metric")["calibrated"]["ece"]
    assert ["Expected calibration error", f"{ece:.3f}", f"calibrated: {calibrated:.3f}"] in summary
    for row, of_class in zip(classes[1:], found["classes"], strict=True):
        scores = [f"{of_class[score]:.3f}" for score in ("precision", "recall", "f1")]
        assert row[:6] == [of_class["name"], str(of_class["train_images"]), str(of_class["images"]), *scores]
        interval = results.classes.set_index("class").loc[of_class["name"]]
        assert row[6] == f"{interval['f1_low']:.3f} to {interval['f1_high']:.3f}"
    assert [row[0] for row in classes[1:]] == NAMES, "from most to fewest training images"
    assert [list(map(int, row[1:])) for row in confusions[1:]] == found["confusion"]
    assert split[0] == ["class", "train", "validation", "test", "left out"]
    assert split[1] == ["nv", "30", "0", "0", "0"] and split[-1] == ["all", "30", "30", "30", "30"]


def test_it_says_what_every_stage_was(tmp_path):
    fitted = {"temperature": 1.25}
    write_run(tmp_path / "own", images=120, predictions=False, fitted=fitted, data="FolderData", checkpoint="best.ckpt")
    write_data(tmp_path / "own", ["train", "test"])
    shutil.copytree(tmp_path / "own" / "stage1", tmp_path / "own" / "stage2")
    methods, heads = files_of("methods"), files_of("heads")
    for stage, file in {"stage1": methods["ldam_drw"], "stage2": heads["crw"]}.items():
        place = tmp_path / "own" / stage / "config.yaml"
        data = {"class_path": "own.FolderData", "init_args": {"root": "/a/skin_pictures"}}
        config = {"trainer": {}, "model": read_yaml(file)["model"], "data": data, "ckpt_path": None}
        place.write_text(yaml.safe_dump(config))
    card = model_card(tmp_path / "own", FACTS)
    assert card.startswith("# Model card: LDAM-DRW -> cRW, skin\\_pictures, seed 0\n")
    about = dict(tables(card)[0][1:])
    assert about["method"] == "LDAM-DRW -> cRW" and about["modules"] == "Classifier, then FrozenHead"
    ldam, crw = about["loss"].split(", then ")
    assert ldam == "Deferred(loss=LDAM(max_margin=0.5, scale=30))" and "weight=inverse" in crw
    assert about["fitted"] == "temperature 1.25" and about["data set"] == "skin_pictures"
    assert "## Results on the test part of skin\\_pictures" in card and "FolderData" not in card
    assert "Quadratic kappa" not in card and "MCC" in card


def test_a_run_without_predictions_has_no_intervals(tmp_path):
    write_run(tmp_path / "own", images=120, predictions=False)
    write_data(tmp_path / "own", ["train", "test"])
    card = model_card(tmp_path / "own", FACTS)
    assert "over 15 bins.\n" in card and "calibrated network" not in card
    summary, classes = tables(card)[2:4]
    assert {row[-1] for row in [*summary[1:], *classes[1:]]} == {""}


def test_classes_with_few_images_are_named(tmp_path):
    write_run(tmp_path / "own", images=50, predictions=False, checkpoint="best.ckpt")
    write_data(tmp_path / "own", ["train", "test"])
    card = model_card(tmp_path / "own", FACTS)
    images = {
        row["name"]: row["images"] for row in json.loads((tmp_path / "own" / "metrics.json").read_text())["classes"]
    }
    few = ", ".join(f"{name} ({number})" for name, number in images.items() if number < 10)
    assert few and f"Fewer than 10 test images, so that the scores mean little: {few}." in card
    write_run(tmp_path / "own", images=IMAGES, predictions=False, checkpoint="best.ckpt")
    assert "Fewer than" not in model_card(tmp_path / "own", FACTS)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (["a", "b", "c", "d"], "0 of 2 test images are of a group (lesion, patient) that was also trained on."),
        (["a", "a", "b", "b"], "2 of 2 test images are of a group (lesion, patient) that was also trained on: the"),
        (["a", "", "b", "b"], "Of 1 test images no group is known."),
        (["", "", "", ""], "No group (lesion, patient) of the images is known"),
        (None, "No group (lesion, patient) of the images is known"),
    ],
)
def test_groups_on_both_sides_are_counted(tmp_path, groups, said):
    write_run(tmp_path / "own", images=120, predictions=False, checkpoint="best.ckpt")
    write_data(tmp_path / "own", ["train", "test", "val", "test"], groups)
    assert said in model_card(tmp_path / "own", FACTS)


def test_a_part_that_chose_the_epoch_is_a_limit(tmp_path):
    identity = {"part": "val", "chosen_by": {"epoch": "val/f1"}, "checkpoint": "best.ckpt"}
    write_run(tmp_path / "own", images=120, predictions=False, **identity)
    write_data(tmp_path / "own", ["train", "val"])
    assert "- Classifier, ISIC2018, seed 0 has chosen its epoch by val/f1 on this very val part" in model_card(
        tmp_path / "own", FACTS
    )


def test_names_of_users_mean_nothing_to_markdown(tmp_path):
    names = ["a|b", "<script>alert(1)</script>", "*_`~", "[x](y)"]
    write_run(
        tmp_path / "own_<b>", images=120, names=names, groups={"all": names}, data="Skin_Images", checkpoint="best.ckpt"
    )
    write_data(tmp_path / "own_<b>", ["train", "test", "val", ""] * 30, names=names)
    card = model_card(tmp_path / "own_<b>", FACTS | {"file": "a'b|<i>\".onnx"})
    assert [row[0] for row in tables(card)[3][1:]] == names
    text = card[: card.index("```")].replace("`class_names`", "")
    assert not re.search(r"(?<!\\)[<*_~\[]", text), "every special character has its backslash"
    assert json.dumps("a'b|<i>\".onnx") in card[card.index("```") :]


def test_what_a_reader_must_know_is_there(run):
    card = model_card(run, FACTS)
    ece = json.loads((run / "metrics.json").read_text())["summary"]["ece"]
    calibrated = read_runs([run]).cells.set_index("metric")["calibrated"]["ece"]
    for words in (
        "not a medical device",
        r"learned from Skin\_Images alone",
        f"Expected calibration error {ece:.3f}",
        f"over 15 bins. That of a calibrated network would not exceed {calibrated:.3f} in 95 of 100 test sets",
        "leave out the chance of training",
        "Holdout, image by image",
        "RGB in 0..1, 64 x 64 pixels",
        FACTS["check"],
        FACTS["origin"],
    ):
        assert words in card, words


@pytest.mark.parametrize(("group_by", "one"), [("lesion", "lesion"), ("duplicates", "photograph")])
def test_what_is_kept_together_is_named(run, group_by, one):
    found = json.loads((run / "metrics.json").read_text())
    found["identity"]["split"]["group_by"] = group_by
    (run / "metrics.json").write_text(json.dumps(found))
    assert f"images of one {one} on the same side" in model_card(run, FACTS)


def test_of_many_classes_the_most_frequent_confusions_are_shown(run):
    found = json.loads((run / "metrics.json").read_text())
    few = tables(model_card(run, FACTS))[-1]
    extra = [found["classes"][0] | {"name": f"empty {number}", "train_images": 1, "images": 0} for number in range(22)]
    matrix = np.zeros((26, 26), dtype=int)
    matrix[:4, :4] = found["confusion"]
    (run / "predictions.parquet").unlink()
    (run / "metrics.json").write_text(
        json.dumps(found | {"classes": found["classes"] + extra, "confusion": matrix.tolist()})
    )
    many = tables(model_card(run, FACTS))[-1]
    wrong = {(NAMES[i], NAMES[j]): matrix[i, j] for i in range(4) for j in range(4) if i != j and matrix[i, j]}
    assert len(few) == 1 + len(COUNTS) and many[0] == ["true class", "predicted class", "images"]
    assert {(row[0], row[1]): int(row[2]) for row in many[1:]} == wrong
    assert [int(row[2]) for row in many[1:]] == sorted(wrong.values(), reverse=True)


def test_code_says_where_unknown_steps_belong(run):
    assert "# here `picture` has to be prepared" in model_card(run, FACTS | {"steps": ""})


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"class_path": "a.b.Plain"}, "Plain"),
        ({"class_path": "a.PostHoc", "init_args": {"tau": 0.123456, "x": None}}, "PostHoc(tau=0.1235)"),
        ({"class_path": "a.Outer", "init_args": {"loss": {"class_path": "b.Inner"}}}, "Outer(loss=Inner)"),
        ("own.function", "own.function"),
    ],
)
def test_choices_are_described(choice, text):
    assert described(choice) == text
