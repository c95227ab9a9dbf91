"""Maps of where a network looks: Grad-CAM for a class, attention rollout for a vision transformer."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lightning_imbal.errors import UserError
from lightning_imbal.trained.explain.layers import FeatureMap, patches_of, transformer_of


def require_package() -> None:
    """Refuses, before anything is built, what could not be computed.

    Raises:
        UserError: The optional package is not installed.
    """
    try:
        import pytorch_grad_cam  # noqa: F401
    except ImportError as error:
        raise UserError("--explain needs grad-cam: pip install 'lightning_imbal[explain]'.") from error


def grad_cam(network: nn.Module, place: FeatureMap, image: Tensor, label: Tensor) -> np.ndarray:
    """Where the logit of a class comes from, Selvaraju et al. 2017 (ICCV).

    The maps of a layer, each weighted by the mean gradient of the logit over it, are added; what is negative is 0.

    Args:
        network: From images to logits (B, C), in evaluation mode.
        place: The layer, and how its outputs are maps.
        image: Normalised images (B, 3, H, W).
        label: The class of each image, (B,).

    Returns:
        (B, H, W) in 0..1: each map is scaled by itself. All of it is 0 where no place stands out.
    """
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    cam = GradCAM(network, [place.layer], place.as_maps)
    cam.compute_input_gradient = True  # else a frozen network has no gradients
    try:
        with torch.enable_grad():
            return cam(image, [ClassifierOutputTarget(each) for each in label.tolist()])
    finally:
        cam.activations_and_grads.release()


def attentions_of(backbone: nn.Module) -> list[Any]:
    """The attention of each block of a vision transformer; empty if there is none, or one that cannot be looked at."""
    found = [getattr(block, "attn", None) for block in getattr(transformer_of(backbone), "blocks", [])]
    # That of XCiT, which has a temperature, is of features to each other.
    return found if all(hasattr(each, "attn_drop") and not hasattr(each, "temperature") for each in found) else []


def attention_rollout(network: nn.Module, backbone: nn.Module, image: Tensor) -> tuple[np.ndarray, tuple[int, int]]:
    """How much of each patch reaches what is classified, as far as attention alone passes it on.

    S. Abnar, W. Zuidema. Quantifying Attention Flow in Transformers. ACL 2020, Eq. 1: with the mean A of the attention
    of all heads of a block, R_i = (0.5 A_i + 0.5 I) R_(i-1). Of R behind the last block, the row of the class token is
    looked at; where the mean of all patches is classified, that of their rows. No class has a part in it.

    Args:
        network: From images to logits, in evaluation mode.
        backbone: Its vision transformer, of timm.
        image: Normalised images (B, 3, H, W).

    Returns:
        (B, H, W) in 0..1, each map scaled by itself; and how many patches high and wide it is.

    Raises:
        UserError: The network has no attention of all tokens to all tokens.
    """
    from pytorch_grad_cam.utils.image import scale_cam_image

    transformer, attentions = transformer_of(backbone), attentions_of(backbone)
    if transformer is None or not attentions:
        raise UserError(
            "Attention rollout is for vision transformers (ViT, DeiT, DINOv2) with one block behind the other, and "
            f"this {type(backbone).__name__} is none: take --explain gradcam."
        )
    rolled = _rolled(network, attentions, image)
    height, width = patches_of(transformer, image)
    others = rolled.shape[1] - height * width
    pooled = getattr(transformer, "global_pool", "token") == "token" and others > 0
    rows = rolled[:, 0] if pooled else rolled[:, others:].mean(dim=1)
    found = rows[:, others:].unflatten(1, (height, width)).cpu().numpy()
    return scale_cam_image(found, (image.shape[3], image.shape[2])), (height, width)


def _rolled(network: nn.Module, attentions: list[Any], image: Tensor) -> Tensor:
    """R of all blocks, (B, N, N)."""
    rolled: list[Tensor] = []

    def step(dropout: nn.Module, inputs: tuple[Tensor]) -> None:
        mean = inputs[0].mean(dim=1)  # over the heads
        mixed = 0.5 * mean + 0.5 * torch.eye(mean.shape[-1], device=mean.device)
        rolled[:] = [mixed @ rolled[0] if rolled else mixed]

    fused = [getattr(each, "fused_attn", None) for each in attentions]
    hooks = [each.attn_drop.register_forward_pre_hook(step) for each in attentions]
    try:
        for each in attentions:
            each.fused_attn = False  # which would keep the attention to itself
        with torch.no_grad():
            network(image)
    finally:
        for each, before, hook in zip(attentions, fused, hooks, strict=True):
            each.fused_attn = before
            hook.remove()
    return rolled[0]
