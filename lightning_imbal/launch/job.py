"""A process that fills a folder with results, and its command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_imbal.command_line import OF_THE_MACHINE, last_setting, parse_options
from lightning_imbal.runs.folder import best_checkpoint, is_finished, read_record, record_of, stages_in
from lightning_imbal.tables.tags import Labels


@dataclass(frozen=True, eq=False)
class Job:
    """A process that fills a folder with results: `fit`, or `test` of the checkpoint of another job.

    Args:
        name: What a person reads, such as `CE, fold 1 of 3`.
        folder: Where the results will be.
        arguments: Command line of `lightning_imbal`, without what depends on the folder.
        after: Job that must have finished: the one that trains the checkpoint of a `test`, or the first stage of a
            `fit`.
        labels: What it is in a table.
        features: Job that must have finished too: it stores the features that this one is trained on.
    """

    name: str
    folder: Path
    arguments: tuple[str, ...]
    after: "Job | None" = None
    labels: Labels | None = None
    features: "Job | None" = None

    @property
    def needs(self) -> list["Job"]:
        """The jobs that must have finished before."""
        return [job for job in (self.after, self.features) if job is not None]

    @property
    def finished(self) -> bool:
        """Whether the results are there."""
        return is_finished(self.folder)

    @property
    def record(self) -> Path:
        """File with the command line that was run, and the seconds that it took."""
        return record_of(self.folder)

    @property
    def sets_workers(self) -> bool:
        """Whether a configuration or an option says how many loader processes there are."""
        return last_setting(self.arguments[1:], "data", "init_args", "num_workers") is not None

    def command(self) -> list[str]:
        """The command line that starts the job, or goes on with it, as its folder is now."""
        if self.arguments[0] == "test" and self.after is not None:
            trained = best_checkpoint(self.after.folder, stages_in(self.after.folder))
            return [*self.arguments, "--ckpt_path", str(trained), "--run_dir", str(self.folder)]
        begun = self.after is not None or bool(stages_in(self.folder))
        # The arguments say all: nothing is laid over them.
        place = ["--laptop", "false", "--run_dir", str(self.folder)]
        return [*self.arguments, *place, *(["--ckpt_path", "last"] if begun else [])]

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the results: the names of the configurations in their order, and the options."""
        options = parse_options(self.arguments[1:])
        decides = [(name, value) for name, value in options if not f"{name}.".startswith(OF_THE_MACHINE)]
        return {
            "configs": [Path(value).name for name, value in options if name == "config"],
            "options": {name: value for name, value in decides if name != "config"},
        }

    @property
    def is_recorded(self) -> bool:
        """Whether what is in the folder, if anything, was begun with the same configurations and options."""
        record = read_record(self.folder)
        return record is None or record["identity"] == self.identity
