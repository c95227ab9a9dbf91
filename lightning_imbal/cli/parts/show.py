"""Prints what a test or a validation has found."""

from pathlib import Path

from lightning.pytorch.utilities import rank_zero_only

from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.report.terminal import print_runs


@rank_zero_only
def show_results(folder: Path, model: ImbalClassifier) -> None:
    """Prints the table of the classes, and that of the side reports beside it."""
    beside = [str(folder / name) for name in model.side_reports if (folder / name).is_dir()]
    print_runs([str(folder)])
    if beside:
        print_runs([*beside, str(folder)])
    print(f"Results: {folder}")
