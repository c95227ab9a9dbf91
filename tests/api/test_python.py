"""Finished runs and trained networks in Python, and a checkpoint that is alone; the blocks of docs/python.md run."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from made_runs import write_run
from PIL import Image
from small_runs import refused

import lightning_imbal as li
from lightning_imbal.cli import main
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_checkpoint import open_checkpoint

PLACE = "hospital-of-somewhere"
PAGE = Path(__file__).parents[2] / "docs" / "python.md"
QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
FIT = ["fit", "--config", "own_folder.yaml", "--config", "methods/ce.yaml", "--model.backbone", "test_resnet"]
FIT += ["--model.pretrained", "false", "--data.image_size", "32", "--data.num_workers", "0", "--laptop", "false"]
FIT += ["--trainer.max_epochs", "1", "--trainer.accelerator", "cpu", *QUIET]
POLY = """
from torch.nn.functional import cross_entropy
from lightning_imbal.losses import ImbalancedLoss

class Poly1(ImbalancedLoss):
    def forward(self, logits, label, sample_weight=None):
        return cross_entropy(logits, label) + (1 - logits.softmax(dim=1).gather(1, label[:, None])).mean()
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A working folder with a run on own images, by a loss of one's own, some pictures, and two made runs."""
    folder = tmp_path_factory.mktemp("work")
    rng = np.random.default_rng(0)
    for number, name in enumerate("abc"):
        (folder / PLACE / name).mkdir(parents=True)
        for place in range(16):
            pixels = rng.integers(0, 60, (40, 30, 3)) + 80 * number
            cv2.imwrite(str(folder / PLACE / name / f"{place}.png"), pixels.astype(np.uint8))
    (folder / "pictures").mkdir()
    for number in (1, 2):
        shutil.copy(folder / PLACE / "abc"[number] / "7.png", folder / "pictures" / f"{number}.png")
    (folder / "poly_of_mine.py").write_text(POLY)
    for name, skill in {"ce": 1.0, "crw": 1.5}.items():
        write_run(folder / "runs" / name, images=120, skill=skill)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        root = ["--data.root", str(folder / PLACE), "--model.loss", "poly_of_mine.Poly1"]
        assert main([*FIT, *root, "--run_dir", "runs/mine"]) == 0
        images = ["--ckpt_path", str(checkpoint_of(folder)), "--images", str(folder / PLACE), "--output", "mine.csv"]
        assert main(["predict", *images, *QUIET]) == 0
    return folder


@pytest.fixture(autouse=True)
def in_the_working_folder(work, monkeypatch):
    monkeypatch.chdir(work)


def checkpoint_of(folder):
    return folder / "runs" / "mine" / "stage1" / "checkpoints" / "best.ckpt"


@pytest.fixture
def alone(work, tmp_path):
    """The checkpoint in a folder of its own, where the images are not."""
    return Path(shutil.copy(checkpoint_of(work), tmp_path / "model.ckpt"))


@pytest.fixture(scope="module")
def model(work):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        return li.load("runs/mine")


def as_csv(work):
    table = pd.read_csv(work / "mine.csv")
    return table.astype({name: np.float32 for name in table if name.startswith("probability/")})


def test_the_package_is_imported_at_once():
    script = "import sys, lightning_imbal as li; assert set(li.__all__) <= set(dir(li)); print([*sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"torch", "pandas", "numpy", "lightning"} & set(eval(done.stdout))
    with pytest.raises(AttributeError, match="has no attribute 'laod'"):
        li.laod  # noqa: B018


def test_predictions_are_those_of_the_command_to_the_bit(work, model, alone):
    expected = as_csv(work)
    for source in (str(alone), model):
        pd.testing.assert_frame_equal(li.predict(source, PLACE), expected, check_exact=True)
    assert (expected["probability/a"].to_numpy() != expected["probability/a"].iloc[0]).any()


def test_the_network_alone_gives_them_too(work, model):
    expected = as_csv(work)[:32]  # a batch
    assert not model.training and model.class_names == ["a", "b", "c"]
    assert repr(model.transforms).startswith("Squash(size=32), mean=[0.485, 0.456, 0.406]")
    files = [f"{PLACE}/{name}" for name in expected["file"]]
    with torch.no_grad():
        probability = model(torch.stack([model.transforms(file) for file in files])).softmax(dim=1).numpy()
    assert (probability == expected.filter(like="probability/").to_numpy()).all()


def test_files_arrays_and_pictures_of_pillow_are_the_same(model):
    files = [f"{PLACE}/b/{place}.png" for place in range(3)]
    arrays = [cv2.imread(file)[:, :, ::-1] for file in files]
    of_files, of_arrays = li.predict(model, files), li.predict(model, arrays)
    of_pillow = li.predict(model, [Image.open(file) for file in files])
    assert of_files["file"].tolist() == files and of_arrays["file"].tolist() == ["0", "1", "2"]
    pd.testing.assert_frame_equal(of_arrays, of_pillow)
    pd.testing.assert_frame_equal(of_arrays.iloc[:, 1:], of_files.iloc[:, 1:])
    grey = np.zeros((40, 30), np.uint8)
    assert torch.equal(model.transforms(grey), model.transforms(np.stack([grey] * 3, axis=2)))
    large = np.random.default_rng(0).integers(0, 256, (300, 200, 3)).astype(np.uint8)
    cv2.imwrite("large.png", large[:, :, ::-1])
    assert torch.equal(model.transforms(large), model.transforms("large.png"))
    os.remove("large.png")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda _: li.load("runs/none"), "There is no checkpoint runs/none"),
        (lambda model: li.predict(model, []), "There are no images"),
        (lambda model: li.predict(model, "runs"), "No images below runs"),
        (lambda model: li.predict(model, [np.zeros((4, 4, 3))]), r"shape \(4, 4, 3\) and the type float64: give uint8"),
        (lambda model: li.predict(model, [3]), "int is no picture"),
        (lambda model: li.predict(model, ["none.png"]), r"^Cannot read the image none.png \(No such file"),
        (lambda _: li.compare_runs("runs/ce", "runs/ce"), "runs/ce is both runs"),
        (lambda _: li.compare_runs("runs/ce", "runs/crw", "macro_f2"), "did you mean macro_f1"),
        (lambda _: li.compare_runs("runs/ce", "runs/mine"), "other classes"),
        (lambda _: li.Run("runs").metrics, "runs holds no finished run"),
    ],
)
def test_mistakes_get_one_sentence(model, call, sentence):
    with pytest.raises(UserError, match=sentence):
        call(model)


def test_a_run_is_tables_and_dicts(work):
    run = li.Run("runs/mine")
    assert repr(run) == "Run('runs/mine')"
    assert run.metrics["identity"]["name"] == "mine" and run.class_names == ["a", "b", "c"]
    assert (run.predictions["predicted"] == run.predictions["label"]).mean() == run.metrics["summary"]["accuracy"]
    assert len(run.predictions) == run.classes["images"].sum() and (run.predictions["group"] == "").all()
    split = pd.read_csv("runs/mine/stage1/split.csv", dtype="str")
    assert run.validation["image"].tolist() == split.loc[split["part"] == "val", "image"].tolist()
    assert run.curves[["stage", "epoch"]].to_numpy().tolist() == [["stage1", 0]]
    assert run.curves[["train/loss", "val/f1"]].notna().all(axis=None) and not run.curves.filter(like="test").size
    assert run.config["model"]["init_args"]["loss"]["class_path"] == "poly_of_mine.Poly1" and len(run.configs) == 1
    assert run.checkpoint == checkpoint_of(work)


def test_two_runs_differ_as_the_report_says():
    from lightning_imbal.stats.read_runs import read_runs

    found, back = li.compare_runs("runs/crw", "runs/ce"), li.compare_runs("runs/ce", "runs/crw", score="f1")
    results = read_runs(["runs/crw", "runs/ce"])
    cells = results.cells[results.cells["metric"] == "f1"]
    assert [found.a, found.b] == pytest.approx(cells["value"].tolist()) and found.images == 120 and found.score == "f1"
    assert found.p_value == cells["p_value"].iloc[1] and found.difference == pytest.approx(found.a - found.b)
    assert found.interval[0] < found.difference < found.interval[1]
    assert (back.difference, back.p_value) == pytest.approx((-found.difference, found.p_value))
    of_class = li.compare_runs("runs/crw", "runs/ce", "f1/mel")
    assert of_class.a - of_class.b == pytest.approx(of_class.difference)
    with pytest.raises(AttributeError):
        found.a = 1


def test_runs_that_are_not_compared(tmp_path):
    for name, seed in {"ce": 0, "crw": 1}.items():
        write_run(tmp_path / name, images=40, skill=1.0 + seed, seed=seed)
    with pytest.raises(UserError, match="ce is seed 0, crw seed 1: compare runs of the same seeds"):
        li.compare_runs(tmp_path / "ce", tmp_path / "crw")
    write_run(tmp_path / "crw", images=40, skill=2.0, predictions=False)
    (tmp_path / "crw" / "predictions.parquet").unlink()
    with pytest.raises(UserError, match="crw has no predictions"):
        li.compare_runs(tmp_path / "ce", tmp_path / "crw")
    for seed in (0, 1):
        write_run(tmp_path / f"ce+seed{seed}", images=40, seed=seed)
    with pytest.raises(UserError, match="differ in seed or fold alone"):
        li.compare_runs(tmp_path / "ce+seed0", tmp_path / "ce+seed1")


def test_a_checkpoint_alone_is_tested(work, alone, capsys, told):
    test = ["test", "--ckpt_path", str(alone), *QUIET]
    assert "but not where its images are" in (said := refused(capsys, *test)) and "give --data.root DIR" in said
    moved = shutil.copytree(work / PLACE, alone.parent / "moved")
    assert main([*test, "--data.root", str(moved)]) == 0
    one, two = (pd.read_parquet(run / "predictions.parquet") for run in (work / "runs" / "mine", alone.parent / "test"))
    pd.testing.assert_frame_equal(one, two)
    assert json.loads((alone.parent / "test" / "metrics.json").read_text())["identity"]["name"] == "mine"
    unknown = "was trained with another split: whether it has learned from these images is not known"
    assert unknown not in " ".join(told.messages)
    assert main([*test, "--data.root", str(moved), "--data.split", "Holdout", "--data.split.test", "0.5"]) == 0
    assert unknown in " ".join(told.messages)


def test_a_checkpoint_alone_predicts_as_in_its_run(work, alone):
    output = alone.parent / "alone.csv"
    images = ["--images", str(work / PLACE), "--output", str(output)]
    assert main(["predict", "--ckpt_path", str(alone), *images, *QUIET]) == 0
    assert output.read_bytes() == (work / "mine.csv").read_bytes()


def test_what_needs_validation_images_asks_for_them(work, alone, capsys):
    predict = ["predict", "--ckpt_path", str(alone), "--images", "pictures", "--model.predictor", "TemperatureScaled"]
    assert "TemperatureScaled is fitted to its validation images: give --data.root" in refused(capsys, *predict)
    content = torch.load(alone, weights_only=True)  # not mapped: it is written over
    content["config"]["model"]["init_args"]["predictor"]["class_path"] = "lightning_imbal.predictors.TemperatureScaled"
    torch.save(content, alone)
    with pytest.raises(UserError, match="TemperatureScaled is fitted to the validation images"):
        li.predict(alone, "pictures")


def test_pictures_are_normalised_as_in_training(alone):
    content = torch.load(alone, weights_only=True)  # not mapped: it is written over
    content["normalize"]["mean"] += 0.1
    torch.save(content, alone)
    model = li.load(alone)
    assert torch.equal(model.transforms.data.normalize.mean, content["normalize"]["mean"])
    assert model.transforms("pictures/1.png").mean() < li.load("runs/mine").transforms("pictures/1.png").mean()


def strings(content):
    match content:
        case str():
            yield content
        case dict():
            for key, value in content.items():
                yield from (*strings(key), *strings(value))
        case list() | tuple():
            for value in content:
                yield from strings(value)


def test_checkpoints_name_no_place(work):
    for file in ("best", "last"):
        checkpoint = checkpoint_of(work).with_name(f"{file}.ckpt")
        found = [*strings(open_checkpoint(checkpoint))]
        assert "lightning_imbal.data.FolderData" in found, "strings are seen"
        parts = {PLACE, str(work), str(Path.home())}
        assert not [each for each in found if any(part in each for part in parts) or each.startswith(("/", "~"))]
        content = checkpoint.read_bytes()
        assert not [part for part in parts if part.encode() in content]


@pytest.mark.parametrize("by", ["the command", "Python"])
def test_a_class_of_ones_own_is_named_where_it_is_absent(work, tmp_path, monkeypatch, capsys, by):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "poly_of_mine", raising=False)
    run = work / "runs" / "mine"
    sentence = "was trained with poly_of_mine.Poly1, and there is no poly_of_mine.py here"
    if by == "Python":
        with pytest.raises(UserError, match=sentence):
            li.load(run)
        assert str(tmp_path) not in sys.path
        return
    assert sentence in refused(
        capsys, "predict", "--ckpt_path", str(checkpoint_of(work)), "--images", str(work / PLACE)
    )


def test_no_code_of_a_checkpoint_is_run(alone, tmp_path, monkeypatch):
    content = torch.load(alone, weights_only=True)  # not mapped: it is written over
    content["config"]["model"]["init_args"]["loss"] = {"class_path": "os.mkdir", "init_args": {"path": "made"}}
    torch.save(content, alone)
    with pytest.raises(UserError, match="cannot be built"):
        li.load(alone)
    assert not Path("made").exists()


SMALLER = {
    **{"resnet18": "test_resnet", "image_size=64": "image_size=32"},
    **{"image_size=32)": "image_size=32, num_workers=0)", "max_epochs=2": "max_epochs=1"},
}


def test_blocks_of_the_page_run(work, isic_root, tmp_path, monkeypatch):
    (work / "data").mkdir(exist_ok=True)
    (work / "data" / "isic2018").symlink_to(isic_root)
    page = PAGE.read_text()
    for printed, smaller in SMALLER.items():  # for time
        assert printed in page
        page = page.replace(printed, smaller)
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert len(blocks) == 10
    names = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert names["table"]["file"].tolist() == ["1.png", "2.png"] and names["found"].difference > 0
    pd.testing.assert_frame_equal(names["table"].iloc[:, 1:], names["same"].iloc[:, 1:])
    assert len(names["probability"]) == len(names["data"].rows("test"))
    assert 0 < names["results"][0]["test/f1"] <= 1
    loaded, given = (names[name].backbone.state_dict() for name in ("again", "model"))
    assert all(torch.equal(loaded[key], given[key]) for key in given)
    assert names["data"].predicted is None, "what li.predict was given does not stay"
