"""Writes what a classifier does to a picture as one ONNX file."""

import gc
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO

import torch
from torch import nn

from lightning_imbal.backbones.tuning_peft import merged
from lightning_imbal.errors import UserError
from lightning_imbal.export.inference import Inference


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


def to_onnx(inference: Inference, size: tuple[int, int], metadata: dict[str, str]) -> bytes:
    """Writes the graph: `image` (batch, 3, H, W) float32, RGB in 0..1, to `logits` and `probability` (batch, C),
    and to `answer` (batch,) if it answers.

    Args:
        inference: What to write; it is put into evaluation mode. Adapters are written as part of the weights.
        size: Height and width of the input.
        metadata: Texts to keep in the file.

    Returns:
        The content of the file.

    Raises:
        UserError: Something in it cannot be expressed in ONNX.
    """
    import onnx

    inference = merged(inference)  # type: ignore[assignment]  # its copy
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
                output_names=list(inference.outputs),
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                external_data=False,
                verbose=False,
            )
            content = program.model_proto  # type: ignore[union-attr]  # None only with another exporter
            del program
    except torch.onnx.OnnxExporterError as error:
        raise _refusal(inference, str(error.__cause__ or error).strip().splitlines()[0].rstrip(".")) from error
    if not content.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        raise _refusal(inference, "its steps, such as torch.chunk, fix the number of images in a batch")
    for node in content.graph.node:
        node.ClearField("metadata_props")  # lines of source files with their paths on this machine
    onnx.helper.set_model_props(content, metadata)
    gc.collect()  # the exporter leaves copies of the classes behind, and two of one name are found by none
    return content.SerializeToString()


def _refusal(inference: Inference, why: str) -> UserError:
    model, predictor = (type(part).__name__ for part in (inference.model, inference.predictor))
    return UserError(
        f"{model} with {predictor} cannot be written as ONNX ({why}): choose another predictor, such as "
        "model.predictor=Plain, or train another network."
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
