"""`lightning_imbal export`: a trained model as ONNX, with a model card beside it."""

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import albumentations as A
import numpy as np
import pandas as pd
import torch
from jsonargparse import ArgumentError
from torch import Tensor, nn

from lightning_imbal.atomic_files import write_whole
from lightning_imbal.cli.parts.check import check_evaluation
from lightning_imbal.cli.parts.imbal_cli import ImbalCLI
from lightning_imbal.cli.parts.messages import explain
from lightning_imbal.cli.parts.verb_parser import VerbParser
from lightning_imbal.errors import DatasetNotFoundError, UserError
from lightning_imbal.export.check import BATCH_SIZES, check, predict, random_images, test_images
from lightning_imbal.export.inference import Inference, calibrate, input_size
from lightning_imbal.export.onnx import require_packages, to_onnx
from lightning_imbal.modules.perturbed import PerturbedClassifier
from lightning_imbal.predictors.base import Predictor
from lightning_imbal.predictors.perturbed_input import PerturbedInput
from lightning_imbal.predictors.plain import Plain
from lightning_imbal.report.model_card import described, model_card
from lightning_imbal.runs.folder import stages_of
from lightning_imbal.runs.predictions import read_predictions
from lightning_imbal.runs.run import read_results
from lightning_imbal.wording import number_of

USAGE = "lightning_imbal export RUN --onnx FILE.onnx [--model.predictor FlipTTA, --data.root DIR: any option of `test`]"
SAME = 0.01  # of probabilities: what another device or precision may make of them


class TrainedModel(ImbalCLI):
    """Builds the model and the data of a checkpoint as `test` does, and runs nothing.

    Args:
        checkpoint: Of a classifier.
        options: Options of `test`.

    Raises:
        UserError: An option is unknown or does not fit, or the checkpoint has no classifier.
    """

    def __init__(self, checkpoint: Path, options: list[str]) -> None:
        try:
            super().__init__(["test", "--ckpt_path", str(checkpoint), *options])
        except ArgumentError as error:
            raise UserError(explain(str(error))) from error
        check_evaluation("", self.model, self.datamodule)
        if self.datamodule.on_bad_image == "raise":
            self.datamodule.cache = "none"  # which is of the whole data set, not of the few images that are looked at
        self._load()

    def _set_seed(self) -> None:
        """Needs none."""

    def instantiate_trainer(self, **kwargs: Any) -> None:
        """Needs none."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Runs nothing."""

    def _load(self) -> None:
        """Loads weights and normalisation, and fits a predictor that learns from the validation part."""
        checkpoint = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        try:
            self.model.load_state_dict(checkpoint["state_dict"])
        except RuntimeError as error:
            raise UserError(
                f"{self.checkpoint} does not fit the network that the options ask for: leave out those that change it, "
                "such as --model.backbone or --model.head."
            ) from error
        normalize = self.datamodule.normalize
        if "normalize" in checkpoint:
            normalize.load_state_dict(checkpoint["normalize"])
        self.model.eval()
        for predictor in filter(lambda module: isinstance(module, Predictor), self.model.modules()):
            predictor.set_normalization(normalize.mean, normalize.std)
        if self.model.predictor.needs_calibration:
            calibrate(self.model, self.datamodule)

    @property
    def checkpoint(self) -> Path:
        """The checkpoint's file."""
        return Path(self.config.test.ckpt_path)

    def choice(self, name: str) -> Any:
        """The class and the arguments that the configuration has for a part of the model."""
        return self.config.test.model.as_dict()["init_args"].get(name)

    def predictor(self) -> tuple[Predictor, str]:
        """What of the inference ONNX can express, and a sentence on what it leaves out, empty if that is nothing."""
        predictor, perturbed = self.model.predictor, None
        if isinstance(self.model, PerturbedClassifier):
            perturbed = self.choice("perturb")
        if isinstance(predictor, PerturbedInput):
            predictor, perturbed = Plain(self.model.class_counts), self.choice("predictor")
        left_out = "needs gradients of the input, which ONNX does not have, and is left out"
        return predictor, f"{described(perturbed)} {left_out}" if perturbed else ""

    def images(self, size: tuple[int, int]) -> tuple[Tensor, list[str]]:
        """Test images and their ids; random images, without ids, if the data set is not there."""
        try:
            check_evaluation("test", self.model, self.datamodule)
            return test_images(self.datamodule)
        except DatasetNotFoundError:
            return random_images(size), []

    def about(self, predictor: Predictor, left_out: str, size: tuple[int, int], run: Path) -> dict[str, str]:
        """Texts about the model, which the ONNX file keeps and the card shows."""
        data, identity = self.datamodule, read_results(run)["identity"]
        as_fitted = described(_fitted(self.choice("predictor"), predictor))
        adjustment = as_fitted if predictor is self.model.predictor else "Plain"
        recipe = self.config.test.data.as_dict()["init_args"].get("test_transform", type(data.test_recipe).__name__)
        return {
            "class_names": json.dumps(self.model.class_names, ensure_ascii=False),
            "image_size": f"{size[0]} x {size[1]}",
            "recipe": f"{described(recipe, whole=True)} to this size, after pictures with a short side of more than "
            f"{data.short_side} pixels were reduced to that",
            "mean": json.dumps(_numbers(data.normalize.mean)),
            "std": json.dumps(_numbers(data.normalize.std)),
            "head": described(_fitted(self.choice("head"), self.model.head)),
            "adjustment": "; ".join(filter(None, [adjustment, left_out])),
            "checkpoint": os.path.relpath(self.checkpoint, stages_of(run)[-1].parent),
            "run": json.dumps({name: identity[name] for name in ("name", "seed", "commit")}, ensure_ascii=False),
            "lightning_imbal": version("lightning_imbal"),
        }


def run(args: list[str]) -> int:
    """Runs `export` and returns the exit status."""
    given, options = _parser().parse_known_args(args[1:])
    folder, file = Path(given.run), Path(given.onnx)
    _check(folder, file)
    trained = TrainedModel(_checkpoint(folder), options)
    recipe, normalize = trained.datamodule.test_recipe, trained.datamodule.normalize
    (predictor, left_out), size = trained.predictor(), input_size(recipe)
    about = trained.about(predictor, left_out, size, folder)
    inference = Inference(trained.model, predictor, normalize)
    images, ids = trained.images(size)
    content, expected = to_onnx(inference, size, about), predict(inference, images, normalize)
    checked = _checked(len(images), bool(ids), check(content, images, expected))
    plain = folder / "plain"
    scores = plain if left_out and (plain / "metrics.json").is_file() else folder
    own, origin = _origin(scores, ids, expected[-1])
    card = model_card(scores, about | {"file": file.name, "check": checked, "origin": origin, "steps": steps(recipe)})
    write_whole(file, lambda path: path.write_bytes(content))
    write_whole(file.with_suffix(".md"), lambda path: path.write_text(card, encoding="utf-8"))
    for line in (f"{left_out}." if left_out else "", checked, "" if own else origin):
        if line:
            print(line)
    print(f"Model: {file} ({len(content) / 1e6:.1f} MB)")
    print(f"Model card: {file.with_suffix('.md')}")
    return 0


def _parser() -> VerbParser:
    parser = VerbParser("export", USAGE, __doc__.partition("\n")[0])
    parser.add_argument("run", metavar="RUN", help="folder that fit wrote to, or test inside it")
    parser.add_argument("--onnx", metavar="FILE", required=True, help="file to write; the card has its name and .md")
    return parser


def _check(folder: Path, file: Path) -> None:
    """Refuses, before anything is built, what could not be read, written or checked."""
    require_packages()
    read_results(folder)
    if file.suffix != ".onnx" or file.is_dir():
        raise UserError(f"--onnx {file} is no name of an ONNX file: give one such as {file.with_suffix('.onnx')}.")


def _checkpoint(folder: Path) -> Path:
    """The best checkpoint of the last stage of a run."""
    stages = stages_of(folder)
    file = stages[-1] / "checkpoints" / "best.ckpt" if stages else folder / "stage1" / "checkpoints" / "best.ckpt"
    if not file.is_file():
        raise UserError(f"There is no checkpoint {file}: give the folder that `fit` wrote to, with its checkpoints.")
    return file


def _checked(number: int, real: bool, differences: list[float]) -> str:
    logits, probability = differences
    source = "test images" if real else "random images, because the data set was not found (--data.root),"
    return (
        f"Checked on {number} {source} in batches of {' and '.join(map(str, BATCH_SIZES))}: onnxruntime and "
        f"PyTorch differ by at most {probability:.1e} in probabilities, {logits:.1e} in logits."
    )


def _origin(scores: Path, ids: list[str], probability: np.ndarray) -> tuple[bool, str]:
    """Whether the scores of a folder are those of the file, as far as is known, and a sentence that says so.

    Args:
        scores: Folder of the scores.
        ids: Images, none if they are not known.
        probability: What the file gives for them, (N, C).
    """
    recorded = read_predictions(scores)
    row = pd.Index(recorded.image if recorded else []).get_indexer(ids)
    known = row >= 0
    if not known.any():
        return True, "Whether the file gives the probabilities that these scores were computed from was not checked."
    difference = np.abs(recorded.probability[row[known]] - probability[known]).max()
    where = f"on {number_of(int(known.sum()), 'test image')} its probabilities"
    if difference <= SAME:
        return True, f"These scores are those of the file: {where} are the recorded ones, within {difference:.1e}."
    return False, (
        f"The scores are not those of the file: {where} differ by up to {difference:.2f} from those that the scores "
        "were computed from. For a card with its own scores, `test` the checkpoint with the same options, and export "
        "the folder that this writes."
    )


def steps(recipe: A.Compose) -> str:
    """Lines of Python that do to a `picture` what a test transform does; empty if they are not known."""
    lines, height, width = [], 0, 0
    for step in recipe.transforms:
        match step:
            case A.Resize(area_for_downscale="image"):
                height, width = step.height, step.width
                lines.append(f"picture = cv2.resize(picture, ({width}, {height}), interpolation=cv2.INTER_AREA)")
            case A.CenterCrop(pad_if_needed=False) if lines:
                top, left = (height - step.height) // 2, (width - step.width) // 2
                lines.append(f"picture = picture[{top} : {top + step.height}, {left} : {left + step.width}]")
            case _:
                return ""
    return "\n".join(lines)


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
