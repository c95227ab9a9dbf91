"""Scores of predictions: per class, per group of classes and overall."""

import numpy as np
import torch
from scipy.stats import kendalltau
from torch import Tensor
from torchmetrics.functional.classification import (
    multiclass_cohen_kappa,
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from lightning_imbal.errors import UserError
from lightning_imbal.metrics.calibration import (
    brier_score,
    class_calibration_error,
    expected_calibration_error,
    log_loss,
)
from lightning_imbal.metrics.classes import check_classes
from lightning_imbal.metrics.ranking import ranking_scores, sorted_by_class
from lightning_imbal.score_names import OF_RANKING

PER_CLASS = {"f1": multiclass_f1_score, "precision": multiclass_precision, "recall": multiclass_recall}


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
    are constant, as with a single image. Scores that rank go by the probability of a class against all others; of a
    class without images, or without others, AUC is 0.5 and any other one 0, and means are over the classes that have
    both (0.5 and 0 if there is none).

    Args:
        probability: Softmax outputs, (N, C).
        label: True classes, (N,).
        class_counts: As in `ImbalReport`.
        class_names: As in `ImbalReport`.
        class_groups: As in `ImbalReport`.

    Returns:
        - "accuracy"; "balanced_accuracy" (mean class recall, MCR); "f1", "precision", "recall" (macro);
        - "scr": recall of the class with fewest training images, the first if tied;
        - "auc", "ap" (average precision), "pauc" (area of the ROC curve above a sensitivity of 0.8, as in the ISIC 2024
          challenge: 0 to 0.2), each macro one-vs-rest;
        - "sensitivity_at_90", "sensitivity_at_95": the best of all thresholds "probability >= t" with a specificity of
          at least 0.90, 0.95; "specificity_at_90": the same with a sensitivity of at least 0.90; macro one-vs-rest;
        - "mcc": Matthews correlation (Gorodkin 2004); "kappa": Cohen's kappa with quadratic weights;
        - "kendall_tau": tau-b of predicted and true label;
        - "mean_grade_error": absolute difference of predicted and true label, mean over the images;
          "macro_grade_error": mean over the classes present in `label` (Baccianella et al. 2009);
          "adjacent_accuracy": share of the images where it is at most 1;
        - "ece": expected calibration error (Guo et al. 2017, arXiv:1706.04599, eq. 3), 15 bins;
        - "cce": class-wise calibration error (Kull et al. 2019), a mean over all classes;
        - "brier": squared error summed over the classes; "log_loss": clipped as scikit-learn does;
        - "<score>/<class>" of f1, precision, recall, of all that rank, and of cce;
        - "group_recall/<group>", "group_f1/<group>".

    Raises:
        UserError: If an output is infinite or NaN.
        ValueError: If there is no image, shapes do not fit, labels are of no class, probabilities are not in [0, 1], or
            as in `ImbalReport`.

    Example:
        >>> probability = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
        >>> label = torch.tensor([0, 0, 0, 1])
        >>> scores = classification_scores(probability, label, [90, 10], ["nevus", "melanoma"], {})
        >>> {key: round(scores[key], 3) for key in ("accuracy", "balanced_accuracy", "f1/nevus", "f1/melanoma")}
        {'accuracy': 0.75, 'balanced_accuracy': 0.5, 'f1/nevus': 0.857, 'f1/melanoma': 0.0}
    """
    num_classes = len(class_names)
    check_classes(class_counts, class_names, class_groups)
    check_shapes(probability, label, num_classes)
    probability = probability.detach().cpu().to(torch.promote_types(probability.dtype, torch.float32))
    label = label.detach().cpu().long()
    probability = _checked(probability, label)
    confidence, prediction = probability.max(dim=1)
    per_class = {
        name: score(prediction, label, num_classes, average="none", validate_args=False).double()
        for name, score in PER_CLASS.items()
    }
    by_probability = _by_probability(probability, label)
    images = label.bincount(minlength=num_classes)
    ranked = (images > 0) & (images < len(label))
    scores = _summary(prediction, label, per_class, class_counts)
    scores["ece"] = expected_calibration_error(confidence.numpy(), (prediction == label).numpy())
    scores |= {"brier": brier_score(probability, label), "log_loss": log_loss(probability, label)}
    for name, value in by_probability.items():
        counted = value[ranked] if name in OF_RANKING else value
        scores[name] = counted.mean() if len(counted) else OF_RANKING[name]
    for name, value in (per_class | by_probability).items():
        scores |= {f"{name}/{class_name}": score for class_name, score in zip(class_names, value, strict=True)}
    for group, members in class_groups.items():
        scores |= _of_group(group, torch.tensor([class_names.index(name) for name in members]), per_class, images > 0)
    return {name: float(score) for name, score in scores.items()}


def _summary(
    prediction: Tensor, label: Tensor, per_class: dict[str, Tensor], class_counts: list[int]
) -> dict[str, Tensor | float]:
    """The scores of all answers together."""
    num_classes = len(class_counts)
    confusion = multiclass_confusion_matrix(prediction, label, num_classes, validate_args=False).double()
    present, predicted = confusion.sum(dim=1) > 0, confusion.sum(dim=0) > 0
    varied = bool(present.sum() > 1 and predicted.sum() > 1)
    # Narrow numbers are sorted in half the time.
    ranks = [each.numpy().astype(np.min_scalar_type(num_classes)) for each in (prediction, label)]
    kappa = multiclass_cohen_kappa(prediction, label, num_classes, weights="quadratic", validate_args=False)
    return {
        "accuracy": confusion.trace() / len(label),
        "balanced_accuracy": per_class["recall"][present].mean(),
        **{name: value.mean() for name, value in per_class.items()},
        "scr": per_class["recall"][class_counts.index(min(class_counts))],
        "mcc": _mcc(confusion) if varied else 0.0,
        "kappa": kappa if varied else 0.0,
        "kendall_tau": kendalltau(*ranks).statistic if varied else 0.0,
        **_of_grades(confusion),
    }


def _of_grades(confusion: Tensor) -> dict[str, Tensor]:
    """The scores that count how many grades a prediction is off, from images by true and predicted class (C, C)."""
    rank = torch.arange(len(confusion))
    grades_off, images = (rank[:, None] - rank).abs(), confusion.sum(dim=1)
    of_class = (grades_off * confusion).sum(dim=1)
    return {
        "mean_grade_error": of_class.sum() / images.sum(),
        "macro_grade_error": (of_class / images)[images > 0].mean(),
        "adjacent_accuracy": confusion[grades_off <= 1].sum() / images.sum(),
    }


def _by_probability(probability: Tensor, label: Tensor) -> dict[str, Tensor]:
    """The scores of each class by its probability, each (C,)."""
    classes = probability.shape[1]
    scores = {kind: torch.full((classes,), nothing, dtype=torch.float64) for kind, nothing in OF_RANKING.items()}
    scores["cce"] = torch.empty(classes, dtype=torch.float64)
    for c, (every, own) in enumerate(sorted_by_class(probability.numpy(), label.numpy())):
        if 0 < len(own) < len(every):
            for kind, score in ranking_scores(every, own).items():
                scores[kind][c] = score
        scores["cce"][c] = class_calibration_error(every, own)
    return scores


def _of_group(group: str, members: Tensor, per_class: dict[str, Tensor], present: Tensor) -> dict[str, Tensor | float]:
    seen = members[present[members]]
    return {
        f"group_recall/{group}": per_class["recall"][seen].mean() if len(seen) else 0.0,
        f"group_f1/{group}": per_class["f1"][members].mean(),
    }


def _checked(probability: Tensor, label: Tensor) -> Tensor:
    """Refuses what no softmax gives, and labels of no class."""
    first, last = (int(bound) for bound in label.aminmax())
    if first < 0 or last >= probability.shape[1]:
        raise ValueError(f"Labels lie between 0 and {probability.shape[1] - 1}, but are {first} to {last}.")
    low, high = probability.aminmax()  # NaN if there is one
    if not bool((high - low).isfinite()):
        raise UserError(
            "The network's outputs are no numbers any more: training has diverged, lower its learning rate."
        )
    if low <= -1e-3 or high >= 1 + 1e-3:
        raise ValueError("The probabilities are not all in [0, 1]: pass the outputs of a softmax, not logits.")
    # A mean of softmax outputs may round to just above 1, which torchmetrics would take for logits.
    return probability.clamp(0, 1) if low < 0 or high > 1 else probability


def _mcc(confusion: Tensor) -> Tensor:
    # The function of torchmetrics 1.9 squares counts in float32: 1e-4 off when almost all predictions are one class.
    true, predicted, total = confusion.sum(dim=1), confusion.sum(dim=0), confusion.sum()
    covariance = total * confusion.trace() - true @ predicted
    return covariance / ((total**2 - true @ true) * (total**2 - predicted @ predicted)).sqrt()


def check_shapes(probability: Tensor, label: Tensor, num_classes: int) -> None:
    """Refuses, with a ValueError, probabilities and labels that do not fit together."""
    if label.ndim != 1 or len(label) == 0 or probability.shape != (len(label), num_classes):
        got = f"{tuple(probability.shape)} and {tuple(label.shape)}"
        raise ValueError(f"Pass probabilities (N, {num_classes}) and labels (N,) of at least one image: got {got}.")
