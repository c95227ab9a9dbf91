"""`report --explain`: files and page of a finished run, what is kept for the next time, and what is refused."""

import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from made_runs import write_run
from small_runs import NAMES, build, digits, fit_digits, refused
from timm.models.vision_transformer import VisionTransformer

from lightning_imbal.backbones import create_backbone, twin_last_block
from lightning_imbal.cli import main
from lightning_imbal.data import ISIC2018
from lightning_imbal.errors import UserError
from lightning_imbal.modules import (
    BBN,
    ECL,
    BalancedMixUpClassifier,
    Classifier,
    FrozenHead,
    MetadataClassifier,
    PerturbedClassifier,
)
from lightning_imbal.predictors import PostHocAdjusted
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.analysis import worst

pytest.importorskip("pytorch_grad_cam", reason="grad-cam is not installed: pip install 'lightning_imbal[explain]'")
from lightning_imbal.trained.explain import neighbours as neighbours_module
from lightning_imbal.trained.explain import network as network_module
from lightning_imbal.trained.explain.layers import last_feature_map
from lightning_imbal.trained.explain.maps import attentions_of, grad_cam
from lightning_imbal.trained.explain.network import ExplainedNetwork

OF_TEST = ["image", "label", "predicted"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of one epoch on the digits."""
    return fit_digits(tmp_path_factory.mktemp("runs") / "demo")


@pytest.fixture(scope="module")
def explained(run):
    """The same with its mistakes explained, on a page too."""
    assert main(["report", str(run), "--explain", "gradcam", "--html", str(run / "page.html")]) == 0
    return run


@pytest.fixture(scope="module")
def network(explained):
    """Its network; what asks it changes nothing in it."""
    return ExplainedNetwork(Run(explained), "auto")


def test_maps_of_both_classes_are_files(explained):
    mistakes = worst([Run(explained)])
    names = {f"{row.image}_{of}.png" for row in mistakes.itertuples() for of in (row.label, row.predicted)}
    folder = explained / "explanations"
    assert names == {file.name for file in folder.glob("*.png")} and len(names) == 2 * len(mistakes)
    picture = cv2.imread(str(folder / min(names)))
    assert picture.shape == (224, 2 * 224 + 8, 3) and picture[:, 224:232].min() == 255
    assert sorted(file.name for file in folder.iterdir() if file.suffix != ".png") == [
        "features_train.npz",
        "nearest.csv",
    ]


def test_page_holds_them(explained):
    page = (explained / "page.html").read_text()
    mistakes = worst([Run(explained)])
    assert page.count('<li class="explained">') == len(mistakes)
    assert "is no proof" in page and "(4 x 4 cells, enlarged)" in page and "Explained: at most 24" in page
    for row in mistakes.itertuples():
        assert f"for {row.label} (true)" in page and f"for {row.predicted} (predicted)" in page
    pictures = [cv2.imread(str(file)) for file in (explained / "explanations").glob("*.png")]
    blank = sum((picture[:, :224] == picture[:, 232:]).all() for picture in pictures)
    assert page.count('alt="Training image') == 5 * len(mistakes)
    assert page.count(f"<span>for {mistakes.label[0]} (") and page.count(": no place stands out</span>") == blank


def test_nearest_are_training_images_with_their_labels(explained):
    table = pd.read_csv(explained / "explanations" / "nearest.csv", dtype={"label": str, "neighbour_label": str})
    mistakes, data = worst([Run(explained)]), digits().table.set_index("image")
    assert table[OF_TEST].drop_duplicates().astype(str).values.tolist() == mistakes[OF_TEST].values.tolist()
    split = Run(explained).split().set_index("image")
    assert set(split.loc[table["neighbour"], "part"]) == {"train"}
    assert (data.loc[table["neighbour"], "class"].to_numpy() == table["neighbour_label"]).all()
    for _, of_image in table.groupby("image"):
        assert len(of_image) == 5 and of_image["distance"].is_monotonic_increasing and of_image["distance"].max() < 2


def test_network_sees_the_pictures_that_were_tested(explained, network):
    run = Run(explained)
    rows = network.rows_of(run.predictions.image[:20].tolist(), run)
    images = network.data.dataset("test", [network.data.test_recipe])
    positions = [images.rows.tolist().index(row) for row in rows]
    batch = {"image": torch.stack([images[each]["image"] for each in positions]), "index": torch.from_numpy(rows)}
    ready = network.ready(batch)
    found = network.model.network(ready)(ready["image"]).softmax(dim=1).numpy()
    assert found == pytest.approx(run.predictions.probability[:20], abs=1e-4)
    seen = network.see(rows, np.zeros(20, int))
    assert network.how == "gradcam" and not network.adjusted_by and set(seen.maps) == {"predicted", "label"}
    place, image = last_feature_map(network.model.backbone, ready["image"][:1]), ready["image"]
    label = torch.from_numpy(network.data.table["label"].to_numpy()[rows])
    for name, asked in {"predicted": torch.zeros_like(label), "label": label}.items():
        assert seen.maps[name] == pytest.approx(grad_cam(network.model, place, image, asked), abs=1e-3)
    assert seen.image == pytest.approx(batch["image"].permute(0, 2, 3, 1).numpy() / 255)
    with torch.no_grad():
        assert seen.feature == pytest.approx(network.model.backbone(ready["image"]).numpy(), abs=1e-2)


def test_features_are_computed_once(explained, monkeypatch, capsys):
    monkeypatch.setattr(neighbours_module, "image_loader", lambda *args: pytest.fail("they are kept"))
    before = (explained / "explanations" / "nearest.csv").read_text()
    (explained / "explanations" / "mine.txt").write_text("kept")
    assert main(["report", str(explained), "--explain", "gradcam"]) == 0
    assert (explained / "explanations" / "nearest.csv").read_text() == before
    assert (explained / "explanations" / "mine.txt").read_text() == "kept"
    said = capsys.readouterr().out
    assert re.search(r"Explanations: \S+explanations \(\d+ maps of \d+ mistakes, nearest.csv\)", said)
    assert "is no proof" in said


def test_features_of_another_checkpoint_are_computed_again(explained, network, monkeypatch):
    file = explained / "explanations" / "features_train.npz"
    with np.load(file) as arrays:
        np.savez(file, **{**arrays, "checkpoint": np.array("another")})
    asked = []
    monkeypatch.setattr(neighbours_module, "_computed", lambda network, file: asked.append(file) or np.ones((1257, 3)))
    neighbours_module.training_features(network, file.parent)
    assert asked == [file]
    file.write_bytes(b"no file of NumPy")
    neighbours_module.training_features(network, file.parent)
    assert len(asked) == 2


def test_images_of_another_split_are_not_taken_for_those_of_the_training(explained, network, monkeypatch):
    monkeypatch.setattr(neighbours_module, "split_digest", lambda table: "another")
    with pytest.raises(UserError, match="was trained with other images, labels or another split than"):
        neighbours_module.training_features(network, explained / "explanations")


def test_missing_package_is_one_sentence(run, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pytorch_grad_cam", None)
    sentence = refused(capsys, "report", str(run), "--explain", "gradcam")
    assert sentence.endswith("--explain needs grad-cam: pip install 'lightning_imbal[explain]'.")


def test_rollout_is_chosen_where_each_block_has_one_attention():
    network = create_backbone("test_vit", image_size=32)
    assert len(attentions_of(network)) == len(network.blocks)
    twin_last_block(network)
    assert attentions_of(network) == [] == attentions_of(create_backbone("test_resnet"))
    network = create_backbone("xcit_nano_12_p16_224", image_size=64).eval()
    assert attentions_of(network) == [] and last_feature_map(network, torch.zeros(1, 3, 64, 64)).cells == (4, 4)


def test_network_of_convolutions_has_no_rollout(run, capsys):
    assert "take --explain gradcam" in refused(capsys, "report", str(run), "--explain", "rollout")


def test_absent_checkpoint_is_one_sentence_before_anything_is_written(run, tmp_path, capsys):
    whole = shutil.copytree(run, tmp_path / "whole", ignore=shutil.ignore_patterns("explanations"))
    copy = shutil.copytree(run, tmp_path / "copy", ignore=shutil.ignore_patterns("checkpoints"))
    said = refused(capsys, "report", str(whole), str(copy), "--explain", "gradcam")
    assert "There is no checkpoint" in said and "put it back, or train again" in said
    assert not (whole / "explanations").exists()


@pytest.mark.parametrize(
    "identity, said",
    [
        ({"members": [{"name": "a"}]}, "is the mean of several networks"),
        ({"pool": "mean"}, "answers for groups of images"),
        ({"checkpoint": "absent.ckpt"}, "There is no checkpoint absent.ckpt"),
    ],
)
def test_results_without_a_network_of_their_own_are_refused(tmp_path, capsys, identity, said):
    write_run(tmp_path / "run", **identity)
    assert said in refused(capsys, "report", str(tmp_path / "run"), "--explain", "gradcam")


def test_results_without_predictions_are_refused(tmp_path, capsys):
    write_run(tmp_path / "run", predictions=False)
    assert "has no predictions of single images" in refused(
        capsys, "report", str(tmp_path / "run"), "--explain", "gradcam"
    )


def test_image_of_other_data_is_refused(explained, network):
    with pytest.raises(UserError, match="absent_1, which .* has tested, is not in the data of"):
        network.rows_of(["digit_0001", "absent_1"], Run(explained))


def test_absent_pictures_are_one_sentence(run, tmp_path, monkeypatch, capsys):
    stand_in(monkeypatch, run, build(Classifier, digits()), ISIC2018(str(tmp_path)))
    said = refused(capsys, "report", str(run), "--explain", "gradcam")
    assert f"The mistakes of {run} cannot be explained: ISIC2018 not found" in said
    assert said.endswith("or give the folder that holds them with --data.root FOLDER.")


def test_where_the_pictures_are_is_said(run, monkeypatch):
    assert ExplainedNetwork(Run(run), "auto", "moved").data.root == Path("moved")
    with pytest.raises(UserError, match=f"where the pictures of {run} are: give their folder with data.root=FOLDER"):
        stand_in(monkeypatch, run, build(Classifier, digits()), digits(), data_is_known=False)


def test_neighbours_alone_are_refused(run, capsys):
    assert "add --explain gradcam" in refused(capsys, "report", str(run), "--neighbours", "3")
    negative = refused(capsys, "report", str(run), "--explain", "gradcam", "--neighbours", "-1")
    assert "--neighbours must be at least 0" in negative


def stand_in(monkeypatch, run, model, data, data_is_known=True):
    """The network of a run, with another model and other data in its place."""
    model.transforms = SimpleNamespace(data=data, data_is_known=data_is_known)
    monkeypatch.setattr(network_module, "load_network", lambda checkpoint, root: model.eval())
    return ExplainedNetwork(Run(run), "auto")


def test_logits_that_are_changed_afterwards_are_named(run, monkeypatch):
    data = digits()
    for kind, options, said in (
        (Classifier, {"predictor": PostHocAdjusted}, "PostHocAdjusted"),
        (PerturbedClassifier, {}, "PerturbedInput"),
        (Classifier, {}, ""),
    ):
        assert stand_in(monkeypatch, run, build(kind, data, **options), data).adjusted_by == said


def test_attributes_of_the_images_are_given_to_a_network_that_asks(run, monkeypatch):
    data = digits()
    data.table["meta/sex"] = np.resize(["female", "male", ""], len(data.table))
    encoding = [{"attribute": "sex", **column} for column in ({"word": "female"}, {"word": "male"}, {"missing": True})]
    model = build(MetadataClassifier, data, metadata_encoding=encoding, metadata_size=4)
    network = stand_in(monkeypatch, run, model, data)
    rows = np.arange(6)
    seen = network.see(rows, np.ones(6, int))
    image = data.normalize(torch.from_numpy(seen.image).permute(0, 3, 1, 2), torch.float32)
    metadata = torch.eye(3).repeat(2, 1)
    with torch.no_grad():
        assert seen.feature == pytest.approx(model.feature(image, metadata).numpy(), abs=1e-2)
    assert (seen.feature[0, -4:] != seen.feature[1, -4:]).any()


def test_transformer_has_a_map_of_attention_and_neighbours_can_be_left_out(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(neighbours_module, "image_loader", lambda *args: pytest.fail("they are not wanted"))
    shape = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 2}
    data, copy = digits(), shutil.copytree(run, tmp_path / "copy", ignore=shutil.ignore_patterns("explanations"))
    backbone = VisionTransformer(**shape, num_classes=0)
    stand_in(monkeypatch, copy, Classifier(class_counts=data.class_counts, class_names=NAMES, backbone=backbone), data)
    assert main(["report", str(copy), "--explain", "auto", "--neighbours", "0"]) == 0
    said, mistakes = capsys.readouterr().out, worst([Run(copy)])
    names = {f"{image}_attention.png" for image in mistakes["image"]}
    assert names == {file.name for file in (copy / "explanations").iterdir()}
    assert f"({len(names)} maps of {len(names)} mistakes)" in said
    assert "A map of attention is coarse (4 x 4 cells, enlarged) and the same for every class" in said


@pytest.mark.parametrize("kind", [FrozenHead, ECL, BBN, BalancedMixUpClassifier])
def test_networks_of_all_kinds_are_seen(run, monkeypatch, kind):
    data = digits()
    network = stand_in(monkeypatch, run, build(kind, data), data)
    seen = network.see(np.arange(3), np.array([0, 1, 2]))
    assert {name: maps.shape for name, maps in seen.maps.items()} == dict.fromkeys(seen.maps, (3, 32, 32))
    assert seen.cells == (4, 4) and any(maps.any() for maps in seen.maps.values())
    assert seen.feature.shape == (3, network.model.head.in_features)
