"""What the contrastive losses share: similarities in float32, class averages, one safe cross-entropy."""

from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor

# Added to a similarity it takes a point out of a denominator; unlike infinity, it times 0 is 0.
LEFT_OUT = -1e30


def flatten_views(embedding: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """Makes every view a point: (B, D) as it is, or (B, V, D) to (B * V, D), with its label."""
    if embedding.ndim == 2:
        return embedding, label
    return embedding.flatten(0, 1), label.repeat_interleave(embedding.shape[1])


def similarity(anchor: Tensor, point: Tensor, temperature: float, offset: Tensor) -> Tensor:
    """Dot products over the temperature, and what is added to them, in float32 or better.

    Args:
        anchor: Shape (A, D).
        point: Shape (N, D).
        temperature: Divides the dot products.
        offset: A constant, shape (A, N), which needs no memory of its own for the gradient.
    """
    exact, device = torch.promote_types(point.dtype, torch.float32), point.device.type
    # To open a context takes as long as a small product.
    with torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext():
        return torch.addmm(offset.to(exact), anchor.to(exact) / temperature, point.to(exact).T)


def pull_to_positives(
    score: Tensor, positive: Tensor, weight: Tensor | None = None, log_divisor: Tensor | None = None
) -> Tensor:
    """Mean over the anchors i that have a positive of `-1 / |P_i| * sum_{j in P_i} w_j * log(q_ij)`.

    Here `q_ij = d_i * exp(s_ij) / sum_k exp(s_ik)`, where k runs over all points. Nothing else shifts the exponents, so
    that float32 suffices at a temperature of 0.01.

    Args:
        score: s, similarities divided by the temperature, `LEFT_OUT` where a point has no say, shape (A, N).
        positive: P, True where the point of a column is a positive of the row's anchor, shape (A, N).
        weight: w of each point as a positive, shape (N,); None means 1.
        log_divisor: log d of anchors whose scores with their positives have been lessened by it, 0 for an anchor
            without one, shape (A,); None means that none has.

    Returns:
        The loss, shape (); a zero with zero gradient if no anchor has a positive.
    """
    share = positive.to(score.dtype)
    number = share.sum(dim=1)
    if weight is not None:
        share = share * weight
    # A cross-entropy with the positives in equal shares: one pass forward and one back over the scores.
    anchor_loss = F.cross_entropy(score, share, reduction="none") / number.clamp(min=1)
    if log_divisor is not None:
        anchor_loss = anchor_loss - log_divisor
    return anchor_loss.sum() / (number > 0).sum().clamp(min=1)


def supervised_contrast(
    point: Tensor, label: Tensor, temperature: float, num_anchors: int | None = None, balanced: bool = False
) -> Tensor:
    """Supervised contrastive loss of points of which some, or all, are anchors.

    Args:
        point: Unit-length vectors, shape (N, D).
        label: Their classes, shape (N,).
        temperature: Divides the similarities.
        num_anchors: Only the first points are anchors; None makes all of them anchors.
        balanced: The denominator takes the mean over the points of each class instead of their sum; a class's points
            are counted without the anchor.

    Returns:
        The loss, shape (); a zero with zero gradient if no anchor has a positive.
    """
    exact = torch.promote_types(point.dtype, torch.float32)
    anchor = point if num_anchors is None else point[:num_anchors]
    positive = (label[: len(anchor), None] == label).fill_diagonal_(False)
    if not balanced:
        offset = torch.zeros(positive.shape, dtype=exact, device=point.device).fill_diagonal_(LEFT_OUT)
        return pull_to_positives(similarity(anchor, point, temperature, offset), positive)
    number = _class_sizes(label).to(exact)
    log_others = (number[: len(anchor)] - 1).clamp(min=1).log()
    offset = -torch.where(positive, log_others[:, None], number.log()).fill_diagonal_(-LEFT_OUT)
    score = similarity(anchor, point, temperature, offset)
    return pull_to_positives(score, positive, log_divisor=log_others)


def _class_sizes(label: Tensor) -> Tensor:
    """How many points have the label of each, shape (N,); unlike bincount, this does not wait for the device."""
    ordered = label.sort().values
    return torch.searchsorted(ordered, label, right=True) - torch.searchsorted(ordered, label)
