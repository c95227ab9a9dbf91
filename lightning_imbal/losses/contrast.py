"""What the contrastive losses share: similarities in float32, class averages, one safe log-sum-exp."""

import torch
from torch import Tensor


def flatten_views(embedding: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """Makes every view a point: (B, D) as it is, or (B, V, D) to (B * V, D), with its label."""
    if embedding.ndim == 2:
        return embedding, label
    return embedding.flatten(0, 1), label.repeat_interleave(embedding.shape[1])


def similarity(anchor: Tensor, point: Tensor, temperature: float) -> Tensor:
    """Dot products of anchors (A, D) and points (N, D) over the temperature, shape (A, N), in float32 or better."""
    with torch.autocast(device_type=point.device.type, enabled=False):
        exact = torch.promote_types(point.dtype, torch.float32)
        return anchor.to(exact) @ point.to(exact).T / temperature


def pull_to_positives(
    similarity: Tensor,
    positive: Tensor,
    keep: Tensor,
    log_divisor: Tensor | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """Mean over the anchors i that have a positive of `-1 / |P_i| * sum_{j in P_i} w_j * log(q_ij)`.

    Here `q_ij = exp(s_ij) / sum_k (exp(s_ik) / d_ik)`, where k runs over the kept points. Nothing else is
    exponentiated, nor shifts the exponents, so that float32 suffices at a temperature of 0.01.

    Args:
        similarity: s, already divided by the temperature, shape (A, N).
        positive: P, True where the point of a column is a positive of the row's anchor, shape (A, N).
        keep: True where a point counts in the denominator, shape (A, N).
        log_divisor: log d, shape (A, N); None means d = 1.
        weight: w of each point as a positive, shape (N,); None means 1.

    Returns:
        The loss, shape (); a zero with zero gradient if no anchor has a positive.
    """
    # A row that keeps nothing would have the logarithm of 0 and a NaN gradient: let it sum over all of its entries.
    left_out = ~keep & keep.any(dim=1, keepdim=True)
    if log_divisor is None:
        term = similarity.masked_fill(left_out, -torch.inf)
    else:
        term = similarity - log_divisor.masked_fill(left_out, torch.inf)
    log_denominator = term.logsumexp(dim=1)
    number = positive.sum(dim=1)
    share = positive.to(similarity.dtype) / number.clamp(min=1)[:, None]
    if weight is not None:
        share = share * weight
    anchor_loss = share.sum(dim=1) * log_denominator - (share * similarity).sum(dim=1)
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
    same = label[:, None] == label
    others = ~torch.eye(len(label), dtype=torch.bool, device=label.device)
    log_divisor = None
    if balanced:
        # Counted from the comparison, because bincount would wait for the device.
        number = same.sum(dim=0).to(torch.promote_types(point.dtype, torch.float32))
        log_divisor = torch.where(same, (number - 1).clamp(min=1).log(), number.log())[:num_anchors]
    positive = (same & others)[:num_anchors]
    return pull_to_positives(
        similarity(point[:num_anchors], point, temperature), positive, others[:num_anchors], log_divisor
    )
