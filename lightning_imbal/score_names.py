"""The scores of a test: what each is called, whether a smaller value is better, and what it asks of the classes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """A score of all classes together.

    Args:
        title: Its name in the tables, as the papers call it.
        words: Its name where nobody should need to know a paper, if that is another one.
        lower_is_better: As of a calibration error.
        ordered: Whether it means something only where the classes have an order, as grades do.
        shown: Whether it is a line of every report; else it is only computed, for tables that ask for it.
    """

    title: str
    words: str | None = None
    lower_is_better: bool = False
    ordered: bool = False
    shown: bool = True

    @property
    def in_words(self) -> str:
        """Its name for everyone."""
        return self.words or self.title


SCORES = {
    "accuracy": Score("Accuracy"),
    "balanced_accuracy": Score("Balanced accuracy (MCR)", "Balanced accuracy"),
    "f1": Score("Macro F1"),
    "precision": Score("Macro precision"),
    "recall": Score("Macro recall", shown=False),
    "scr": Score("Recall of rarest class (SCR)", "Recall of the rarest class"),
    "auc": Score("Macro AUC"),
    "mcc": Score("MCC"),
    "kappa": Score("Quadratic kappa", ordered=True),
    "kendall_tau": Score("Kendall tau-b", ordered=True),
    "ece": Score("Expected calibration error", "Calibration error", lower_is_better=True),
}
SHOWN = {key: score.title for key, score in SCORES.items() if score.shown}
OF_CLASS = {"precision": "Precision", "recall": "Recall", "f1": "F1"}  # with the name of the class: `f1/nevus`
OF_GROUP = ("group_recall", "group_f1")  # with that of the group: `group_f1/minor`


def lower_is_better(key: str) -> bool:
    """Whether a smaller value of a score, such as `ece` or `f1/nevus`, is the better one.

    Example:
        >>> lower_is_better("ece"), lower_is_better("f1/nevus")
        (True, False)
    """
    return key in SCORES and SCORES[key].lower_is_better
