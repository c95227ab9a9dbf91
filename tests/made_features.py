"""Stored features of scikit-learn's digits, made by a small network of random weights, which a file holds."""

import timm
import torch
import yaml
from safetensors.torch import save_file

from lightning_imbal.cli import main

SEED = 7  # of the weights


def configuration(folder, seed=SEED, **data):
    """A configuration of a linear head on a frozen backbone, in a file beside the weights."""
    torch.manual_seed(seed)
    weights, file = folder / f"weights{seed}.safetensors", folder / "frozen.yaml"
    save_file(timm.create_model("test_resnet", num_classes=0).state_dict(), weights)
    split = {"class_path": "Holdout", "init_args": {"test": 0.3, "val": 0.1}}
    of_data = {"split": split, "image_size": 32, "batch_size": 64, "num_workers": 0, **data}
    optimizer = {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.5}}
    of_model = {"backbone": "test_resnet", "pretrained": str(weights), "optimizer": optimizer}
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    content = {
        "model": {"class_path": "FrozenHead", "init_args": of_model},
        "data": {"class_path": "DigitsLT", "init_args": of_data},
        "trainer": {"accelerator": "cpu", "max_epochs": 2, **quiet},
    }
    file.write_text(yaml.safe_dump(content))
    return file


def store(folder, *options, **data):
    """Stores features below a folder, and returns the configuration and where they are."""
    file, out = configuration(folder, **data), folder / "features"
    assert main(["features", "--config", str(file), "--out", str(out), *options]) == 0
    return file, out
