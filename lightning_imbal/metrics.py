"""Scores of a classifier on an imbalanced test set: per class, per group of classes and overall."""

import warnings

import torch
from scipy.stats import kendalltau
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.classification import (
    multiclass_auroc,
    multiclass_cohen_kappa,
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)
from torchmetrics.utilities.data import dim_zero_cat

from lightning_imbal.errors import UserError


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

    def __init__(
        self, class_counts: list[int], class_names: list[str], class_groups: dict[str, list[str]] | None = None
    ) -> None:
        super().__init__()
        _check_classes(class_counts, class_names, class_groups or {})
        self.class_counts, self.class_names = list(class_counts), list(class_names)
        self.class_groups = groups_by_count(class_counts, class_names) if class_groups is None else class_groups
        for name in ("probability", "label", "index"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, probability: Tensor, label: Tensor, index: Tensor) -> None:
        """Adds a batch of softmax outputs (B, C), true labels (B,) and rows of the images in the sample table (B,).

        Raises:
            ValueError: If the batch is empty or the shapes do not fit together.
        """
        _check_shapes(probability, label, len(self.class_names))
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
        return {
            "index": index[first],
            "label": dim_zero_cat(self.label).cpu()[kept],
            "probability": dim_zero_cat(self.probability).cpu()[kept],
        }


def groups_by_count(class_counts: list[int], class_names: list[str]) -> dict[str, list[str]]:
    """Default groups: the third of the classes with most training images, the third with fewest, and the rest.

    Ties are broken by label order. "major" and "minor" have round(C / 3) of the C classes, at least one; "middle" has
    the rest. A group without classes is left out. Names run from most to fewest images.
    """
    ranked = [class_names[c] for c in sorted(range(len(class_counts)), key=lambda c: -class_counts[c])]
    third = max(1, round(len(ranked) / 3))
    tail = max(third, len(ranked) - third)
    groups = {"major": ranked[:third], "middle": ranked[third:tail], "minor": ranked[tail:]}
    return {group: members for group, members in groups.items() if members}


def classification_scores(
    probability: Tensor,
    label: Tensor,
    class_counts: list[int],
    class_names: list[str],
    class_groups: dict[str, list[str]],
) -> dict[str, float]:
    """Scores predictions; the predicted class is the one with the largest probability (the first if tied).

    Every score is finite. A class without test images has recall and F1 0, a class never predicted has precision 0;
    both count in the macro means over all C classes, while balanced accuracy and the recall of a group take the mean
    over the classes present in `label` (0 if there is none). MCC, kappa and tau are 0 if the labels or the predictions
    are constant, as with a single image. AUC is the mean over the classes with both positives and negatives (0.5 if
    there is none).

    Args:
        probability: Softmax outputs, (N, C).
        label: True classes, (N,).
        class_counts: As in `ImbalReport`.
        class_names: As in `ImbalReport`.
        class_groups: As in `ImbalReport`.

    Returns:
        - "accuracy"; "balanced_accuracy" (mean class recall, MCR); "f1", "precision", "recall" (macro);
        - "scr": recall of the class with fewest training images, the first if tied; "auc": macro one-vs-rest;
        - "mcc": Matthews correlation (Gorodkin 2004); "kappa": Cohen's kappa with quadratic weights;
        - "kendall_tau": tau-b of predicted and true label;
        - "ece": expected calibration error (Guo et al. 2017, arXiv:1706.04599, eq. 3), 15 bins;
        - "f1/<class>", "precision/<class>", "recall/<class>", "group_recall/<group>", "group_f1/<group>".

    Raises:
        UserError: If an output is infinite or NaN.
        ValueError: If there is no image, shapes do not fit, probabilities are not in [0, 1], or as in `ImbalReport`.
    """
    num_classes = len(class_names)
    _check_classes(class_counts, class_names, class_groups)
    _check_shapes(probability, label, num_classes)
    probability, label = probability.detach().cpu().double(), label.detach().cpu().long()
    if not bool(probability.isfinite().all()):
        raise UserError(
            "The network's outputs are no numbers any more: training has diverged, lower its learning rate."
        )
    if not bool(((probability > -1e-3) & (probability < 1 + 1e-3)).all()):
        raise ValueError("The probabilities are not all in [0, 1]: pass the outputs of a softmax, not logits.")
    # A mean of softmax outputs may round to just above 1, which torchmetrics would take for logits.
    probability = probability.clamp(0, 1)
    confidence, prediction = probability.max(dim=1)

    per_class = {
        "f1": multiclass_f1_score(prediction, label, num_classes, average="none").double(),
        "precision": multiclass_precision(prediction, label, num_classes, average="none").double(),
        "recall": multiclass_recall(prediction, label, num_classes, average="none").double(),
    }
    confusion = multiclass_confusion_matrix(prediction, label, num_classes).double()
    present = confusion.sum(dim=1) > 0
    varied = len(label.unique()) > 1 and len(prediction.unique()) > 1
    scores = {
        "accuracy": confusion.trace() / len(label),
        "balanced_accuracy": per_class["recall"][present].mean(),
        **{name: value.mean() for name, value in per_class.items()},
        "scr": per_class["recall"][class_counts.index(min(class_counts))],
        "auc": _auc(probability, label),
        "mcc": _mcc(confusion) if varied else 0.0,
        "kappa": multiclass_cohen_kappa(prediction, label, num_classes, weights="quadratic") if varied else 0.0,
        "kendall_tau": kendalltau(prediction.numpy(), label.numpy()).statistic if varied else 0.0,
        "ece": _ece(confidence, prediction == label),
    }
    for name, value in per_class.items():
        scores |= {f"{name}/{class_name}": score for class_name, score in zip(class_names, value, strict=True)}
    for group, members in class_groups.items():
        rows = torch.tensor([class_names.index(name) for name in members])
        seen = rows[present[rows]]
        scores[f"group_recall/{group}"] = per_class["recall"][seen].mean() if len(seen) else 0.0
        scores[f"group_f1/{group}"] = per_class["f1"][rows].mean()
    return {name: float(score) for name, score in scores.items()}


def _auc(probability: Tensor, label: Tensor) -> Tensor | float:
    num_classes = probability.shape[1]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No (positive|negative) samples", category=UserWarning)
        auc = multiclass_auroc(probability, label, num_classes, average="none").double()
    positives = torch.bincount(label, minlength=num_classes)
    defined = (positives > 0) & (positives < len(label))
    return auc[defined].mean() if defined.any() else 0.5


def _mcc(confusion: Tensor) -> Tensor:
    # The function of torchmetrics 1.9 squares counts in float32: 1e-4 off when almost all predictions are one class.
    true, predicted, total = confusion.sum(dim=1), confusion.sum(dim=0), confusion.sum()
    covariance = total * confusion.trace() - true @ predicted
    return covariance / ((total**2 - true @ true) * (total**2 - predicted @ predicted)).sqrt()


def _ece(confidence: Tensor, correct: Tensor, num_bins: int = 15) -> Tensor:
    # The function of torchmetrics 1.9 puts a confidence of exactly 1 into a sixteenth bin; here the last bin is closed.
    bins = (confidence * num_bins).long().clamp(max=num_bins - 1)
    gap = torch.bincount(bins, weights=confidence - correct.double(), minlength=num_bins)
    return gap.abs().sum() / len(confidence)


def _check_shapes(probability: Tensor, label: Tensor, num_classes: int) -> None:
    if label.ndim != 1 or len(label) == 0 or probability.shape != (len(label), num_classes):
        got = f"{tuple(probability.shape)} and {tuple(label.shape)}"
        raise ValueError(f"Pass probabilities (N, {num_classes}) and labels (N,) of at least one image: got {got}.")


def _check_classes(class_counts: list[int], class_names: list[str], class_groups: dict[str, list[str]]) -> None:
    if len(class_counts) != len(set(class_names)) or len(class_counts) != len(class_names) or len(class_names) < 2:
        got = f"{class_counts} for {class_names}"
        raise ValueError(f"Pass one count and one unique name for each of at least two classes: got {got}.")
    for group, members in class_groups.items():
        if not members:
            raise ValueError(f"Group {group!r} has no class: name at least one of {class_names}, or leave it out.")
        if unknown := [name for name in members if name not in class_names]:
            raise ValueError(f"Group {group!r} names the unknown class {unknown[0]!r}: the classes are {class_names}.")
