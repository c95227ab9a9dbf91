"""Targeted supervised contrastive learning."""

import copy
from collections.abc import Iterable
from typing import Any, Self

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from lightning_imbal.contract import Batch
from lightning_imbal.losses.checks import checked_epochs
from lightning_imbal.losses.contrast import flatten_views
from lightning_imbal.losses.tsc import TSCLoss, simplex_targets
from lightning_imbal.modules.base_contrastive import ContrastiveRepresentation
from lightning_imbal.seeding import run_seed


class TSC(ContrastiveRepresentation):
    """Draws every class to a target of its own, all equally far apart; a second stage trains the classifier.

    T. Li, P. Cao, Y. Yuan, L. Fan, Y. Yang, R. Feris, P. Indyk, D. Katabi. Targeted Supervised Contrastive Learning for
    Long-Tailed Recognition. CVPR 2022. Targets are the corners of a regular simplex, rotated by the run's seed. In the
    first epochs they are not used. Then, at every step, each class is assigned a target such that the sum of the
    cosines of centroids and targets is largest. The centroid of a class follows the direction of its mean embedding in
    the batches that hold it (nine tenths old, one tenth new). `val/loss` is of another kind before and after.

    By default anchors and points are the views of the batch of all devices. With a queue it is the released code's
    method: anchors are the first views of the batch; their own key is the second view, encoded by copies of backbone
    and projection that follow them slowly (momentum contrast, He et al. 2020); the queue holds the latest keys. Unlike
    that code, slots that are still empty are no negatives, and images are not exchanged between devices for BatchNorm.
    The validation part is scored without the queue. Copies, centroids and queue move with every
    batch, also where the gradients of several are accumulated.

    Equation:
        L = `TSCLoss`(views, targets of the classes); then a second stage

    Limits:
        Targets are used in the last half of the epochs only: a short run has little of them.

    Args:
        temperature: Temperature of the loss.
        target_weight: Weight of an anchor's target among its positives.
        target_start: Fraction of the epochs before the targets are used: From the 0-based epoch
            `round(target_start * max_epochs)` on they are.
        num_positives: Points of the class that are positives beside those of the own image, as for `TSCLoss`; the
            paper has 6.
        queue_size: Keys in the queue, at most as many as there are training images; 0 is the batch alone.
        key_momentum: Share that the copies keep of themselves at every step.
        embedding_size: Size of the embedding and of the targets.
        **kwargs: Arguments of `ContrastiveRepresentation`.

    Raises:
        ValueError: `temperature` is not positive, `target_weight`, `num_positives` or `queue_size` is negative,
            `target_start` is outside 0..1 or `key_momentum` outside 0..1 (without 1), or `embedding_size` is below the
            number of classes less one.
    """

    min_views = 2
    target: Tensor
    class_centroid: Tensor
    assignment: Tensor
    queue: Tensor
    queue_label: Tensor
    queue_place: Tensor

    def __init__(
        self,
        temperature: float = 0.07,
        target_weight: float = 1.0,
        target_start: float = 0.5,
        num_positives: int | None = None,
        queue_size: int = 0,
        key_momentum: float = 0.999,
        embedding_size: int = 128,
        **kwargs: Any,
    ) -> None:
        super().__init__(embedding_size=embedding_size, **kwargs)
        if not 0 <= target_start <= 1:
            raise ValueError(f"target_start must be in 0..1, but is {target_start}.")
        if queue_size < 0:
            raise ValueError(f"queue_size must not be negative, or 0 for no queue, but is {queue_size}.")
        if not 0 <= key_momentum < 1:
            raise ValueError(f"key_momentum must be at least 0 and below 1, but is {key_momentum}.")
        self.loss = TSCLoss(temperature, target_weight, num_positives)
        self.target_start, self.key_momentum = target_start, key_momentum
        self.targeted = False  # whether targets are used in this epoch
        self.register_buffer("target", simplex_targets(len(self.class_names), embedding_size, run_seed()))
        self.register_buffer("class_centroid", torch.zeros_like(self.target))
        self.register_buffer("assignment", torch.arange(len(self.target)))
        self.queue_size = min(queue_size, int(self.class_counts.sum()))
        if self.queue_size:
            self.max_views = 2
            # Not named backbone.something, which a second stage would take for weights of the backbone.
            self.key_backbone = copy.deepcopy(self.backbone).requires_grad_(False)
            self.key_projection = copy.deepcopy(self.projection).requires_grad_(False)
            self.register_buffer("queue", torch.zeros(self.queue_size, embedding_size))
            self.register_buffer("queue_label", torch.full((self.queue_size,), -1))
            self.register_buffer("queue_place", torch.tensor(0))

    def train(self, mode: bool = True) -> Self:
        """Sets the mode of all layers; the copy of a backbone that is trained in part keeps the same statistics."""
        super().train(mode)
        if self.queue_size and self.trained_of_backbone:
            for copied, followed in zip(self.key_backbone.modules(), self.backbone.modules(), strict=True):
                copied.training = followed.training
        return self

    def trained_parameters(self) -> Iterable[nn.Parameter]:
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        super().set_epoch(epoch, max_epochs)
        self.targeted = epoch > round(self.target_start * checked_epochs(max_epochs, "TSC"))

    def contrast(self, batch: Batch, batch_idx: int = 0) -> Tensor:
        """Returns the loss over the batches of all devices."""
        if self.training and self.queue_size:
            return self._contrast_with_queue(batch, batch_idx)
        embedding, label = self.gather(self(batch["image"])), self.gather(batch["label"])
        if self.training:
            self._track(embedding, label)
        with self.same_draws(batch_idx):
            return self.loss(embedding, label, self.class_target())

    def class_target(self) -> Tensor | None:
        """Returns the target of each class, shape (C, E), or None in the epochs without targets."""
        return self.target[self.assignment] if self.targeted else None

    def _contrast_with_queue(self, batch: Batch, batch_idx: int) -> Tensor:
        image, label = batch["image"], self.gather(batch["label"])
        query, key = self.gather(self(image[:, 0])), self.gather(self._encode_keys(image[:, 1]))
        self._track(query, label)
        with self.same_draws(batch_idx):
            loss = self.loss.with_queue(query, key, label, self.queue, self.queue_label, self.class_target())
        self._enqueue(key, label)
        return loss

    @torch.no_grad()
    def _encode_keys(self, image: Tensor) -> Tensor:
        """Moves the copies towards backbone and projection, then returns their embeddings (B, E) of images."""
        follow = get_ema_multi_avg_fn(self.key_momentum)
        for keys, queries in ((self.key_backbone, self.backbone), (self.key_projection, self.projection)):
            follow(list(keys.parameters()), list(queries.parameters()), None)
        return self.key_projection(self.key_backbone(image))

    @torch.no_grad()
    def _track(self, embedding: Tensor, label: Tensor) -> None:
        """Moves the centroids of the classes in a batch and, when targets are used, assigns them to the classes."""
        point, label = flatten_views(embedding, label)
        member = torch.arange(len(self.target), device=label.device)[:, None] == label
        # Double precision, small as the matrices are: autocast leaves it alone.
        mean = F.normalize(member.double() @ point.double(), dim=1)
        moved = F.normalize(0.9 * self.class_centroid.double() + 0.1 * mean, dim=1)
        # The optimizer skips a batch that overflows in half precision: a centroid must not keep it either.
        moves = member.any(dim=1, keepdim=True) & moved.isfinite().all(dim=1, keepdim=True)
        self.class_centroid.copy_(torch.where(moves, moved, self.class_centroid))
        if self.targeted:
            # Solved on the CPU, as in the released code: C x C numbers leave the device, and the step waits for them.
            cosine = (self.class_centroid.double() @ self.target.double().T).cpu().numpy()
            self.assignment.copy_(torch.from_numpy(linear_sum_assignment(cosine, maximize=True)[1]))

    @torch.no_grad()
    def _enqueue(self, key: Tensor, label: Tensor) -> None:
        """Writes the keys (N, E) of all devices over the oldest ones."""
        key, label = key[-self.queue_size :], label[-self.queue_size :]
        place = (self.queue_place + torch.arange(len(key), device=key.device)) % self.queue_size
        self.queue.index_copy_(0, place, key.to(self.queue.dtype))
        self.queue_label.index_copy_(0, place, label)
        self.queue_place.copy_((self.queue_place + len(key)) % self.queue_size)
