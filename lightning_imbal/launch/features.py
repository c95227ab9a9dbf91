"""Jobs of a table that store features, for the cells that are trained on them."""

from dataclasses import dataclass
from pathlib import Path

from lightning_imbal.command_line import last_setting
from lightning_imbal.guide.source import read
from lightning_imbal.launch.job import Job
from lightning_imbal.runs.folder import is_stored

MODULES = "lightning_imbal.modules"


@dataclass(frozen=True, eq=False)
class FeatureJob(Job):
    """A process that stores the features of a frozen network, in a folder below its own."""

    @property
    def finished(self) -> bool:
        return is_stored(place_of(self))

    @property
    def is_recorded(self) -> bool:
        """It may have been another row, or seed, that it was made for: whoever reads the features looks at them."""
        return True

    def command(self) -> list[str]:
        return [*self.arguments, "--laptop", "false", "--out", str(place_of(self))]


def feature_job(
    wanted: bool | int, name: str, folder: Path, arguments: tuple[str, ...], start: Job | None
) -> FeatureJob | None:
    """The job that stores what a cell is trained on; None if the cell trains a backbone, or nothing is to be stored.

    Args:
        wanted: True: of the pictures as they are tested; a number: so many augmented versions of each training picture.
        name: What is stored for the column and the repeat of the cell, for a person.
        folder: Where.
        arguments: Command line of the cell.
        start: Whose first stage it takes.
    """
    views = ("--views", str(int(wanted))) if wanted is not True else ()
    if not wanted:
        return None
    if freezes_backbone(str(last_setting(arguments[1:], "model"))):
        return FeatureJob(name, folder, ("features", *arguments[1:], *views))
    if start is None:
        return None
    made = ("features", "--run", str(start.folder), *views)
    return FeatureJob(f"features of {start.name}", start.folder.with_name(f"{start.folder.name}+features"), made, start)


def freezes_backbone(model: str) -> bool:
    """Whether a module keeps its backbone as it is, by its source: to import it takes seconds.

    Args:
        model: Its name, with or without what is before its last dot.
    """
    source = read(model if "." in model else f"{MODULES}.{model}")
    return source is not None and source.attribute("freezes_backbone") == "True"


def trained_on(features: Job, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The command line of a `fit` on stored features: of a trained first stage, only the second sees them."""
    stage = "then." if features.after is not None else ""
    return (*arguments, f"--{stage}data.features", str(place_of(features)))


def place_of(job: Job) -> Path:
    """Where the features of a job will be."""
    return job.folder / "features"
