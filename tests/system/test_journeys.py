"""What people do first, from an empty folder with only what they have: a number and a next command, or one sentence.

The tenth, the wheel without a checkout, is in `test_installed.py`.
"""

import gc
import re
import shlex
import shutil
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

import lightning_imbal as li
from lightning_imbal.backbones.create import create_backbone
from lightning_imbal.cli import main
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.program import VERBS
from lightning_imbal.command_line import given
from lightning_imbal.experiment_files import files_of

SIZES = {"benign": 30, "malignant": 14, "rare": 8}
SHORT = ["--trainer.max_epochs=1", "--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
SHORT += ["--model.backbone=test_resnet", "--data.image_size=16", "--laptop=false", "--data.num_workers=0"]
PAPERS = [name for name in files_of(".") if re.match("chen|galdran|marrakchi|zeng|zhang", name)]
reader = cache(ImbalCLI)


def draw(folder, bits=8):
    """Grey pictures in a folder for each class, which is a brightness."""
    rng = np.random.default_rng(0)
    for number, (name, size) in enumerate(SIZES.items()):
        (folder / name).mkdir(parents=True)
        for image in range(size):
            pixels = (rng.random((20, 20)) * 80 + 80 * number) * 2 ** (bits - 8)
            cv2.imwrite(str(folder / name / f"{name}{image}.png"), pixels.astype(f"uint{bits}"))


def labels(folder):
    """A row for each picture: its file, its class, and who it is of, two each."""
    files = sorted(folder.rglob("*.png"))
    rows = [(str(file.relative_to(folder)), file.parent.name, f"P{place // 2}") for place, file in enumerate(files)]
    return pd.DataFrame(rows, columns=["image", "diagnosis", "patient"])


@pytest.fixture
def program(capsys):
    """Runs a command line as it is typed, and what makes it short; returns what is printed."""

    def run(line, *more):
        capsys.readouterr()
        status = main([*shlex.split(line), *more])
        said = capsys.readouterr()
        assert status == 0, said.err
        return said.out

    return run


@pytest.fixture
def refused(capsys):
    """The one sentence that a command line is answered with."""

    def run(line, *more):
        assert main([*shlex.split(line), *more]) == 2
        said = capsys.readouterr().err.strip().splitlines()[-1]
        assert said.startswith("lightning_imbal: ")
        return said

    return run


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two finished runs on one's own images, in the folder where they were made."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        draw(folder / "pictures")
        assert main(["init", "pictures"]) == 0
        for name, more in {"ce": [], "rs": ["--config=methods/rs.yaml"]}.items():
            longer = [*SHORT, "--trainer.max_epochs=8", "--data.batch_size=8"]  # until it has learned something
            assert main(["fit", "--config=pictures.yaml", *more, *longer, f"--run_dir=runs/{name}"]) == 0
    return folder


def next_commands(said, *verbs):
    """The commands that a text ends with, of which there is one of each verb."""
    found = [shlex.split(line)[1:] for line in re.findall(r"lightning_imbal \S.*", said)]
    assert found and all(command[0] in VERBS for command in found), said
    assert {*verbs} <= {command[0] for command in found}, said
    return found


def number_and_next(said, *verbs):
    assert re.search(r"Macro F1 [ │]*[01]\.\d{3}", said), said
    return next_commands(said, *verbs)


def test_a_folder_for_each_class(here, program):
    draw(here / "pictures")
    first, second, third = next_commands(program("init pictures"), "audit", "fit", "compare")
    assert "fit --config pictures.yaml" in program(shlex.join(first))
    following = number_and_next(program(shlex.join(second), *SHORT), "fit", "report")
    reader("fit").read(next(command for command in following if command[0] == "fit")[1:])
    assert "0 of" in program(shlex.join(third), "--dry-run")


def test_a_csv_file_with_patients(here, program):
    draw(here / "scans")
    labels(here / "scans").to_csv("scans/labels.csv", index=False)
    assert "26 patients" in program("init scans")
    said = program("fit --config scans.yaml --run_dir runs/scans", *SHORT)
    number_and_next(said, "report")
    split = pd.read_csv("runs/scans/stage1/split.csv")
    assert (split.groupby("group")["part"].nunique() == 1).all() and split["group"].nunique() == 26


def test_a_csv_file_with_a_column_for_each_class(here, program):
    draw(here / "scans")
    table = labels(here / "scans")
    columns = pd.get_dummies(table["diagnosis"]).astype(int)
    pd.concat([table[["image"]], columns], axis=1).to_csv("scans/labels.csv", index=False)
    assert "columns of 0 and 1" in program("init scans")
    number_and_next(program("fit --config scans.yaml", *SHORT), "report")


def test_a_wrong_column(here, refused):
    draw(here / "scans")
    labels(here / "scans").to_csv("scans/labels.csv", index=False)
    assert "did you mean 'diagnosis'?" in refused("fit --data.root scans --data.label_column diagnos")
    assert "did you mean 'diagnosis'?" in refused("init scans --data.label_column diagnos")
    assert not [*here.rglob("*.yaml"), *here.glob("runs")]


@pytest.mark.slow  # test_depth.py trains on such
def test_pictures_of_16_bits(here, program, told):
    draw(here / "scans", bits=16)
    assert "16 bits" in program("init scans")
    number_and_next(program("fit --config scans.yaml", *SHORT), "report")


def test_weights_of_ones_own(here, program, refused, told):
    draw(here / "pictures")
    weights = create_backbone("test_resnet", pretrained=False).state_dict()
    torch.save({"state_dict": {f"module.backbone.{name}": value for name, value in weights.items()}}, "own.pth")
    number_and_next(program("fit --data.root pictures --model.pretrained own.pth", *SHORT), "report")
    torch.save({"state_dict": {"fc.weight": torch.zeros(2, 2)}}, "other.pth")
    assert "other.pth" in refused("fit --data.root pictures --model.pretrained other.pth --run_dir x", *SHORT)
    assert not Path("x").exists()


# The others differ from it in what the overlays do not touch; more pairs are in tests/cli/parts/test_stages.py.
@pytest.mark.parametrize(
    "paper",
    [pytest.param(name, marks=[] if name == "zeng_skin7" else [pytest.mark.slow]) for name in PAPERS],
)
def test_a_laptop_in_either_order(paper):
    overlays = [["--config=variants/laptop.yaml", "--config=methods/ce_crw.yaml"]]
    overlays += [overlays[0][::-1]]
    read = [
        [stage.as_dict() | {"config": None} for stage in reader("fit").stages(reader("fit").read(options))]
        for options in ([f"--config={paper}.yaml", *each] for each in overlays)
    ]
    assert read[0] == read[1]
    assert all(stage["trainer"]["max_epochs"] <= 8 for stage in read[0])


def test_one_file_on_another_machine(finished, here, program, refused):
    shutil.copy(li.Run(finished / "runs/ce").checkpoint, "best.ckpt")
    draw(here / "elsewhere")
    assert "--data.root DIR" in refused("test --ckpt_path best.ckpt")
    number_and_next(program("test --ckpt_path best.ckpt --data.root elsewhere", "--trainer.enable_progress_bar=false"))
    program("predict --ckpt_path best.ckpt --images elsewhere", "--trainer.enable_progress_bar=false")
    before = li.predict(li.load(finished / "runs/ce"), "elsewhere")
    pd.testing.assert_frame_equal(pd.read_csv("predictions.csv"), before, check_dtype=False)
    program("fit --data.root elsewhere --config methods/ce.yaml --print_plan")  # classes are found by their names


@pytest.mark.slow  # tests/export exports a checkpoint without its run, and a run without its images
def test_one_file_is_exported_on_another_machine(finished, here, program):
    shutil.copy(li.Run(finished / "runs/ce").checkpoint, "best.ckpt")
    gc.disable()  # which might by chance take away what the exporter leaves behind
    try:
        program("export best.ckpt --onnx model.onnx")
    finally:
        gc.enable()
    assert Path("model.onnx").is_file() and "not known" in Path("model.md").read_text()


def test_two_finished_runs(finished, monkeypatch, program):
    monkeypatch.chdir(finished)
    [page] = number_and_next(program("report runs/ce runs/rs"), "report")
    program(shlex.join(page))
    assert Path(given("html", page)).is_file()
    found = li.compare_runs("runs/rs", "runs/ce")
    scores = [li.Run(f"runs/{name}").metrics["summary"]["f1"] for name in ("rs", "ce")]
    assert [found.a, found.b] == pytest.approx(scores) and found.difference == pytest.approx(scores[0] - scores[1])
    assert found.images == 11 and 0 <= found.p_value <= 1
