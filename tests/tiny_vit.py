"""A vision transformer of two blocks for pictures of 32 pixels, and a file of weights of it."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

NAME = "tiny_vit.TinyViT"
WIDTH, DEPTH = 48, 2
OUTPUTS = {"attn.qkv": 3 * WIDTH, "attn.proj": WIDTH, "mlp.fc1": 4 * WIDTH, "mlp.fc2": WIDTH}
INPUTS = {"attn.qkv": WIDTH, "attn.proj": WIDTH, "mlp.fc1": WIDTH, "mlp.fc2": 4 * WIDTH}


class TinyViT(VisionTransformer):
    """72,000 parameters."""

    def __init__(self) -> None:
        super().__init__(img_size=32, patch_size=8, embed_dim=WIDTH, depth=DEPTH, num_heads=3, num_classes=0)


def save_weights(folder: Path, seed: int = 3) -> Path:
    """Writes random weights as a file of pretrained ones."""
    torch.manual_seed(seed)
    file = folder / f"tiny_vit_{seed}.safetensors"
    save_file(TinyViT().state_dict(), file)
    return file
