"""Tiny networks in folders, as `timm.models.save_for_hf` writes them, and pictures to train them on."""

import json

import cv2
import numpy as np
import timm
import torch
from timm.models import save_for_hf

PARTS = {"train": (6, 4), "val": (3, 2), "test": (3, 2)}
VIT = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 2}
SWIN = {"img_size": 32, "patch_size": 4, "window_size": 4, "embed_dim": 16, "depths": [1, 1], "num_heads": [1, 2]}


def pictures(root, side=40):
    """One folder per class below train, val and test: grey and bright noise."""
    rng = np.random.default_rng(0)
    for part, counts in PARTS.items():
        for label, count in enumerate(counts):
            folder = root / part / ("normal", "rare")[label]
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(100 * label, 100 * label + 100, (side, side, 3), dtype=np.uint8)
                assert cv2.imwrite(str(folder / f"{part}{label}{number}.png"), pixels)
    return root


def network(
    folder, architecture="vit_tiny_patch16_224", arguments=VIT, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3), **changed
):
    """A network of random weights in a folder, with its classifier; returns it."""
    torch.manual_seed(0)
    model = timm.create_model(architecture, num_classes=7, **arguments)
    save_for_hf(model, folder, safe_serialization=True, data_config={"mean": mean, "std": std})
    config = json.loads((folder / "config.json").read_text())
    # As older versions of timm write it, beside what this one adds itself.
    config["model_args"] = {**arguments, "num_classes": 7}
    (folder / "config.json").write_text(json.dumps(config | changed))
    return model
