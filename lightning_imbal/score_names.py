"""The scores of a test: their keys in `metrics.json`, and their titles."""

SUMMARY = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy (MCR)",
    "f1": "Macro F1",
    "precision": "Macro precision",
    "scr": "Recall of rarest class (SCR)",
    "auc": "Macro AUC",
    "mcc": "MCC",
    "kappa": "Quadratic kappa",
    "kendall_tau": "Kendall tau-b",
    "ece": "Expected calibration error",
}
