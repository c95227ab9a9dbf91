"""Every file that the program reads, cut off, or replaced by text or another one: one sentence, or no change."""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import timm
import torch
from safetensors.torch import save_file

from lightning_imbal.backbones.create import create_backbone
from lightning_imbal.cli import main
from lightning_imbal.data.pictures.disk_cache import DiskCache
from lightning_imbal.errors import UserError
from lightning_imbal.launch.job import Job
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.analysis import learning_curves
from lightning_imbal.stats.read_runs import read_runs
from lightning_imbal.stats.settings import configurations, settings

QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false", "--laptop", "false"]
DAMAGES = {
    "empty": lambda whole, other: b"",
    "first byte": lambda whole, other: whole[:1],
    "half": lambda whole, other: whole[: len(whole) // 2],
    "all but one byte": lambda whole, other: whole[:-1],
    "text": lambda whole, other: b"<html>404 not found</html>\n",
    "another one": lambda whole, other: other,
}
# Of a run that differs in its seed alone: only digests tell.
OF_RUNS = [*DAMAGES, "twin"]
CHECKPOINTS = "stage2/checkpoints/best.ckpt", "stage1/checkpoints/last.ckpt", "stage1/checkpoints/best.ckpt"
ONLY_NEWLINE = ("metrics.json", "metrics.csv", "split.csv", "config.yaml", "command.json", "compare.json")


def fit(place, name, *more):
    options = ["--data.root", str(place / "data"), "--data.labels", "labels.csv", "--data.image_size", "32"]
    options += ["--data.batch_size", "32", "--data.num_workers", "0", "--trainer.accelerator", "cpu"]
    options += ["--trainer.max_epochs", "1", "--run_dir", str(place / name), "--save_features", "true"]
    return ["fit", "--config", "experiments/own_csv.yaml", *options, *QUIET, *more]


TWO_STAGES = ["--model.backbone", "test_resnet", "--then", "experiments/heads/crw.yaml"]
TWO_STAGES += ["--then.trainer.max_epochs", "1", "--data.split", "Holdout", "--data.split.test", "0.2"]
TWO_STAGES += ["--data.split.val", "0.1", "--data.split.seed", "0"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with images, a finished run of two stages, one of another seed, one of other parts, network, classes."""
    place = tmp_path_factory.mktemp("files")
    (place / "data").mkdir()
    rng, rows = np.random.default_rng(0), []
    for number in range(60):
        label = number % 3
        pixels = rng.integers(0, 120, (24, 24, 3), dtype=np.uint8)
        pixels[..., label] += 100
        cv2.imwrite(str(place / "data" / f"{number:03d}.png"), pixels)
        rows.append((f"{number:03d}.png", "abc"[label], "abd"[label]))
    table = pd.DataFrame(rows, columns=["image", "label", "other"])
    table.to_csv(place / "data" / "labels.csv", index=False)
    for name, seed in (("run", "0"), ("twin", "1")):
        write_record(place / name, seed)
        assert main(fit(place, name, *TWO_STAGES, "--seed_everything", seed)) == 0
    another = ["--data.split", "Holdout", "--data.split.test", "0.2", "--data.split.val", "0.1", "--data.split.seed"]
    another += ["5", "--data.label_column", "other", "--model.backbone", "test_efficientnet"]
    assert main(fit(place, "other", *another)) == 0
    write_record(place / "other", "2")
    return place


def write_record(folder, seed):
    """What a table writes before it starts a run."""
    folder.mkdir(exist_ok=True)
    record = {"identity": {"configs": ["a.yaml"], "options": {"seed_everything": seed}}, "seconds": 1.0}
    (folder / "command.json").write_text(json.dumps(record) + "\n")


@pytest.fixture
def broken(place, request):
    """Puts something else in the place of a file, and the file back afterwards."""
    kept = place / "kept"

    def put(file, damage, other):
        shutil.copy2(file, kept)
        request.addfinalizer(lambda: shutil.move(kept, file))
        other = place / "twin" / file.relative_to(place / "run") if damage == "twin" else Path(other)
        damaged = DAMAGES["another one" if damage == "twin" else damage]
        file.write_bytes(damaged(kept.read_bytes(), other.read_bytes()))
        return file

    return put


def other_of(place, name):
    return place / "other" / name.replace("stage2", "stage1")


def refuses(capsys, file, *args):
    capsys.readouterr()
    status = main(list(map(str, args)))
    said = capsys.readouterr().err.strip().splitlines()
    assert status == 2 and len(said) == 1, (status, said)
    named = file.name in said[0] or "The checkpoint knows the classes" in said[0]
    assert named and ": " in said[0].partition(": ")[2], said


@pytest.fixture(scope="module")
def whole(place):
    """What is read of the run before anything is broken."""
    return read_all(place / "run")


def read_all(folder):
    """Reads what a report and a model card read."""
    run = Run(folder)
    results = read_runs([folder])
    return (
        *(run.results, settings(run), configurations(run), run.predictions.probability.tolist()),
        *(run.predictions.unit.tolist(), run.feature_map().to_dict(), learning_curves([run]).to_dict()),
        *([stage.config() for stage in run.stages], run.split().to_dict(), str(results.cells.to_dict())),
    )


READ = ["metrics.json", "predictions.parquet", "features.npz", "stage2/split.csv", "stage1/metrics.csv"]
REPORTED = [(name, damage) for name in [*READ, "stage1/config.yaml"] for damage in OF_RUNS]
# Read by the same functions.
REPORTED += [
    (f"stage2/{name}", damage) for name in ("metrics.csv", "config.yaml") for damage in ("half", "another one")
]
REPORTED += [("stage2/config.yaml", "twin")]
# What no reader takes, as it takes no half of a file.
UNREADABLE = [(name, damage) for name in READ[1:] for damage in ("first byte", "all but one byte", "text")]


@pytest.mark.parametrize(
    "name, damage",
    [pytest.param(*each, marks=pytest.mark.slow if each in UNREADABLE else []) for each in REPORTED],
)
def test_a_report_of_a_broken_run(place, whole, broken, name, damage):
    run = place / "run"
    file = run / name
    broken(file, damage, other_of(place, name))
    try:
        assert read_all(run) == whole
        same = damage == "twin" and name == "stage2/split.csv"  # the parts are those of the other seed
        assert same or (damage == "all but one byte" and file.name in ONLY_NEWLINE)
    except UserError as error:
        # Which of two files is another run's, nobody knows.
        unknown = damage in ("another one", "twin") and re.search("of one run|of another run|of this run", str(error))
        named = file.name in str(error) or unknown
        assert named and len(str(error).splitlines()) == 1


def test_report_says_it_in_one_line(place, broken, capsys):
    file = broken(place / "run" / "metrics.json", "half", place / "other" / "metrics.json")
    refuses(capsys, file, "report", place / "run")


@pytest.mark.parametrize("damage", OF_RUNS)
def test_command_json(place, broken, damage):
    arguments = ("fit", "--config", "a.yaml", "--seed_everything", "0")
    job = Job("run", place / "run", arguments)
    assert job.is_recorded
    broken(place / "run" / "command.json", damage, place / "other" / "command.json")
    if damage in ("all but one byte", "another one", "twin"):
        assert job.is_recorded == (damage == "all but one byte")  # a table refuses what is not
        return
    with pytest.raises(UserError, match="command.json .*: delete it"):
        assert job.is_recorded


# All verbs read it by the same function.
EVALUATED = [("predict", damage) for damage in [*DAMAGES, "old format", "code", "of another program", "changed byte"]]
EVALUATED += [(verb, damage) for verb in ("test", "validate") for damage in ("half", "another one", "code")]
EVALUATED += [("export", damage) for damage in ("half", "code")]
EVALUATED += [(verb, "twin") for verb in ("predict", "test", "validate", "export")]


@pytest.mark.parametrize("verb, damage", EVALUATED)
def test_a_broken_checkpoint_is_not_evaluated(place, broken, capsys, damage, verb):
    name = "stage2/checkpoints/best.ckpt"
    made = place / "made.ckpt"
    content = torch.load(place / "run" / name, weights_only=True)
    if damage == "old format":
        torch.save(content, made, _use_new_zipfile_serialization=False)
    elif damage == "code":
        with_code(place, place / "run" / name)
    elif damage == "of another program":
        torch.save({"state_dict": content["state_dict"], "hyper_parameters": {"lr": 1}}, made)
    elif damage == "changed byte":
        changed = bytearray((place / "run" / name).read_bytes())
        changed[len(changed) // 2] ^= 1
        made.write_bytes(changed)
    else:
        made = other_of(place, name)
    file = broken(place / "run" / name, damage if damage in OF_RUNS else "another one", made)
    more = {"predict": ["--images", place / "data", "--output", place / "p.csv"]}
    more["export"] = [place / "run", "--onnx", place / "p.onnx"]
    refuses(capsys, file, verb, *(["--ckpt_path", file] if verb != "export" else []), *more.get(verb, []))
    assert not list(place.glob("p.*")) and not (place / "run" / verb).exists()


def with_code(place, file):
    """A checkpoint that holds an object besides, which would run code of its own when it is read."""
    torch.save(torch.load(file, weights_only=True) | {"code": Path}, made := place / "made.ckpt")
    return made


# By the functions that read it for `predict`, which is tried with every damage.
DAMAGED = ("half", "another one", "twin", "code")
GONE_ON = [*(("last.ckpt", damage) for damage in DAMAGED), ("best.ckpt", "half"), ("best.ckpt", "twin")]
QUICK = [("last.ckpt", "code"), ("best.ckpt", "twin")]


@pytest.mark.parametrize(
    "name, damage", [pytest.param(*each, marks=[] if each in QUICK else pytest.mark.slow) for each in GONE_ON]
)
def test_a_broken_checkpoint_is_not_gone_on_from(place, broken, capsys, damage, name):
    file = place / "run" / "stage1" / "checkpoints" / name
    other = with_code(place, file) if damage == "code" else place / "other" / "stage1" / "checkpoints" / name
    broken(file, "another one" if damage == "code" else damage, other)
    refuses(capsys, file, *fit(place, "run", *TWO_STAGES, "--ckpt_path", "last"))


@pytest.mark.parametrize(
    "damage", [pytest.param(each, marks=[] if each in ("code", "twin") else pytest.mark.slow) for each in DAMAGED]
)
def test_a_second_stage_does_not_start_from_a_broken_checkpoint(place, broken, capsys, damage):
    file, other = place / "run" / CHECKPOINTS[2], place / "other" / "stage1" / "checkpoints" / "best.ckpt"
    broken(file, "another one" if damage == "code" else damage, with_code(place, file) if damage == "code" else other)
    head = ["--model", "FrozenHead", "--model.backbone_ckpt", str(file), "--model.backbone", "test_resnet"]
    refuses(capsys, file, *fit(place, "head", *head))


@pytest.mark.parametrize("damage", [*DAMAGES, "pointer"])
@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_broken_weights(tmp_path, damage, suffix):
    save = save_file if suffix == "safetensors" else torch.save
    file, other = tmp_path / f"weights.{suffix}", tmp_path / f"other.{suffix}"
    save(timm.create_model("test_resnet").state_dict(), file)
    save(timm.create_model("test_vit").state_dict(), other)
    whole = file.read_bytes()
    create_backbone("test_resnet", str(file))
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    file.write_bytes(pointer if damage == "pointer" else DAMAGES[damage](whole, other.read_bytes()))
    with pytest.raises(UserError, match=f"weights.{suffix} .*: .*" if damage != "pointer" else "git lfs pull"):
        create_backbone("test_resnet", str(file))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("suffix", ["bin", "json"])
def test_a_broken_cache_is_made_anew(place, tmp_path, damage, suffix):
    paths = sorted(map(str, (place / "data").glob("*.png")))
    cache = DiskCache(tmp_path / "cache", paths, 32)
    other = DiskCache(tmp_path / "other", paths[:30], 32)
    assert cache.build(progress=False) and other.build(progress=False)
    whole = [picture.copy() for picture in cache]
    file = cache.folder / f"shard-00000.{suffix}"
    file.write_bytes(DAMAGES[damage](file.read_bytes(), (other.folder / file.name).read_bytes()))
    again = DiskCache(cache.folder, paths, 32)
    assert again.build(progress=False) == len(paths)
    assert all(np.array_equal(*pair) for pair in zip(again, whole, strict=True))


# What else is no JSON is as half of it; another root is refused in test_compare.py.
@pytest.mark.parametrize(
    "damage", ["half", *(pytest.param(each, marks=pytest.mark.slow) for each in ("all but one byte", "another one"))]
)
def test_compare_json(place, tmp_path, capsys, damage):
    data = {"root": str(tmp_path), "images": 1, "labels": "0"}
    whole = json.dumps({"data": data, "state": "0", "warnings": []}).encode() + b"\n"
    (tmp_path / "compare.json").write_bytes(DAMAGES[damage](whole, whole))
    options = ["--data.class_path", "CSVData", "--data.root", place / "data", "--data.labels", "labels.csv"]
    options += ["--methods", "ce", "--dry-run", "--runs", tmp_path]
    capsys.readouterr()
    assert main(["compare", *map(str, options)]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "holds runs on" in said if damage in ("all but one byte", "another one") else "compare.json" in said


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_was_remembered_of_pictures_is_a_help_alone(place, tmp_path, damage, monkeypatch):
    from lightning_imbal.data.pictures import files

    monkeypatch.setattr(files, "LEAST_BYTES", 0)
    paths = sorted(map(str, (place / "data").glob("*.png")))
    record = tmp_path / "record.opened"
    assert files.ImageFiles(paths, 32, record).find_bad(range(60)) == {}
    whole = record.read_bytes()
    files.ImageFiles(paths[:9], 32, tmp_path / "other").find_bad(range(9))
    record.write_bytes(DAMAGES[damage](whole, (tmp_path / "other").read_bytes()))
    assert files.ImageFiles(paths, 32, record).find_bad(range(60)) == {} and record.read_bytes() == whole
