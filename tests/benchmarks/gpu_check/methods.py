"""Every module on a few made-up pictures, small: for what is looked at within a training.

The network is smooth. With ReLU and max-pooling, rounding decides at near-ties which way a gradient goes, and two right
results differ by a hundredth.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning.pytorch import Callback, Trainer

from gpu_check.setting import Setting
from lightning_imbal import modules
from lightning_imbal.data import Holdout, ImbalDataModule
from lightning_imbal.losses import CenterTerm, ContrastTerm, TripletTerm
from lightning_imbal.samplers import ClassPower

BATCH_SIZE, SIDE = 32, 32
DRAWS = 100 * BATCH_SIZE  # of an epoch
COUNTS = [60, 30, 20, 10]
NAMES = ["red", "green", "blue", "grey"]
PAIRED = {"paired_sampler": partial(ClassPower, q=0.0, length=DRAWS)}
TWO_VIEWS = {"views": 2}
ODD = [{"attribute": "odd", "word": "yes"}, {"attribute": "odd", "missing": True}]

# Module, its arguments, those of the data. What draws partners on the device is left out: devices draw differently.
METHODS: dict[str, tuple[Callable[..., modules.ImbalModule], dict[str, Any], dict[str, Any]]] = {
    "CE": (modules.Classifier, {}, {}),
    "Balanced-MixUp": (modules.BalancedMixUpClassifier, {}, PAIRED),
    "Center loss": (modules.MetricLearningClassifier, {"metric": CenterTerm}, {}),
    "Triplet loss": (modules.MetricLearningClassifier, {"metric": TripletTerm}, {}),
    "Contrast": (modules.MetricLearningClassifier, {"metric": ContrastTerm}, {}),
    "Metadata": (
        modules.MetadataClassifier,
        {"metadata_encoding": ODD, "metadata_dropout": 0.0, "drop_attribute": 0.0},
        {"metadata_columns": "odd"},
    ),
    "Perturbed input": (modules.PerturbedClassifier, {}, {}),
    "SupCon": (modules.SupConRepresentation, {}, {}),
    "Frozen head": (modules.FrozenHead, {}, {}),
    "Frozen head, stored features": (modules.FrozenHead, {"cache_views": 1}, {}),
    "ECL": (modules.ECL, {}, {**TWO_VIEWS, "split": Holdout(test=0.3, val=0.1)}),
    "BBN": (modules.BBN, {}, PAIRED),
    "BCL": (modules.BCL, {}, {"views": 3}),
    "Hybrid-SC": (modules.HybridSC, {}, {**TWO_VIEWS, **PAIRED}),
    "SCL": (modules.SCL, {}, TWO_VIEWS),
    "TSC": (modules.TSC, {}, TWO_VIEWS),
}


class Pictures(ImbalDataModule):
    """Made-up pictures, each with contrast and brightness of its own: alike, their embeddings would be ill conditioned.

    Args:
        **kwargs: Arguments of `ImbalDataModule`.
    """

    class_names = tuple(NAMES)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(root=".", image_size=SIDE, batch_size=BATCH_SIZE, num_workers=0, **kwargs)

    def read_index(self) -> pd.DataFrame:
        """Says the classes of the pictures."""
        label = np.repeat(np.arange(len(COUNTS)), COUNTS)
        return pd.DataFrame({"image": np.arange(len(label)).astype(str), "label": label})

    def unused_columns(self) -> pd.DataFrame:
        """Says of every second picture that it is odd."""
        return pd.DataFrame({"odd": ["", "yes"] * (sum(COUNTS) // 2) + [""] * (sum(COUNTS) % 2)})

    def read_images(self) -> list[np.ndarray]:
        """Makes them, (SIDE, SIDE, 3)."""
        rng = np.random.default_rng(0)
        colour = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200], [120, 120, 120]])
        contrast = rng.uniform(20, 120, (len(self.index), 1, 1, 1))
        noise = contrast * rng.standard_normal((len(self.index), SIDE, SIDE, 3))
        return list((colour[self.index["label"]][:, None, None] + noise).clip(0, 255).astype(np.uint8))


def fit(setting: Setting, name: str, callback: Callback, device: str, **trainer: Any) -> modules.ImbalModule:
    """Trains one of the methods, from the same weights on the same images whatever the device; returns the module."""
    kind, arguments, of_data = METHODS[name]
    of_data = {"split": Holdout(test=0.3), **of_data}
    sampler = partial(ClassPower, length=DRAWS)
    data = Pictures(sampler=sampler, **of_data)
    torch.manual_seed(0)
    model = kind(
        class_counts=data.class_counts,
        class_names=NAMES,
        backbone="test_efficientnet",
        optimizer=partial(torch.optim.SGD, lr=0.01),
        **arguments,
    )
    if model.freezes_backbone:  # as if it had been trained: one of random weights is refused
        model.backbone.load_state_dict(model.backbone.state_dict())
    common = setting.trainer | {"accelerator": "gpu" if device == "cuda" else "cpu", "callbacks": [callback]}
    Trainer(**common | {"limit_val_batches": 0, "num_sanity_val_steps": 0, "max_epochs": 2} | trainer).fit(model, data)
    return model
