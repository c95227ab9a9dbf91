"""A process that fills a folder with results, and its command line."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lightning_imbal.errors import UserError
from lightning_imbal.tables.labels import Labels

# Where and how fast a run is made, but not what comes out of it.
OF_THE_MACHINE = (
    *("data.root.", "data.num_workers.", "data.cache.", "data.cache_dir."),
    *("trainer.accelerator.", "trainer.devices.", "trainer.num_nodes.", "trainer.strategy."),
    *("trainer.logger.", "trainer.enable_progress_bar.", "trainer.enable_model_summary.", "save_features."),
)


@dataclass(frozen=True, eq=False)
class Job:
    """A process that fills a folder with results: `fit`, or `test` of the checkpoint of another job.

    Args:
        name: Folder below that of all runs.
        folder: Where the results will be.
        arguments: Command line of `lightning_imbal`, without what depends on the folder.
        after: Job that must have finished: the one that trains the checkpoint of a `test`, or the first stage of a
            `fit`.
        labels: What it is in a table.
    """

    name: str
    folder: Path
    arguments: tuple[str, ...]
    after: "Job | None" = None
    labels: Labels | None = None

    @property
    def finished(self) -> bool:
        """Whether the results are there."""
        return (self.folder / "metrics.json").is_file()

    @property
    def record(self) -> Path:
        """File with the command line that was run, and the seconds that it took."""
        return self.folder / "command.json"

    @property
    def sets_workers(self) -> bool:
        """Whether a configuration or an option says how many loader processes there are."""
        return last_setting(self.arguments[1:], "data", "init_args", "num_workers") is not None

    def command(self) -> list[str]:
        """The command line that starts the job, or goes on with it, as its folder is now."""
        if self.arguments[0] == "test":
            stages = sorted(self.after.folder.glob("stage*")) or [self.after.folder / "stage1"]
            trained = f"{stages[-1]}/checkpoints/best.ckpt"
            return [*self.arguments, "--ckpt_path", trained, "--run_dir", str(self.folder)]
        begun = self.after is not None or any(self.folder.glob("stage*"))
        return [*self.arguments, "--run_dir", str(self.folder), *(["--ckpt_path", "last"] if begun else [])]

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
        return not self.record.is_file() or json.loads(self.record.read_text())["identity"] == self.identity


def last_setting(arguments: Iterable[str], *keys: str) -> Any:
    """The value of `keys` that wins on a command line: of its options and its --config files, the last; or None."""
    option = ".".join(key for key in keys if key != "init_args")
    given = [
        _of_file(value, keys) if name == "config" else value
        for name, value in parse_options(arguments)
        if name in ("config", option)
    ]
    return next((value for value in reversed(given) if value is not None), None)


def parse_options(arguments: Iterable[str]) -> list[tuple[str, str]]:
    """Names (`init_args` left out) and values of `--name value` and `--name=value`, in their order.

    Raises:
        UserError: A value has no name before it.
    """
    found: list[tuple[str, str]] = []
    waiting = False
    for argument in arguments:
        if argument.startswith("--"):
            name, _, value = argument[2:].partition("=")
            found.append((name.replace(".init_args.", "."), value))
            waiting = "=" not in argument
        elif waiting:
            found[-1] = (found[-1][0], argument)
            waiting = False
        else:
            raise UserError(f"{argument!r} has no option before it: write --name value.")
    return found


def to_options(settings: dict[str, Any]) -> list[str]:
    """Command line options of a mapping from their names to their values."""
    pairs = [(f"--{name}", value if isinstance(value, str) else json.dumps(value)) for name, value in settings.items()]
    return [part for pair in pairs for part in pair]


def _of_file(file: str, keys: Iterable[str]) -> Any:
    content = yaml.safe_load(Path(file).read_text())
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content
