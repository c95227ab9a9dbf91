"""Which methods suit a data set, by its class sizes and whether its classes are grades."""

from collections.abc import Sequence

MANY_CLASSES = 20
MILD, SEVERE = 3, 10  # largest class over smallest
FEW_IMAGES = 30
MANY_IMAGES = 2000


def suitable(class_counts: Sequence[int], ordered: bool = False) -> dict[str, str]:
    """Four to six methods for a data set, each with the reason.

    The thresholds are rules of thumb from the five papers; nothing here was measured to find them.

    Args:
        class_counts: Images of each class.
        ordered: Whether the classes are grades: methods that take them for such suit no others.
    """
    ratio, rarest = max(class_counts) / min(class_counts), min(class_counts)
    chosen = {
        "ce": "the plain baseline, which every other one must beat",
        "ce_crw": "a cheap second stage, and strong in the papers",
    }
    if ordered and len(class_counts) > 2:
        chosen["corn"] = "the classes are grades: it asks of each whether the grade is higher"
    if len(class_counts) >= MANY_CLASSES:
        chosen["tau_norm"] = f"{len(class_counts)} classes: it only scales what was learnt of each"
    if ratio < SEVERE:
        if ratio < MILD:
            chosen["label_smoothing"] = "classes of similar size need no re-balancing: it keeps errors from certainty"
        else:
            chosen["logit_adjust"] = "a moderate imbalance: it corrects for the class sizes in the loss alone"
        chosen["mixup"] = "mixed images: regularisation that leaves the class sizes as they are"
        return chosen
    chosen["ldam_drw"] = "a severe imbalance: larger margins for rare classes, re-weighted late"
    if rarest < FEW_IMAGES:
        chosen["logit_adjust"] = f"the rarest class has {rarest} images: copies of so few would be learnt by heart"
    else:
        chosen["balanced_mixup"] = f"the rarest class has {rarest} images: enough to be drawn often and mixed"
    if sum(class_counts) >= MANY_IMAGES:
        why = "images enough for contrastive learning"
        chosen |= {"supcon": f"{why}, before the classifier", "ecl": f"{why}, beside the classifier"}
    return dict(list(chosen.items())[:6])
