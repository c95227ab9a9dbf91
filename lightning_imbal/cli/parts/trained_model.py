"""What `export` knows of a checkpoint: its network as a test would build it, and texts about it."""

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lightning_imbal.cli.parts.check import check_evaluation, check_test_size
from lightning_imbal.cli.parts.evaluation import read_checkpoint
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.cli.parts.trained import absent_places, check_places
from lightning_imbal.errors import DatasetNotFoundError
from lightning_imbal.export.check import random_images, test_images
from lightning_imbal.modules.base_checkpoint import BEFORE_DEPTH, load_weights, open_checkpoint
from lightning_imbal.modules.perturbed import PerturbedClassifier
from lightning_imbal.predictors.base import Predictor
from lightning_imbal.predictors.fit import calibrate, tell_normalization
from lightning_imbal.predictors.perturbed_input import PerturbedInput
from lightning_imbal.predictors.plain import Plain
from lightning_imbal.report.card_use import depth_facts
from lightning_imbal.report.model_card import described
from lightning_imbal.runs.run import Run


class TrainedModel:
    """The model and the data of a checkpoint, built as `test` does; one that is alone needs no data.

    Args:
        checkpoint: Of a classifier.
        options: Options of `test`.

    Raises:
        UserError: An option is unknown or does not fit, or the checkpoint has no classifier.
    """

    def __init__(self, checkpoint: Path, options: list[str]) -> None:
        cli = ImbalCLI("test")
        self.checkpoint = checkpoint
        self.config = read_checkpoint(cli, ["--ckpt_path", str(checkpoint), *options])
        built = cli.build(self.config)
        self.model, self.datamodule = built.model, built.data
        check_evaluation("", self.model, self.datamodule)
        check_test_size(self.model, self.datamodule)
        if self.datamodule.on_bad_image == "raise":
            self.datamodule.cache = "none"  # which is of the whole data set, not of the few images that are looked at
        self._load()

    def _load(self) -> None:
        """Loads weights and normalisation, and fits a predictor that learns from the validation part."""
        load_weights(self.model, self.checkpoint)
        checkpoint, normalize = open_checkpoint(self.checkpoint), self.datamodule.normalize
        if "normalize" in checkpoint:
            normalize.load_state_dict(checkpoint["normalize"])
        self.model.eval()
        tell_normalization(self.model, normalize.mean, normalize.std)
        if self.model.predictor.needs_calibration:
            check_places(self.config, f"{type(self.model.predictor).__name__} is fitted to its validation images")
            loader = self.datamodule.val_dataloader()
            with torch.no_grad():
                batches = (normalize.batch(batch, torch.float32) for batch in loader)
                calibrate(self.model.predictor, self.model.network, batches)

    def choice(self, name: str) -> Any:
        """The class and the arguments that the configuration has for a part of the model."""
        return self.config.model.as_dict()["init_args"].get(name)

    def predictor(self) -> tuple[Predictor, str]:
        """What of the inference ONNX can express, and a sentence on what it leaves out, empty if that is nothing."""
        predictor, perturbed = self.model.predictor, None
        if isinstance(self.model, PerturbedClassifier):
            perturbed = self.choice("perturb")
        if isinstance(predictor, PerturbedInput):
            predictor, perturbed = Plain(self.model.class_counts), self.choice("predictor")
        left_out = "needs gradients of the input, which ONNX does not have, and is left out"
        asked = ", ".join(self.model.asks_beside_image)
        return predictor, "; ".join(
            [f"{described(perturbed)} {left_out}"] * bool(perturbed)
            + [f"The file takes pictures alone: attributes ({asked}) count as missing"] * bool(asked)
        )

    def images(self, size: tuple[int, int]) -> tuple[Tensor, list[str]]:
        """Test images and their ids; random images, without ids, if the data set is not there."""
        if absent_places(self.config):
            return random_images(size), []
        try:
            check_evaluation("test", self.model, self.datamodule)
            return test_images(self.datamodule)
        except DatasetNotFoundError:
            return random_images(size), []

    def about(self, predictor: Predictor, left_out: str, size: tuple[int, int], run: Run | None) -> dict[str, str]:
        """Texts about the model, which the ONNX file keeps and the card shows."""
        data = self.datamodule
        as_fitted = described(_fitted(self.choice("predictor"), predictor))
        adjustment = as_fitted if predictor is self.model.predictor else "Plain"
        recipe = self.config.data.as_dict()["init_args"].get("test_transform", type(data.test_recipe).__name__)
        facts = {
            "class_names": json.dumps(self.model.class_names, ensure_ascii=False),
            "image_size": f"{size[0]} x {size[1]}",
            "recipe": f"{described(recipe, whole=True)} to this size, after pictures with a short side of more than "
            f"{data.short_side} pixels were reduced to that",
            "mean": json.dumps(_numbers(data.normalize.mean)),
            "std": json.dumps(_numbers(data.normalize.std)),
            "head": described(_fitted(self.choice("head"), self.model.head)),
            "adjustment": "; ".join(filter(None, [adjustment, left_out])),
            "checkpoint": self.checkpoint.name,
            "lightning_imbal": version("lightning_imbal"),
        }
        facts |= depth_facts({} if data.depth.trained == BEFORE_DEPTH else data.depth.reading.settings)
        return facts | (_of_run(self.checkpoint, run) if run else {})


def _of_run(checkpoint: Path, run: Run) -> dict[str, str]:
    identity = {"title": run.title} | {name: run.identity[name] for name in ("name", "seed", "commit")}
    return {
        "checkpoint": os.path.relpath(checkpoint, run.stages[-1].folder.parent),
        "run": json.dumps(identity, ensure_ascii=False),
    }


def _fitted(choice: Any, built: nn.Module) -> Any:
    """The configuration of a part of the model, with what was null in it as the part has it now."""
    if not isinstance(choice, dict):
        return choice
    settings = choice.get("init_args") or {}
    found = {name: getattr(built, name, None) for name, value in settings.items() if value is None}
    fitted = {name: float(value) for name, value in found.items() if isinstance(value, float | Tensor)}
    return choice | {"init_args": settings | fitted}


def _numbers(values: Tensor) -> list[float]:
    return [round(float(value), 6) for value in values.flatten()]
