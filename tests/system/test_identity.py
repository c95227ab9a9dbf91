"""A run is held to what it was begun with when it goes on, and to what it was trained on when it is tested."""

import csv
import json
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from small_runs import refused

from lightning_imbal.cli import main

QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"]
FIT = ["fit", "--config", "experiments/own_csv.yaml", "--data.labels", "labels.csv", "--data.split_column", "split"]
FIT += ["--data.image_size", "32", "--data.batch_size", "16", "--data.num_workers", "0", "--trainer.max_epochs", "2"]
FIT += ["--model.backbone", "test_resnet", "--trainer.accelerator", "cpu", "--laptop", "false", *QUIET]
PLAIN = ["--model.scheduler", "null"]
PERSON = "Mustermann"
HEAD = ["--then", "experiments/heads/crw.yaml", "--then.trainer.max_epochs", "1"]
RUNS = {"plain": PLAIN, "cosine": [], "two": [*PLAIN, *HEAD]}
ROWS = [
    (f"{number:02d}.png", name, part)
    for number, (name, part) in enumerate(
        (name, part) for name in ("mid", "normal", "rare") for part in 4 * ["train"] + ["val"] + 2 * ["test"]
    )
]


def write_labels(folder, rows):
    """Writes the label file, with a column that is not for the program."""
    named = [(*row, f"{PERSON} {row[0]}") for row in rows]
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "label", "split", "surname"), *named])


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Folder with pictures, a plain run of one stage and one of two stages, both finished."""
    folder = tmp_path_factory.mktemp("identity")
    (folder / "data").mkdir()
    rng = np.random.default_rng(0)
    for image in [row[0] for row in ROWS] + ["new.png"]:
        cv2.imwrite(str(folder / "data" / image), rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    write_labels(folder / "data", ROWS)
    for name in ("plain", "two"):
        train(folder, name)
    return folder


def train(folder, name):
    assert main([*FIT, "--data.root", str(folder / "data"), "--run_dir", str(folder / name), *RUNS[name]]) == 0


@pytest.fixture
def own(begun, tmp_path, monkeypatch):
    """A copy in which a test may change what it likes."""
    shutil.copytree(begun, tmp_path / "own", symlinks=True)
    return tmp_path / "own"


def go_on(own, name, *args, data="data"):
    places = ["--data.root", str(own / data), "--run_dir", str(own / name), "--ckpt_path", "last"]
    return [*FIT, *places, *RUNS[name], *args]


def contents(folder):
    return {file: file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.fixture
def refusal(request, begun, capsys):
    """The sentence with which a run does not go on, after which its files are as they were."""
    folder = request.getfixturevalue("own") if "own" in request.fixturenames else begun

    def of(name, *args):
        if not (folder / name).exists():
            train(folder, name)
        before = contents(folder / name)
        capsys.readouterr()
        assert main(go_on(folder, name, *args)) == 2
        [sentence] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lightning_imbal: ")]
        assert contents(folder / name) == before
        assert "another --run_dir" in sentence
        return sentence

    return of


def slow(*parameters):
    """Parameters of what the quick ones ask as well; tests/runs/test_identity.py holds what is another."""
    return [pytest.param(*each, marks=pytest.mark.slow) for each in parameters]


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--seed_everything", "1"], "seed_everything 0, not 1: continue it with --seed_everything 0"),
        (["--model.optimizer.lr", "0.1"], "model.optimizer.lr 0.01, not 0.1"),
        (["--data.split", "Holdout", "--data.split.seed", "1"], "data.split null, not Holdout"),
        *slow(
            (["--model.loss", "LDAM"], "model.loss CrossEntropy, not LDAM"),
            (["--model.loss.label_smoothing", "0.1"], "model.loss.label_smoothing 0.0, not 0.1"),
            (["--model", "BalancedMixUpClassifier"], "model Classifier, not BalancedMixUpClassifier"),
            (["--model.backbone", "test_vit"], "model.backbone test_resnet, not test_vit"),
            (["--data.mean", "[0,0,0]"], "data.mean [0.485, 0.456, 0.406], not [0.0, 0.0, 0.0]"),
            (["--data.classes", "[rare,normal,mid]"], 'data.classes null, not ["rare", "normal", "mid"]'),
            (["--monitor", "val/kappa"], "monitor val/f1, not val/kappa"),
        ),
        (
            ["--monitor", "null", "--data.batch_size", "8"],
            "data.batch_size 16, not 8, and with monitor val/f1, not null",
        ),
    ],
)
def test_another_setting_is_refused(args, named, refusal):
    assert named in refusal("plain", *args).replace("and with monitor val/f1, not null, ", "")


def relabelled(number, name):
    return [(image, name if i == number else label, part) for i, (image, label, part) in enumerate(ROWS)]


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (ROWS[1:], "1 image is gone (00.png)"),
        *slow(
            ([*ROWS, ("new.png", "mid", "train")], "1 image is new (new.png)"),
            (relabelled(0, "rare"), "1 image is in another class (00.png: mid, now rare)"),
            ([(ROWS[0][0], "mid", "test"), *ROWS[1:]], "1 image is in another part (00.png: train, now test)"),
            ([(image, label.replace("mid", "zzz"), part) for image, label, part in ROWS], "has normal, rare, zzz:"),
        ),
        (
            [*ROWS, ("new.png", "zzz", "train")],
            "the classes mid, normal, rare, in this order, but the data has mid, nor",
        ),
    ],
)
def test_other_images_are_refused(rows, named, own, refusal):
    write_labels(own / "data", rows)
    assert named in refusal("plain")


def test_labels_of_another_file_are_named_if_they_are_others(own, refusal):
    (own / "elsewhere").mkdir()
    write_labels(own / "elsewhere", ROWS[1:])
    file = str(own / "elsewhere" / "labels.csv")
    assert f"data.labels is {file}, was labels.csv" in refusal("plain", "--data.labels", file)


def test_a_stage_without_a_checkpoint_is_held_to_its_split(own, refusal):
    shutil.rmtree(own / "plain" / "stage1" / "checkpoints")
    write_labels(own / "data", ROWS[1:])
    assert "1 image is gone" in refusal("plain")


@pytest.mark.parametrize(
    ("name", "args", "named"),
    [
        *slow(  # asked below of a second stage, and of samplers
            ("cosine", ["--trainer.max_epochs", "3"], "CosineAnnealingLR is defined for that many epochs alone"),
            ("cosine", ["--trainer.max_epochs", "1"], "CosineAnnealingLR is defined for that many epochs alone"),
        ),
        ("plain", ["--trainer.max_epochs", "1"], "has trained 2 epochs already"),
        ("two", ["--trainer.max_epochs", "3"], "stage2 began from it"),
    ],
)
def test_other_epochs_are_refused_where_they_mean_another_training(name, args, named, refusal):
    sentence = refusal(name, *args)
    assert named in sentence and "trainer.max_epochs 2" in sentence


@pytest.mark.parametrize("sampler", ["DeferredBalance", pytest.param("ProgressiveBalance", marks=pytest.mark.slow)])
def test_more_epochs_of_a_sampler_that_follows_them_are_refused(sampler, own, refusal):
    (own / "plain" / "metrics.json").unlink()  # which knows the configuration
    config = own / "plain" / "stage1" / "config.yaml"
    config.write_text(config.read_text().replace("samplers.ClassPower", f"samplers.{sampler}"))
    assert sampler in refusal("plain", "--data.sampler", sampler, "--trainer.max_epochs", "3")


def test_more_epochs_go_on_where_nothing_follows_them(own, told):
    """As many steps at the same rates as if all had been asked for at once."""
    assert main(go_on(own, "plain", "--trainer.max_epochs", "3")) == 0
    assert "goes on with trainer.max_epochs 3" in told.text
    whole = ["--data.root", str(own / "data"), "--run_dir", str(own / "whole"), *PLAIN, "--trainer.max_epochs", "3"]
    assert main([*FIT, *whole]) == 0
    weights = [
        torch.load(own / run / "stage1" / "checkpoints" / "last.ckpt")["state_dict"] for run in ("plain", "whole")
    ]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_where_and_how_it_is_trained_may_change_and_is_said(begun, own, told):
    (own / "data").rename(own / "moved")
    args = ["--trainer.precision", "bf16-mixed", "--data.cache", "memory"]
    assert main(go_on(own, "plain", *args, data="moved")) == 0
    assert (
        f"The run goes on with trainer.precision bf16-mixed (before: null), data.root {own / 'moved'} "
        f"(before: {begun / 'data'}), data.cache memory (before: none)."
    ) in told.messages


def test_the_weights_it_began_with_are_kept_on_record(own, told, tmp_path):
    """They are in no use: the checkpoint has the weights."""
    weights = tmp_path / "weights.pth"
    torch.save({}, weights)
    (own / "plain" / "metrics.json").unlink()  # which knows the configuration
    config = own / "plain" / "stage1" / "config.yaml"
    config.write_text(config.read_text().replace("pretrained: false", "pretrained: gone.safetensors"))
    assert main(go_on(own, "plain")) == 0
    assert "model.pretrained: not used" in told.text
    assert "pretrained: gone.safetensors" in config.read_text()


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--then", "null"], "has 2 stages"),
        (
            ["--then.model.init_args.optimizer.init_args.lr", "0.5"],
            "stage2 was begun with model.optimizer.lr 0.1, not 0.5",
        ),
        (["--then.trainer.max_epochs", "2"], "CosineAnnealingLR"),
        *slow(
            (["--then", "experiments/heads/crt.yaml"], "stage2 was begun with"),
            (["--data.batch_size", "8"], "stage1 was begun with data.batch_size 16, not 8"),
        ),
    ],
)
def test_both_stages_are_held_to_their_settings(args, named, refusal):
    assert named in refusal("two", *args)


def test_a_finished_run_gets_no_further_stage(refusal):
    assert "is finished with 1 stage" in refusal("plain", *HEAD)


def test_a_stage_that_has_not_begun_may_be_another(own, told):
    shutil.rmtree(own / "two" / "stage2")
    (own / "two" / "metrics.json").unlink()
    assert main(go_on(own, "two", "--then.model.init_args.optimizer.init_args.lr", "0.5")) == 0
    assert "has not begun, is as `then` says now" in told.text


def test_a_run_as_it_was_goes_on_in_silence(begun, told):
    assert main(go_on(begun, "plain")) == 0
    for file in ("best", "last"):  # as if it had been killed in the first epoch of the second stage
        (begun / "two" / "stage2" / "checkpoints" / f"{file}.ckpt").unlink()
    (begun / "two" / "metrics.json").unlink()
    assert main(go_on(begun, "two")) == 0
    assert "goes on" not in told.text and "then" not in told.text


def test_a_stage_that_has_only_its_best_epoch_yet_begins_anew(begun, own):
    for name in ("stage1/checkpoints/last.ckpt", "metrics.json", "predictions.parquet"):
        (own / "plain" / name).unlink()
    assert main(go_on(own, "plain")) == 0
    pair = [pd.read_parquet(folder / "plain" / "predictions.parquet") for folder in (begun, own)]
    pd.testing.assert_frame_equal(*pair)


def test_classes_are_in_the_order_in_which_they_were_trained(own):
    args = [*FIT, *PLAIN, "--data.root", str(own / "data"), "--data.classes", "[rare,normal,mid]"]
    args += ["--run_dir", str(own / "ordered")]
    assert main(args) == main([*args, "--ckpt_path", "last"]) == 0


def test_results_tell_whether_two_runs_have_tested_the_same_images(begun, tmp_path):
    digests = [
        json.loads((begun / run / "metrics.json").read_text())["identity"]["split_digest"] for run in ("plain", "two")
    ]
    assert digests[0] == digests[1]
    assert main(evaluation(begun, "two", "--data.root", str(begun / "data"), "--run_dir", str(tmp_path / "same"))) == 0
    same = json.loads((tmp_path / "same" / "metrics.json").read_text())["identity"]
    assert (same["split_digest"], same["trained_images"]) == (digests[0], 0)


def evaluation(folder, name, *args, verb="test"):
    stage = "stage2" if name == "two" else "stage1"
    return [verb, "--ckpt_path", str(folder / name / stage / "checkpoints" / "best.ckpt"), *QUIET, *args]


@pytest.mark.slow  # tests/export moves a run, and test_journeys.py takes its file to other images
def test_a_finished_run_is_worth_the_same_elsewhere(begun, own, tmp_path, capsys):
    (own / "two").rename(tmp_path / "two")
    shutil.rmtree(own)
    found = {}
    for folder in (begun, tmp_path):
        capsys.readouterr()
        assert main(["report", str(folder / "two")]) == 0
        printed = capsys.readouterr().out.partition("Next: ")[0]
        assert main(evaluation(folder, "two", "--run_dir", str(folder / "again"))) == 0
        table = pd.read_parquet(folder / "again" / "predictions.parquet").to_csv()
        found[folder] = (printed, table)
    assert found[begun] == found[tmp_path]


SPLIT = ["--data.split", "Holdout", "--data.split.test", "0.4", "--data.split.val", "0.2"]


# A validation part that was not trained on is validated below.
@pytest.mark.parametrize("verb", ["test", pytest.param("validate", marks=pytest.mark.slow)])
def test_images_that_were_trained_on_are_refused_or_said(verb, begun, tmp_path, capsys):
    args = [*SPLIT, "--run_dir", str(tmp_path / "again")]
    assert "--allow_trained_images true" in refused(capsys, *evaluation(begun, "two", *args, verb=verb))
    assert not (tmp_path / "again").exists()
    assert main(evaluation(begun, "two", *args, "--allow_trained_images", "true", verb=verb)) == 0
    results = json.loads((tmp_path / "again" / "metrics.json").read_text())
    split = pd.read_csv(begun / "two" / "stage1" / "split.csv", dtype=str).set_index("image")["part"]
    tested = pd.read_parquet(tmp_path / "again" / "predictions.parquet")["image"]
    learned = ["train", "val"] if verb == "test" else ["train"]
    number = int(split[tested].isin(learned).sum())
    assert 0 < number == results["identity"]["trained_images"] < len(tested)
    sentence = f"{number} of the {len(tested)} {results['identity']['part']} images were trained on"
    assert sentence in " ".join(capsys.readouterr().out.split())
    page = tmp_path / "page.html"
    assert main(["report", str(tmp_path / "again"), str(tmp_path / "again"), "--html", str(page)]) == 0
    assert sentence in " ".join(capsys.readouterr().out.split())
    assert sentence in page.read_text()


def test_the_validation_part_that_chose_the_epoch_is_said_to_have_done_so(begun, tmp_path, capsys):
    for name, chosen in (("plain", "epoch"), ("two", "epoch of an earlier stage")):
        assert main(evaluation(begun, name, "--run_dir", str(tmp_path / name), verb="validate")) == 0
        identity = json.loads((tmp_path / name / "metrics.json").read_text())["identity"]
        assert identity["chosen_by"] == {chosen: "val/f1"}
        sentence = f"has chosen its {chosen} by val/f1 on this very val part"
        assert sentence in " ".join(capsys.readouterr().out.split())


def test_a_backbone_that_learned_from_the_test_images_is_refused_or_said(begun, tmp_path, capsys):
    head = ["--data.root", str(begun / "data"), "--model", "FrozenHead", "--model.backbone_ckpt"]
    head += [str(begun / "plain" / "stage1" / "checkpoints" / "best.ckpt"), "--run_dir", str(tmp_path / "head")]
    assert "has learned from" in refused(capsys, *FIT, *head, *SPLIT)
    assert not (tmp_path / "head").exists()
    assert main([*FIT, *head, *SPLIT, "--allow_trained_images", "true"]) == 0
    trained = json.loads((tmp_path / "head" / "metrics.json").read_text())["identity"]["trained_images"]
    assert f"{trained} of the 9 test images were trained on" in " ".join(capsys.readouterr().out.split())
    checkpoint = str(tmp_path / "head" / "stage1" / "checkpoints" / "best.ckpt")
    assert f"{trained} of the 9 test images" in refused(capsys, "test", "--ckpt_path", checkpoint, *QUIET)
    images = ["--images", str(begun / "data"), "--output", str(tmp_path / "p.csv")]
    assert main(["predict", "--ckpt_path", checkpoint, *images, *QUIET]) == 0


def test_other_pictures_of_the_same_names_were_not_trained_on(begun, own, tmp_path):
    """An external test set may count its pictures in the same way."""
    for file in (own / "data").glob("*.png"):
        file.write_bytes((own / "data" / "new.png").read_bytes())
    args = ["--data.root", str(own / "data"), *SPLIT, "--run_dir", str(tmp_path / "external")]
    assert main(evaluation(begun, "two", *args)) == 0


def test_pictures_that_were_moved_were_trained_on(begun, own, capsys):
    assert "has learned from" in refused(capsys, *evaluation(begun, "two", "--data.root", str(own / "data"), *SPLIT))


def test_a_column_that_is_not_named_is_nowhere_in_a_run(begun):
    assert PERSON in (begun / "data" / "labels.csv").read_text()
    files = {**contents(begun / "plain"), **contents(begun / "two")}
    tables = {file: pd.read_parquet(file).to_csv() for file in files if file.suffix == ".parquet"}
    assert {".yaml", ".ckpt", ".json", ".csv", ".parquet"} <= {file.suffix for file in files}
    assert not any(PERSON.encode() in content for content in files.values())
    assert ROWS[5][0] in tables[begun / "plain" / "predictions.parquet"] and PERSON not in "".join(tables.values())
