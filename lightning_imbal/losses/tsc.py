"""Targeted supervised contrastive loss, and where its targets lie."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightning_imbal.losses.checks import checked_temperature
from lightning_imbal.losses.contrast import LEFT_OUT, flatten_views, pull_to_positives, similarity


def simplex_targets(num_classes: int, dim: int, seed: int) -> Tensor:
    """Unit vectors that lie as far apart as they can: the cosine of any two is -1 / (C - 1).

    These corners of a regular simplex are the minimum of the uniformity loss by which Li et al. 2022, "Targeted
    Supervised Contrastive Learning for Long-Tailed Recognition", find their targets, as long as C <= dim + 1.

    Args:
        num_classes: C, at least 2.
        dim: Size of a target.
        seed: Of the random rotation.

    Returns:
        The targets, shape (C, dim).

    Raises:
        ValueError: `num_classes` is above `dim + 1`.
    """
    if num_classes > dim + 1:
        raise ValueError(
            f"{num_classes} targets cannot all be equally far apart in {dim} dimensions: "
            f"set embedding_size to at least {num_classes - 1}."
        )
    # The columns beside the one of equal numbers hold the corners in C - 1 dimensions.
    corner = torch.eye(num_classes, dtype=torch.float64)
    corner[:, 0] = 1
    corner = torch.linalg.qr(corner).Q[:, 1:]
    generator = torch.Generator().manual_seed(seed)
    axis = torch.linalg.qr(torch.randn(dim, num_classes - 1, generator=generator, dtype=torch.float64)).Q
    return F.normalize(corner @ axis.T, dim=1).float()


class TSCLoss(nn.Module):
    """Targeted supervised contrastive loss: the supervised one in which every class is also drawn to its target.

    Li et al. 2022, the released code: for an anchor with positives P and target t the loss is
    `-(sum_{p in P} log q_p + target_weight log q_t) / (|P| + 1)`, where q is the softmax of the similarities over all
    points and targets that count. Without targets the divisor is |P|, and the loss is the supervised contrastive one.
    Computed in float32 or better, whatever the precision of the run.

    Equation:
        L = mean_i -(sum_{j in P(i)} log q_j + target_weight log q_t) / (|P(i)| + 1)
        q: softmax of u_i.u / temperature over all other points and targets
        t: the target of the class of i;   P(i): its positives
        without targets: / |P(i)|, and i are those that have a positive

    Args:
        temperature: Divides the similarities.
        target_weight: Multiplies the term of the target, which counts as one positive in the divisor whatever it is.
        num_positives: K: So many other images' points of the class, drawn at random (all if there are fewer), are
            positives beside the anchor's own image; None takes all of them. The paper has 6.

    Raises:
        ValueError: `temperature` is not positive, or `target_weight` or `num_positives` is negative.
    """

    def __init__(self, temperature: float = 0.07, target_weight: float = 1.0, num_positives: int | None = None) -> None:
        super().__init__()
        if not target_weight >= 0:
            raise ValueError(f"target_weight must not be negative, but is {target_weight}.")
        if num_positives is not None and num_positives < 0:
            raise ValueError(f"num_positives must not be negative, or null for all, but is {num_positives}.")
        self.temperature = checked_temperature(temperature)
        self.target_weight, self.num_positives = target_weight, num_positives

    def forward(self, embedding: Tensor, label: Tensor, target: Tensor | None = None) -> Tensor:
        """Returns the loss of a batch, each of whose embeddings is an anchor and a point for the others.

        Args:
            embedding: Unit-length vectors (they are not normalised again), shape (B, D), or (B, V, D) for V views. The
                other views of an image are always its positives.
            label: Class labels, shape (B,).
            target: Unit-length target of each class, shape (C, D); None leaves the targets out.

        Returns:
            The loss, shape (); a zero with zero gradient if no anchor has a positive.
        """
        image = torch.arange(len(label), device=label.device)
        point, point_label = flatten_views(embedding, label)
        _, image = flatten_views(embedding, image)
        others = ~torch.eye(len(point), dtype=torch.bool, device=label.device)
        own = image[:, None] == image
        same = point_label[:, None] == point_label
        return self._pull(point, point_label, point, own & others, same & ~own, others, target)

    def with_queue(
        self,
        query: Tensor,
        key: Tensor,
        label: Tensor,
        queue: Tensor,
        queue_label: Tensor,
        target: Tensor | None = None,
    ) -> Tensor:
        """Returns the loss of queries, for which their own key and the keys of a queue are the points.

        Args:
            query: Unit-length vectors, the anchors, shape (B, D).
            key: Another view of each of them, always its positive and no point for the others, shape (B, D).
            label: Class labels of both, shape (B,).
            queue: Keys of earlier batches, shape (Q, D).
            queue_label: Their classes, shape (Q,); a negative one marks an empty slot, which is left out.
            target: Unit-length target of each class, shape (C, D); None leaves the targets out.
        """
        own = torch.eye(len(query), len(query) + len(queue), dtype=torch.bool, device=label.device)
        point_label = torch.cat([torch.full_like(label, -1), queue_label])
        same = label[:, None] == point_label
        return self._pull(query, label, torch.cat([key, queue]), own, same, own | (point_label >= 0), target)

    def _pull(
        self,
        anchor: Tensor,
        label: Tensor,
        point: Tensor,
        own: Tensor,
        same: Tensor,
        keep: Tensor,
        target: Tensor | None,
    ) -> Tensor:
        """Adds the targets (C, D) to the points (N, D), of which the masks (A, N) speak."""
        positive = own | (same if self.num_positives is None else _draw(same, self.num_positives))
        if target is not None:
            own_target = label[:, None] == torch.arange(len(target), device=label.device)
            positive = torch.cat([positive, own_target], dim=1)
            keep = torch.cat([keep, torch.ones_like(own_target)], dim=1)
        points = point if target is None else torch.cat([point, target])
        scores = similarity(anchor, points, self.temperature, torch.where(keep, 0.0, LEFT_OUT))
        weight = scores.new_ones(len(points))
        weight[len(point) :] = self.target_weight
        return pull_to_positives(scores, positive, weight)


def _draw(candidate: Tensor, number: int) -> Tensor:
    """Keeps so many of the True entries of each row of a mask (A, N), drawn without replacement; all if fewer."""
    # Seeded by the CPU's generator, which several devices can let draw the same.
    generator = torch.Generator(candidate.device).manual_seed(int(torch.randint(2**62, ())))
    priority = torch.rand(candidate.shape, generator=generator, device=candidate.device).masked_fill(~candidate, -1)
    drawn = priority.topk(min(number, candidate.shape[1]), dim=1).indices
    return torch.zeros_like(candidate).scatter(1, drawn, True) & candidate
