"""The scores of a test: what each is called, whether a smaller value is better, and what it asks of the classes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """A score of all classes together; what is also one of a single class is called `<key>/<class>` there.

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
    "ap": Score("Macro average precision: area below precision over recall", "Average precision", shown=False),
    "sensitivity_at_90": Score("Macro sensitivity at a specificity of at least 0.90", shown=False),
    "sensitivity_at_95": Score("Macro sensitivity at a specificity of at least 0.95", shown=False),
    "specificity_at_90": Score("Macro specificity at a sensitivity of at least 0.90", shown=False),
    "pauc": Score("Macro AUC above a sensitivity of 0.8, between 0 and 0.2 (ISIC 2024)", shown=False),
    "mcc": Score("MCC"),
    "kappa": Score("Quadratic kappa", ordered=True),
    "kendall_tau": Score("Kendall tau-b", ordered=True),
    "mean_grade_error": Score("Mean absolute grade error", "Mean grade error", lower_is_better=True, ordered=True),
    "macro_grade_error": Score("Macro absolute grade error", "Macro grade error", lower_is_better=True, ordered=True),
    "adjacent_accuracy": Score("Adjacent accuracy (within 1)", "At most one grade off", ordered=True),
    "ece": Score("Expected calibration error", "Calibration error", lower_is_better=True),
    "cce": Score("Class-wise calibration error", lower_is_better=True, shown=False),
    "brier": Score("Brier score: squared error of all probabilities, 0 to 2", lower_is_better=True, shown=False),
    "log_loss": Score("Log loss: how improbable the true classes were held", lower_is_better=True, shown=False),
}
# Titles of the lines of every report, where the classes have an order, and where they need not have one.
SHOWN_OF_ORDERED = {key: score.title for key, score in SCORES.items() if score.shown}
SHOWN_OF_ANY = {key: title for key, title in SHOWN_OF_ORDERED.items() if not SCORES[key].ordered}
# Scores of a class, with its name: `f1/nevus`. Of the predicted classes:
OF_CLASS = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
# Of the probability of the class, against all others: what it is of a class without images, or without others.
OF_RANKING = {
    "auc": 0.5,
    "ap": 0.0,
    "sensitivity_at_90": 0.0,
    "sensitivity_at_95": 0.0,
    "specificity_at_90": 0.0,
    "pauc": 0.0,
}
OF_PROBABILITY = (*OF_RANKING, "cce")
# Scores that are also told with each group of images (lesion, patient) counting once: of all classes, and of each.
GROUPS_ONCE = ("f1", "balanced_accuracy", "accuracy")
GROUPS_ONCE_OF_CLASS = ("f1", "recall")
OF_GROUP = ("group_recall", "group_f1")  # with that of the group: `group_f1/minor`


def lower_is_better(key: str) -> bool:
    """Whether a smaller value of a score, such as `ece` or `f1/nevus`, is the better one.

    Example:
        >>> lower_is_better("ece"), lower_is_better("f1/nevus")
        (True, False)
    """
    kind = key.partition("/")[0]
    return kind in SCORES and SCORES[kind].lower_is_better
