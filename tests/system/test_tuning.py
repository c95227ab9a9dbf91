"""LoRA by the command line: two stages, checkpoints of what was trained, and what each verb makes of them."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from made_networks import network, pictures

import lightning_imbal as li
from lightning_imbal.cli import main
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.errors import UserError

QUIET = ["--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false", "--data.num_workers", "0"]
FIT = ["--config", "experiments/own_folder.yaml", "--config", "experiments/variants/lora.yaml", "--laptop", "false"]
FIT += ["--model.checkpoint_parts", "trained", "--model.pretrained", "true", "--data.image_size", "32", *QUIET]
FIT += ["--data.batch_size", "4", "--trainer.max_epochs", "1", "--trainer.accelerator", "cpu", "--data.cache", "none"]
HEAD = {"model": {"class_path": "FrozenHead", "init_args": {"cache_views": 1}}, "trainer": {"max_epochs": 1}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run, and that of its network beside it."""
    place = tmp_path_factory.mktemp("tuned")
    network(place / "vit")
    (place / "then.yaml").write_text(yaml.safe_dump(HEAD))
    own = ["--data.root", str(pictures(place / "pictures")), "--then", str(place / "then.yaml")]
    own += ["--model.backbone", f"local-dir:{place / 'vit'}", "--run_dir", str(place / "run")]
    assert main(["fit", *FIT, *own]) == 0
    return place / "run"


def predictions(folder):
    table = pd.read_parquet(folder / "predictions.parquet").set_index("image").sort_index()
    return table.select_dtypes("floating").to_numpy()


def test_checkpoints_hold_what_was_trained(run):
    states = [
        torch.load(run / stage / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        for stage in ("stage1", "stage2")
    ]
    for state in states:
        assert sum("lora_A" in name for name in state) == 8  # two blocks of four layers
        assert not any("base_layer" in name or "pos_embed" in name for name in state)
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0] if name.startswith("backbone."))
    assert json.loads((run / "metrics.json").read_text())["identity"]["tuning"] == "LoRA of rank 8 in 8 layers"


def test_what_is_tested_and_loaded_is_what_was_trained(run, tmp_path, capsys):
    best = run / "stage2" / "checkpoints" / "best.ckpt"
    best = best if best.is_file() else best.with_name("last.ckpt")
    assert main(["test", "--ckpt_path", str(best), "--run_dir", str(tmp_path / "again"), *QUIET]) == 0
    np.testing.assert_array_equal(predictions(tmp_path / "again"), predictions(run))
    model = li.load(best)
    image = sorted((run.parent / "pictures" / "test").rglob("*.png"))[:1]
    with torch.no_grad():
        probability = model(torch.stack([model.transforms(image[0])])).softmax(dim=1)
    row = (
        pd.read_parquet(run / "predictions.parquet")
        .set_index("image")
        .loc[lambda table: [image[0].stem in str(name) for name in table.index]]
    )
    np.testing.assert_allclose(probability.numpy(), row.select_dtypes("floating").to_numpy(), atol=1e-5)
    capsys.readouterr()


def test_a_run_that_is_whole_is_continued(run, capsys):
    assert main(["fit", "--config", str(run / "stage1" / "config.yaml"), "--ckpt_path", "last"]) == 0
    said = capsys.readouterr()
    assert "not used, the weights are those of the last checkpoint" not in said.out + said.err


def test_without_the_folder_of_the_network_one_sentence_names_it(run, tmp_path, capsys):
    folder = run.parent / "vit"
    folder.rename(run.parent / "moved")
    try:
        best = str(run / "stage2" / "checkpoints" / "last.ckpt")
        assert main(["test", "--ckpt_path", best, "--run_dir", str(tmp_path / "again"), *QUIET]) == 2
        sentence = capsys.readouterr().err.strip()
        assert len(sentence.splitlines()) == 1 and str(folder) in sentence
        with pytest.raises(UserError, match=re.escape(str(folder))):
            li.load(best)
    finally:
        (run.parent / "moved").rename(folder)


def test_an_exported_network_has_no_adapters(run, monkeypatch):
    from lightning_imbal.export import onnx
    from lightning_imbal.export.inference import Inference

    model, given = li.load(run / "stage2" / "checkpoints" / "last.ckpt"), []

    def export(inference, *args, **kwargs):
        given.append(inference)
        raise torch.onnx.OnnxExporterError("seen")

    monkeypatch.setattr(torch.onnx, "export", export)
    inference = Inference(model, model.predictor, model.transforms.data.normalize)
    with pytest.raises(UserError, match="cannot be written as ONNX"):
        onnx.to_onnx(inference, (32, 32), {})
    assert not any("lora" in name for name in given[0].state_dict())
    image = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(given[0](image), inference(image), atol=1e-5, rtol=0)
    assert any("lora" in name for name in model.state_dict())


@pytest.mark.parametrize("name", ["lora", "bitfit", "last_block", "layer_decay"])
def test_overlays_are_read(name):
    files = [f"experiments/{file}.yaml" for file in ("demo", f"variants/{name}")]
    config = ImbalCLI("fit").read([part for file in files for part in ("--config", file)]).model.init_args
    assert [config.tuning, config.unfreeze, config.layer_decay] != [None, None, None]
    assert len(Path(files[1]).read_text().splitlines()) <= 6
