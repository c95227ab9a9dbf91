"""What Lightning's finders of a learning rate and of a size of batches have found before the stages of a run."""

from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.callbacks.results_writer import add_to_identity
from lightning_imbal.command_line import settings_in
from lightning_imbal.runs.folder import stages_in
from lightning_imbal.runs.identity import listed
from lightning_imbal.runs.stage import Stage
from lightning_imbal.tuning.search import shown
from lightning_imbal.wording import last_word

OF_FINDERS = {"LearningRateFinder": "model.optimizer.lr", "BatchSizeFinder": "data.batch_size"}


def found_in(folder: Path) -> dict[str, dict[str, Any]]:
    """The settings that were found, by the stage, of a run whose stages have begun; empty if none was searched."""
    found = {}
    for stage in map(Stage, stages_in(folder)):
        config = stage.config()
        callbacks = [last_word(str(callback["class_path"])) for callback in listed(config["trainer"]["callbacks"])]
        names = [OF_FINDERS[callback] for callback in callbacks if callback in OF_FINDERS]
        if names:
            known = {each.name: each.value for each in settings_in(config, "", lambda name: True)}
            found[stage.name] = {name: known.get(name) for name in names}
    return found


def note_found(trainer: Trainer, folder: Path) -> None:
    """Says what was found, and has the results of a run keep it.

    Args:
        trainer: Its `ResultsWriter` writes them.
        folder: Of the run.
    """
    if not (found := found_in(folder)):
        return
    for stage, settings in found.items():
        told = ", ".join(f"{name} {shown(value)}" for name, value in settings.items())
        rank_zero_info(f"After the search before it, {stage} was trained with {told}.")
    add_to_identity(trainer, found=found)
