"""`lightning_imbal prepare` and `lightning_imbal audit`, as users type them."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import layouts
import numpy as np
import pandas as pd
import pytest
from forked import Forked, check_status

from lightning_imbal.cli import main
from lightning_imbal.data.copies import store
from lightning_imbal.data.pictures import disk_cache, files
from lightning_imbal.data.pictures.read import read_image


@pytest.fixture
def copied_root(isic_root, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(isic_root, tmp_path / "isic")


def prepare(root, *args, cache="cache"):
    place = ["--data.root", str(root), "--data.cache_dir", str(root.parent / cache), "--json", str(root / "found.json")]
    status = main(["prepare", "ISIC2018", *place, *args])
    return status, json.loads((root / "found.json").read_text())


class TestPrepare:
    def test_caches_every_picture(self, copied_root, capsys):
        status, found = prepare(copied_root, "--data.image_size", "16")
        assert found["decoded"] == 72 and found["unreadable"] == [] == found["unused"]
        assert found["bytes"] == 72 * 18 * 24 * 3 and os.path.isdir(found["cache"])
        assert {row["name"]: row["images"] for row in found["classes"]}["nevus"] == 24
        assert status == 1 and "official release 10015" in found["complaints"][0], "72 images are not the whole"
        told = capsys.readouterr().out
        assert "nevus" in told and "6,705" in told and "72 decoded now" in told and "--data.cache disk" in told

    def test_second_call_does_nothing(self, copied_root, capsys):
        prepare(copied_root)
        status, found = prepare(copied_root)
        assert found["decoded"] == 0 and "it was up to date" in capsys.readouterr().out

    def test_unreadable_and_unused_pictures_are_listed(self, copied_root, capsys):
        folder = copied_root / "ISIC2018_Task3_Training_Input"
        (folder / "ISIC_0024306.jpg").write_bytes(b"")
        (folder / "ISIC_0024307.jpg").unlink()
        shutil.copy(folder / "ISIC_0024308.jpg", folder / "extra.jpg")
        status, found = prepare(copied_root)
        assert status == 1
        assert [bad["image"] for bad in found["unreadable"]] == ["ISIC_0024306", "ISIC_0024307"]
        assert "is empty" in found["unreadable"][0]["cause"] and "No such file" in found["unreadable"][1]["cause"]
        assert found["unused"] == [str(folder / "extra.jpg")]
        told = capsys.readouterr().out
        assert "2 pictures cannot be read" in told and "ISIC_0024307" in told and "extra.jpg" in told

    def test_training_uses_the_cache(self, copied_root, tmp_path):
        _, found = prepare(copied_root, "--data.image_size", "32")
        before = {file: os.stat(os.path.join(found["cache"], file)).st_mtime_ns for file in os.listdir(found["cache"])}
        args = ["--config", "experiments/marrakchi_isic.yaml", "--config", "experiments/methods/ce.yaml"]
        args += ["--data.root", str(copied_root), "--data.cache", "disk", "--data.cache_dir", str(tmp_path / "cache")]
        args += ["--data.image_size", "32", "--data.batch_size", "16", "--data.num_workers", "2"]
        args += ["--model.backbone", "test_resnet", "--trainer.max_epochs", "1"]
        assert main(["fit", *args, "--run_dir", str(tmp_path / "run")]) == 0
        after = {file: os.stat(os.path.join(found["cache"], file)).st_mtime_ns for file in os.listdir(found["cache"])}
        assert after == before and os.listdir(tmp_path / "cache") == [os.path.basename(found["cache"])]

    def test_damaged_cache_is_found(self, copied_root):
        _, found = prepare(copied_root)
        file = os.path.join(found["cache"], "shard-00000.bin")
        pixels = np.fromfile(file, np.uint8)
        pixels[100] ^= 1
        pixels.tofile(file)
        whole = Path(file).with_suffix(".json")
        written = Path(file).stat()  # as if no time told of it: a disk that rots
        meta = json.loads(whole.read_text())
        whole.write_text(json.dumps(meta | {"written": [written.st_size, written.st_mtime_ns, written.st_ctime_ns]}))
        _, found = prepare(copied_root, "--verify", "true")
        assert any("shard-00000.bin does not match its checksum" in complaint for complaint in found["complaints"])

    def test_arrays_need_no_cache_but_are_checked(self, tmp_path, capsys):
        root = layouts.medmnist(tmp_path)
        config = "experiments/data/medmnist.yaml"
        assert main(["prepare", config, "--data.root", str(root)]) == 1
        told = capsys.readouterr().out
        assert "MD5" in told and "Cache" not in told

    @pytest.mark.parametrize(
        ("args", "named"),
        [
            ([], ["`prepare` needs a data set", "experiments/data"]),
            (["Nothing"], ["no class 'Nothing'", "ISIC2018"]),
            (["ISIC2018"], ["root"]),
            (["ISIC2018", "--data.root", "nowhere"], ["not found", "nowhere"]),
            (["nowhere.yaml"], ["nowhere.yaml"]),
            (["XRay9", "--data.root", "x", "--data.findings", "[Cough]"], ["no finding 'Cough'", "Hernia"]),
            (["ISIC2018", "--data.root", "x", "--data.split", "KFold", "--data.split.fold", "9"], ["no fold 9"]),
        ],
    )
    def test_bad_input_gets_one_sentence(self, args, named, capsys):
        assert main(["prepare", *args]) == 2
        sentence = capsys.readouterr().err.strip()
        assert len(sentence.splitlines()) == 1 and all(word in sentence for word in named), sentence


def prepare_slowly(shard, args):
    disk_cache.SHARD = shard
    files.read_image = lambda *args: time.sleep(0.1) or read_image(*args)
    return main(args)


@pytest.mark.parametrize(
    ("root", "images", "shard", "status"),
    [("isic_root", 72, 4, 1), pytest.param("real_isic", 10015, 128, 0, marks=pytest.mark.slow)],
)
def test_killed_prepare_is_continued(root, images, shard, status, request, tmp_path, monkeypatch):
    args = ["prepare", "ISIC2018", "--data.root", str(request.getfixturevalue(root)), "--data.cache_dir", str(tmp_path)]
    args += ["--data.image_size", "16", "--json", str(tmp_path / "found.json")]
    with Forked(prepare_slowly, shard, args) as process:
        while not list(tmp_path.glob("*/shard-*.json")):
            assert process.is_alive(), process.log.read_text()
            time.sleep(0.01)
        process.kill()
        check_status(-signal.SIGKILL, process)
    finished = len(list(tmp_path.glob("*/shard-*.json")))
    monkeypatch.setattr(disk_cache, "SHARD", shard)
    assert main(args) == status
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["decoded"] == images - shard * finished < images


class TestAudit:
    def test_split_by_image_tears_lesions(self, isic_root, tmp_path, capsys):
        args = ["audit", "--config", "experiments/marrakchi_isic.yaml", "--data.root", str(isic_root)]
        assert main([*args, "--json", str(tmp_path / "found.json")]) == 1
        groups = json.loads((tmp_path / "found.json").read_text())["groups"]["test_vs_train"]
        from lightning_imbal.data.sets.isic import ISIC2018

        table = ISIC2018(isic_root).table
        trained = set(table["group"][table["part"] == "train"])
        test = table[table["part"] == "test"]
        assert groups["images"] == sum(lesion in trained for lesion in test["group"]) and groups["of"] == len(test)
        assert "LEAKS" in capsys.readouterr().out

    def test_what_pictures_look_like_is_kept(self, isic_root, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setattr(store, "LEAST_PICTURES", 1)
        for number, name in enumerate(("train", "test")):
            (tmp_path / f"{name}.csv").write_text(f"image\nISIC_{24306 + number:07d}\n")
        lists = [f"--{name}={tmp_path}/{name}.csv" for name in ("train", "test")]
        pictures = isic_root / "ISIC2018_Task3_Training_Input"
        main(["audit", *lists, "--images", str(pictures)])
        assert (tmp_path / ".cache" / "lightning_imbal" / store.FILE).is_file()
        main(["audit", "ISIC2018", "--data.root", str(isic_root), "--data.cache_dir", str(tmp_path / "own")])
        assert (tmp_path / "own" / store.FILE).is_file()

    def test_split_by_lesion_does_not(self, isic_root, capsys):
        args = ["audit", "experiments/marrakchi_isic.yaml", "--data.root", str(isic_root), "--data.group_by", "lesion"]
        assert main([*args, "--distance", "0"]) == 0
        assert "No leak found" in capsys.readouterr().out

    def test_torn_official_split_is_reported_not_refused(self, tmp_path):
        root = layouts.csv_data(tmp_path / "own")
        labels = pd.read_csv(root / "labels.csv")
        labels.assign(part=np.resize(["train", "test"], len(labels))).to_csv(root / "labels.csv", index=False)
        args = ["--data.labels", "labels.csv", "--data.split_column", "part", "--data.group_column", "patient"]
        place = ["--data.root", str(root), "--json", str(tmp_path / "found.json")]
        assert main(["audit", "experiments/own_csv.yaml", *place, *args]) == 1
        assert json.loads((tmp_path / "found.json").read_text())["groups"]["test_vs_train"]["images"] > 0

    def test_lists(self, real_isic, tmp_path, capsys):
        lists = [f"--{part}={real_isic}/zhang_{part}.csv" for part in ("train", "val", "test")]
        groups = ["--groups", f"{real_isic}/ISIC2018_Task3_Training_LesionGroupings.csv"]
        options = ["--distance", "5", "--mirrored", "true", "--json", str(tmp_path / "found.json")]
        assert main(["audit", *lists, *groups, *options]) == 1
        report = json.loads((tmp_path / "found.json").read_text())
        found = report["groups"]["test_vs_train"]
        assert report["distance"] == 5 and report["mirrored"] is True
        assert found["of"] == 2005 and sum(row["images"] for row in found["per_class"].values()) == found["images"] > 0
        assert f"{found['images']} of 2005 test images share a lesion with training images" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("args", "named"),
        [
            ([], ["`audit` needs a split", "--train"]),
            (["--train", "nowhere.csv", "--test", "x.csv"], ["no file nowhere.csv"]),
            (["--train", "experiments/published/zeng_table2.csv"], ["no column 'image'"]),
            (["--distence", "1"], ["'distence'"]),
        ],
    )
    def test_bad_input_gets_one_sentence(self, args, named, capsys):
        assert main(["audit", *args]) == 2
        sentence = capsys.readouterr().err.strip()
        assert len(sentence.splitlines()) == 1 and all(word in sentence for word in named), sentence
