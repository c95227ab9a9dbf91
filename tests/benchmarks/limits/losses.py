"""Contrastive losses, forward and backward, beside the bare matrix products and logarithms that no way goes around."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from pairs import Pair, repeated
from torch import Tensor

from lightning_imbal.cli.parts.allocator import keep_freed_memory
from lightning_imbal.losses import BHPLoss, SupConLoss

TEMPERATURE, DIM, CLASSES = 0.1, 128, 8
BARE = "matrix product, log-softmax, mean over positives"


def bare(point: Tensor, label: Tensor) -> Tensor:
    """Supervised contrastive loss, from its equation."""
    score = (point / TEMPERATURE) @ point.T
    log_share = score.fill_diagonal_(-1e30).log_softmax(dim=1)
    positive = (label[:, None] == label).to(score.dtype).fill_diagonal_(0)
    number = positive.sum(dim=1)
    return -((positive * log_share).sum(dim=1) / number.clamp(min=1)).sum() / (number > 0).sum()


def pairs() -> list[Pair]:
    """Rows of the table."""
    keep_freed_memory()  # as fit does
    return [_supcon(128, times=50), _supcon(1024, times=1), _bhp(512, 960)]


def _supcon(images: int, times: int) -> Pair:
    embedding, label = _points(2 * images).unflatten(0, (images, 2)), torch.arange(images) % CLASSES
    return Pair(
        f"SupCon, {images} images x 2 views, {times} times",
        BARE,
        repeated(_step(lambda x: bare(x.flatten(0, 1), label.repeat_interleave(2)), embedding), times),
        repeated(_step(lambda x: SupConLoss(TEMPERATURE)(x, label), embedding), times),
        1.05,
        "x",
        15,
    )


def _bhp(images: int, proxies: int) -> Pair:
    point, label = _points(2 * images + proxies), torch.arange(images) % CLASSES
    proxy_label = torch.arange(proxies) % CLASSES
    every_label = torch.cat([label.repeat_interleave(2), proxy_label])

    def balanced(x: Tensor) -> Tensor:
        embedding, proxy = x.split([2 * images, proxies])
        return BHPLoss(TEMPERATURE)(embedding.unflatten(0, (images, 2)), label, proxy, proxy_label)

    return Pair(
        f"BHP, {images} images x 2 views, {proxies} proxies",
        f"{BARE}, unbalanced",
        _step(lambda x: bare(x, every_label), point),
        _step(balanced, point),
        0.09,
        "s",
        15,
    )


def _points(number: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return F.normalize(torch.randn(number, DIM, generator=generator), dim=1)


def _step(loss: Callable[[Tensor], Tensor], point: Tensor) -> Callable[[], Tensor]:
    point = point.clone().requires_grad_()
    return lambda: torch.autograd.grad(loss(point), point)[0]
