"""A network of every family: trained in two stages, resumed, tested, asked, exported, with its folder gone."""

import json
import shutil

import pytest
import torch
import yaml
from made_networks import SWIN, network, pictures

import lightning_imbal as li
from lightning_imbal.cli import main

QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false", "--data.num_workers", "0"]
FIT = ["--config", "experiments/own_folder.yaml", "--model.pretrained", "false", "--laptop", "false", *QUIET]
FIT += ["--data.batch_size", "4", "--trainer.max_epochs", "1", "--trainer.accelerator", "cpu", "--data.cache", "none"]
HEAD = {
    "model": {"class_path": "FrozenHead", "init_args": {"cache_views": 1}},
    "data": {"init_args": {"batch_size": 4}},
    "trainer": {"max_epochs": 1},
}
PERTURBED = ["--model.predictor", "PerturbedInput"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def run(root, tmp_path):
    """Trains a network in two stages; returns what is in `metrics.json`."""
    (tmp_path / "then.yaml").write_text(yaml.safe_dump(HEAD))

    def trained(backbone, side, *more):
        own = ["--data.root", str(root), "--run_dir", str(tmp_path / "run"), "--then", str(tmp_path / "then.yaml")]
        network = ["--model.backbone", backbone, "--data.image_size", str(side)]
        assert main(["fit", *FIT, *own, *network, *more]) == 0
        return json.loads((tmp_path / "run" / "metrics.json").read_text())

    return trained


def without_its_folder(run_dir, root, out):
    """Tests and asks the checkpoint of a run; returns its scores, and the network."""
    best = run_dir / "stage2" / "checkpoints" / "best.ckpt"
    best = best if best.is_file() else best.with_name("last.ckpt")
    alone = out / "alone.ckpt"
    shutil.copy(best, alone)
    data = ["--data.root", str(root), *QUIET]
    assert main(["test", "--ckpt_path", str(best), "--run_dir", str(out / "again"), *QUIET]) == 0
    assert (
        main(
            [
                "predict",
                "--ckpt_path",
                str(alone),
                "--images",
                str(root / "test"),
                "--output",
                str(out / "p.csv"),
                *data[2:],
            ]
        )
        == 0
    )
    return json.loads((out / "again" / "metrics.json").read_text()), li.load(alone)


class TestNetworkOfAFolder:
    """What `local-dir:` names is built from its checkpoint where the folder is not."""

    @pytest.mark.parametrize(
        ("architecture", "arguments"),
        [
            ("vit_tiny_patch16_224", None),
            # Its own things are in tests/backbones/test_sizes.py.
            pytest.param("swin_tiny_patch4_window7_224", SWIN, marks=pytest.mark.slow),
        ],
    )
    def test_its_checkpoints_need_no_folder(self, run, root, tmp_path, architecture, arguments, told):
        folder = tmp_path / "nets" / "own"
        network(folder, architecture, **({"arguments": arguments} if arguments else {}))
        found = run(f"local-dir:{folder}", 48, "--model.pretrained", "true", *PERTURBED)
        assert any("mean 0.4/0.5/0.6 and standard deviation 0.2/0.25/0.3" in said for said in told.messages)
        shutil.rmtree(folder)
        again, loaded = without_its_folder(tmp_path / "run", root, tmp_path)
        assert again["summary"] == found["summary"] and found["identity"]["backbone"] == "local-dir:own"
        assert loaded.normalization["mean"].flatten().tolist() == pytest.approx([0.4, 0.5, 0.6])
        assert str(tmp_path) not in str(torch.load(tmp_path / "alone.ckpt", weights_only=True)["hyper_parameters"])


FAMILIES = [
    ("vit_tiny_patch16_224", 64),
    ("vit_tiny_patch16_224", 96),
    ("swin_tiny_patch4_window7_224", 64),
    ("convnext_atto", 64),
    ("tf_efficientnet_lite0", 64),
]


@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "side"), FAMILIES)
def test_the_whole_way_of_a_family(run, root, tmp_path, backbone, side):
    found = run(backbone, side, *PERTURBED)
    first = tmp_path / "run" / "stage1" / "checkpoints"
    assert list(first.glob("*.ckpt"))
    more = run(backbone, side, *PERTURBED, "--ckpt_path", "last")
    assert more["summary"] == found["summary"]
    again, loaded = without_its_folder(tmp_path / "run", root, tmp_path)
    assert again["summary"] == found["summary"] and loaded(torch.zeros(2, 3, side, side)).shape == (2, 2)
    assert main(["export", str(tmp_path / "alone.ckpt"), "--onnx", str(tmp_path / "net.onnx")]) == 0
    assert (tmp_path / "net.onnx").stat().st_size > 1e6


@pytest.mark.parametrize(
    ("backbone", "side", "more", "said"),
    [
        ("vit_tiny_patch16_224", 100, [], "the nearest sizes that it takes are 96 and 112"),
        ("maxvit_nano_rw_256", 100, [], "the nearest sizes that it takes are 96 and 128"),
        (
            "vit_tiny_patch16_224",
            64,
            ["--data.test_transform", "Squash", "--data.test_transform.ratio", "2"],
            "of 128 x 128 pixels",
        ),
    ],
)
def test_a_size_that_a_network_cannot_take_is_refused_before_anything_is_written(
    backbone, side, more, said, root, tmp_path, capsys
):
    own = ["--data.root", str(root), "--run_dir", str(tmp_path / "run"), "--model.backbone", backbone]
    assert main(["fit", *FIT, *own, "--data.image_size", str(side), *more]) == 2
    sentence = capsys.readouterr().err.strip()
    assert said in sentence and len(sentence.splitlines()) == 1 and not list(tmp_path.rglob("*.yaml"))
