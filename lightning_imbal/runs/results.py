"""Arranges the scores of a test as `metrics.json` holds them."""

from collections.abc import Mapping, Sequence
from typing import Any

from lightning_imbal.score_names import OF_CLASS, OF_PROBABILITY


def as_results(
    scores: Mapping[str, float],
    confusion: Sequence[Sequence[int]],
    class_names: Sequence[str],
    class_counts: Sequence[int],
    groups: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """What was found, all but the `identity`: `summary`, `classes`, `groups` and `confusion`.

    Args:
        scores: With the keys of `lightning_imbal.metrics.classification_scores`.
        confusion: Images by true class (row) and answer (column), (C, C).
        class_names: Name of each class, in label order.
        class_counts: Number of training images of each class, in label order.
        groups: Class names of each group.
    """
    return {
        "summary": {name: value for name, value in scores.items() if "/" not in name},
        "classes": [
            {"name": name, "train_images": int(train), "images": sum(of_class)}
            | {score: scores[f"{score}/{name}"] for score in (*OF_CLASS, *OF_PROBABILITY)}
            for name, train, of_class in zip(class_names, class_counts, confusion, strict=True)
        ],
        "groups": {
            group: {
                "classes": list(members),
                "recall": scores[f"group_recall/{group}"],
                "f1": scores[f"group_f1/{group}"],
            }
            for group, members in groups.items()
        },
        "confusion": [list(row) for row in confusion],
    }
