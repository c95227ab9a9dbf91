"""A frozen head on pixels: what a second stage does with stored features, without a network that takes time."""

import torch
from small_runs import NAMES, digits
from torch import Tensor, nn

from lightning_imbal.modules import FrozenHead


class Pixels(nn.Module):
    """Pictures (B, 3, H, W) to 64 brightnesses, of which nothing is learned."""

    num_features = 64

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, image: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(image.mean(dim=1), 8).flatten(1) * self.weight


def pixel_head(data, kind=FrozenHead, **arguments):
    """A head of seed 0 on stored pixels."""
    torch.manual_seed(0)
    arguments = {"cache_views": 1} | arguments
    model = kind(class_counts=data.class_counts, class_names=NAMES, backbone=Pixels(), **arguments)
    nn.init.ones_(model.backbone.weight)  # which counts as trained
    return model


def fit_pixels(trainer, kind=FrozenHead, ckpt_path=None, data=None, **arguments):
    """Trains it on digits; returns it and the features and labels of its training part."""
    data, stored = data or digits(), {}
    forget = data.forget_features
    data.forget_features = lambda: (stored.update(data.stored), forget())
    model = pixel_head(data, kind, **arguments)
    trainer.fit(model, data, ckpt_path=ckpt_path)
    return model, stored["train"].samples(torch.device("cpu"))
