"""A trained classifier as one ONNX file, checked against PyTorch."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO

import albumentations as A
import numpy as np
import torch
from torch import Tensor, nn

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.normalize import Normalize
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.predictors.base import Predictor

CHECKED_IMAGES = 100
BATCH_SIZES = (1, 16)
TOLERANCE = 1e-4
OUTPUTS = ("logits", "probability")


class Inference(nn.Module):
    """What happens to a picture of the network's size, from pixels to probabilities.

    Args:
        model: A classifier.
        predictor: How its logits are obtained.
        normalize: How its pictures are normalised.
    """

    def __init__(self, model: ImbalClassifier, predictor: Predictor, normalize: Normalize) -> None:
        super().__init__()
        self.model, self.predictor = model, predictor
        self.register_buffer("mean", normalize.mean.clone())
        self.register_buffer("std", normalize.std.clone())

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Returns logits and probabilities (B, C) of images (B, 3, H, W), RGB in 0..1."""
        logits = self.predictor(self.model, (image - self.mean) / self.std).float()
        return logits, logits.softmax(dim=1)


def require_packages() -> None:
    """Refuses, before anything is built, what could not be written or checked.

    Raises:
        UserError: The optional packages are not installed.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(f"`export` needs {error.name}: pip install 'lightning_imbal[onnx]'.") from error


def input_size(recipe: A.Compose) -> tuple[int, int]:
    """Height and width, in pixels, of what a test transform makes of a picture."""
    # Larger than any network's input, so that a crop finds what it needs.
    return recipe(image=np.zeros((1024, 1024, 3), np.uint8))["image"].shape[:2]


def calibrate(model: ImbalClassifier, data: ImbalDataModule) -> None:
    """Fits a predictor that learns from the validation part, as a test does."""
    with torch.no_grad():
        seen = [
            (model.predictor(model, data.normalize(batch["image"])).float(), batch["label"])
            for batch in data.val_dataloader()
        ]
    model.predictor.calibrate(*map(torch.cat, zip(*seen, strict=True)))


def test_images(data: ImbalDataModule) -> tuple[Tensor, list[str]]:
    """Takes images (N, 3, H, W), uint8, and their ids, spread evenly over the test part."""
    dataset = data.test_dataloader().dataset
    positions = np.linspace(0, len(dataset) - 1, min(CHECKED_IMAGES, len(dataset))).astype(int)
    items = [dataset[int(position)] for position in positions]
    names = data.table["image"].iloc[[item["index"] for item in items]]
    return torch.stack([item["image"] for item in items]), names.astype(str).tolist()


def random_images(size: tuple[int, int]) -> Tensor:
    """Draws images (N, 3, H, W), uint8."""
    return torch.randint(256, (CHECKED_IMAGES, 3, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def to_onnx(inference: Inference, size: tuple[int, int], metadata: dict[str, str]) -> bytes:
    """Writes the graph: `image` (batch, 3, H, W) float32, RGB in 0..1, to `logits` and `probability` (batch, C).

    Args:
        inference: What to write; it is put into evaluation mode.
        size: Height and width of the input.
        metadata: Texts to keep in the file.

    Returns:
        The content of the file.

    Raises:
        UserError: Something in it cannot be expressed in ONNX.
    """
    import onnx

    for module in inference.modules():
        if isinstance(module, nn.ConstantPad2d) and module.value == 0:
            # onnxruntime fuses zeros around a picture into max-pooling, which pads with minus infinity.
            module.value = torch.finfo(torch.float32).tiny
    try:
        with _silence(), torch.no_grad():
            program = torch.onnx.export(
                inference.eval(),
                (torch.rand(2, 3, *size),),
                dynamo=True,
                input_names=["image"],
                output_names=list(OUTPUTS),
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                external_data=False,
                verbose=False,
            )
            content = program.model_proto
    except torch.onnx.OnnxExporterError as error:
        raise _refusal(inference, str(error.__cause__ or error).strip().splitlines()[0].rstrip(".")) from error
    if not content.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        raise _refusal(inference, "its steps, such as torch.chunk, fix the number of images in a batch")
    for node in content.graph.node:
        node.ClearField("metadata_props")  # lines of source files with their paths on this machine
    onnx.helper.set_model_props(content, metadata)
    return content.SerializeToString()


def predict(inference: Inference, images: Tensor, normalize: Normalize) -> list[np.ndarray]:
    """Returns logits and probabilities (N, C) of images, uint8, as a test obtains them: with PyTorch."""
    with torch.no_grad():
        batches = map(normalize, images.split(BATCH_SIZES[-1]))
        logits = torch.cat([inference.predictor(inference.model, batch).float() for batch in batches])
    return [logits.numpy(), logits.softmax(dim=1).numpy()]


def check(content: bytes, images: Tensor, expected: list[np.ndarray]) -> list[float]:
    """Runs a file by onnxruntime, in batches of 1 and of 16.

    Args:
        content: The file.
        images: The input, (N, 3, H, W), uint8.
        expected: Logits and probabilities (N, C) of these images.

    Returns:
        Largest absolute difference of the logits and of the probabilities.

    Raises:
        UserError: One of them is more than 1e-4.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    differences = []
    for batch_size in BATCH_SIZES:
        pixels = [batch.numpy() / np.float32(255) for batch in images.split(batch_size)]
        batches = [session.run(OUTPUTS, {"image": batch}) for batch in pixels]
        found = map(np.concatenate, zip(*batches, strict=True))
        differences.append([np.abs(a - b).max() for a, b in zip(found, expected, strict=True)])
    worst = np.max(differences, axis=0)
    for name, difference in zip(OUTPUTS, worst, strict=True):
        if not difference <= TOLERANCE:  # NaN is no agreement either
            raise UserError(
                f"No ONNX file was written: its {name} would differ from PyTorch's by up to {difference:.1e} on "
                f"{len(images)} images, more than {TOLERANCE:.0e}; choose another predictor, such as "
                "--model.predictor Plain."
            )
    return worst.tolist()


def _refusal(inference: Inference, why: str) -> UserError:
    model, predictor = (type(part).__name__ for part in (inference.model, inference.predictor))
    return UserError(
        f"{model} with {predictor} cannot be written as ONNX ({why}): choose another predictor, such as "
        "--model.predictor Plain, or train another network."
    )


@contextmanager
def _silence() -> Iterator[None]:
    """The exporter's progress and advice are for its developers."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
