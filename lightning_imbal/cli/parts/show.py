"""Prints what a test or a validation has found."""

from collections.abc import Sequence
from pathlib import Path

from lightning.pytorch.utilities import rank_zero_only

from lightning_imbal.cli.parts.closing import next_command
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.report.terminal import never_found, print_runs
from lightning_imbal.runs.run import Run


@rank_zero_only
def show_results(folder: Path, model: ImbalClassifier, further: Sequence[str] = ()) -> None:
    """Prints the table of the classes, that of the side reports beside it, and which classes were never found.

    Args:
        folder: Of the results.
        model: What was tested.
        further: Sentences about what to do next.
    """
    show_folder(folder, [str(folder / name) for name in model.side_reports if (folder / name).is_dir()], further)


def show_folder(folder: Path, beside: Sequence[str] = (), further: Sequence[str] = ()) -> None:
    """The same of results without their model.

    Args:
        folder: Of the results.
        beside: Folders of side reports.
        further: Sentences about what to do next.
    """
    print_runs([str(folder)])
    if beside:
        print_runs([*beside, str(folder)])
    for sentence in [*never_found(Run(str(folder)).results), *further]:
        print(sentence)
    print(f"Results: {folder}")
    print(next_command("report", folder, "--html", folder / "report.html"))
