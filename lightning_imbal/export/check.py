"""Checks an ONNX file against PyTorch."""

import numpy as np
import torch
from torch import Tensor

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.normalize import Normalize
from lightning_imbal.errors import UserError
from lightning_imbal.export.inference import ANSWER, OUTPUTS, Inference

CHECKED_IMAGES = 100
BATCH_SIZES = (1, 16)
TOLERANCE = 1e-4


def test_images(data: ImbalDataModule) -> tuple[Tensor, list[str]]:
    """Takes images (N, 3, H, W), uint8 or floats in 0..1, and their ids, spread evenly over the test part."""
    dataset = data.dataset("test", [data.test_recipe])
    positions = np.linspace(0, len(dataset) - 1, min(CHECKED_IMAGES, len(dataset))).astype(int)
    items = [dataset[int(position)] for position in positions]
    names = data.table["image"].iloc[[item["index"] for item in items]]
    return torch.stack([item["image"] for item in items]), names.astype(str).tolist()


def random_images(size: tuple[int, int]) -> Tensor:
    """Draws images (N, 3, H, W), uint8."""
    return torch.randint(256, (CHECKED_IMAGES, 3, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def predict(inference: Inference, images: Tensor, normalize: Normalize) -> list[np.ndarray]:
    """Returns logits and probabilities (N, C) of images, as a test obtains them: with PyTorch."""
    with torch.no_grad():
        batches = map(normalize, images.split(BATCH_SIZES[-1]))
        logits = torch.cat([inference.predictor(inference.model, batch).float() for batch in batches])
    return [logits.numpy(), logits.softmax(dim=1).numpy()]


def check(content: bytes, images: Tensor, expected: list[np.ndarray], offset: np.ndarray | None = None) -> list[float]:
    """Runs a file by onnxruntime, in batches of 1 and of 16.

    Args:
        content: The file.
        images: The input, (N, 3, H, W), uint8 or floats in 0..1.
        expected: Logits and probabilities (N, C) of these images.
        offset: What the file is to add to its logits before it answers, (C,); None if it does not.

    Returns:
        Largest absolute difference of the logits and of the probabilities.

    Raises:
        UserError: One of them is more than 1e-4, or an answer is another one.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    differences = []
    for batch_size in BATCH_SIZES:
        pixels = [(batch if batch.is_floating_point() else batch / 255).numpy() for batch in images.split(batch_size)]
        batches = [session.run(OUTPUTS, {"image": batch}) for batch in pixels]
        found = [np.concatenate(parts) for parts in zip(*batches, strict=True)]
        differences.append([np.abs(a - b).max() for a, b in zip(found, expected, strict=True)])
        if offset is not None:
            answers = np.concatenate([session.run([ANSWER], {"image": batch})[0] for batch in pixels])
            decided = np.sort(found[0] + offset.astype(np.float32))
            sure = decided[:, -1] - decided[:, -2] > TOLERANCE  # of a tie, rounding decides
            if (answers != (found[0] + offset.astype(np.float32)).argmax(axis=1))[sure].any():
                raise UserError("No ONNX file was written: it would not answer as the decision does.")
    worst = np.max(differences, axis=0)
    for name, difference in zip(OUTPUTS, worst, strict=True):
        if not difference <= TOLERANCE:  # NaN is no agreement either
            raise UserError(
                f"No ONNX file was written: its {name} would differ from PyTorch's by up to {difference:.1e} on "
                f"{len(images)} images, more than {TOLERANCE:.0e}; choose another predictor, such as "
                "model.predictor=Plain."
            )
    return worst.tolist()
