"""Collects the predictions of an evaluation on all devices, and scores them together."""

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_cat

from lightning_imbal.metrics.classes import check_classes, groups_by_count
from lightning_imbal.metrics.scores import check_shapes, classification_scores


class ImbalReport(Metric):
    """Collects the predictions of an evaluation and scores them per class, per group and overall.

    All predictions are kept until the end and scored together on the CPU. The images that a distributed sampler repeats
    are dropped by their index, so the scores do not depend on the number of processes.

    Args:
        class_counts: Number of training images of each class, in label order.
        class_names: Name of each class, in label order.
        class_groups: Class names of each group; by default those of `groups_by_count`.

    Raises:
        ValueError: If counts and names do not fit two or more classes, or a group is empty or names an unknown class.
    """

    is_differentiable = False
    full_state_update = False
    probability: list[Tensor]
    label: list[Tensor]
    index: list[Tensor]

    def __init__(
        self, class_counts: list[int], class_names: list[str], class_groups: dict[str, list[str]] | None = None
    ) -> None:
        super().__init__()
        check_classes(class_counts, class_names, class_groups or {})
        self.class_counts, self.class_names = list(class_counts), list(class_names)
        self.class_groups = groups_by_count(class_counts, class_names) if class_groups is None else class_groups
        for name in ("probability", "label", "index"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, probability: Tensor, label: Tensor, index: Tensor) -> None:
        """Adds a batch of softmax outputs (B, C), true labels (B,) and rows of the images in the sample table (B,).

        Raises:
            ValueError: If the batch is empty or the shapes do not fit together.
        """
        check_shapes(probability, label, len(self.class_names))
        if index.shape != label.shape:
            raise ValueError(f"Pass one index for each label: got {tuple(index.shape)} for {tuple(label.shape)}.")
        self.probability.append(probability.detach())
        self.label.append(label.detach())
        self.index.append(index.detach())

    def compute(self) -> dict[str, float]:
        """Scores all predictions of all processes; the keys are those of `classification_scores`.

        Raises:
            ValueError: If no prediction was added since the last reset.
        """
        classes = self.class_counts, self.class_names, self.class_groups
        merged = self._merged()
        return classification_scores(merged["probability"], merged["label"], *classes)

    def predictions(self) -> dict[str, Tensor]:
        """Gathers "index" (N,), "label" (N,) and "probability" (N, C) of all processes on the CPU.

        Each image occurs once, sorted by index. In a distributed run every process must call it.

        Raises:
            ValueError: If no prediction was added since the last reset.
        """
        # Not a part of compute(), because torchmetrics squeezes the tensors of a single image there.
        with self.sync_context(dist_sync_fn=self.dist_sync_fn, should_sync=self.sync_on_compute):
            return self._merged()

    def _merged(self) -> dict[str, Tensor]:
        if len(self.index) == 0:
            raise ValueError("There are no predictions to score: call update() on at least one image first.")
        index, order = dim_zero_cat(self.index).cpu().sort(stable=True)
        first = torch.ones_like(index, dtype=torch.bool)
        first[1:] = index[1:] != index[:-1]
        kept = order[first]
        found = {"label": dim_zero_cat(self.label).cpu(), "probability": dim_zero_cat(self.probability).cpu()}
        if not torch.equal(kept, torch.arange(len(order))):  # else they are not copied once more
            found = {name: values[kept] for name, values in found.items()}
        return {"index": index[first], **found}
