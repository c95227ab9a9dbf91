"""Jobs of a table that store features, for the cells that are trained on them."""

from dataclasses import dataclass
from pathlib import Path

from lightning_imbal.command_line import last_setting
from lightning_imbal.launch.job import Job
from lightning_imbal.runs.folder import is_stored


@dataclass(frozen=True, eq=False)
class FeatureJob(Job):
    """A process that stores the features of a frozen network, in a folder below its own."""

    @property
    def place(self) -> Path:
        """Where the features will be."""
        return self.folder / "features"

    @property
    def finished(self) -> bool:
        return is_stored(self.place)

    def command(self) -> list[str]:
        return [*self.arguments, "--laptop", "false", "--out", str(self.place)]


def is_frozen(arguments: tuple[str, ...]) -> bool:
    """Whether the first stage of a `fit` keeps its backbone as it is."""
    return str(last_setting(arguments[1:], "model")).rpartition(".")[2] == "FrozenHead"
