"""A trial: the settings that were tried, and what came of them, in a file of its folder."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from lightning_imbal.atomic_files import write_json
from lightning_imbal.runs.reading import check_keys, reading
from lightning_imbal.tuning.search import Value

FILE = "trial.json"
State = Literal["running", "complete", "pruned", "failed"]


@dataclass(frozen=True)
class Trial:
    """Settings that are tried.

    Args:
        number: From 0.
        params: The value of each setting that is searched.
        knows: How many trials, from the first, it was suggested by: they had ended before it began.
        state: Whether it has ended, and how.
        value: The score of the epoch that was kept, or of the last one before it was given up.
        epoch: Of that score, from 0.
        values: The score after each epoch.
        why: What has failed.
    """

    number: int
    params: dict[str, Value]
    knows: int = 0
    state: State = "running"
    value: float | None = None
    epoch: int | None = None
    values: dict[int, float] = field(default_factory=dict)
    why: str = ""

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to do."""
        return self.state != "running"

    def write(self, folder: Path) -> None:
        """Writes it into its folder."""
        write_json(folder / FILE, asdict(self))


def read_trial(folder: Path) -> Trial | None:
    """The trial of a folder; None if it is none.

    Raises:
        UserError: Its file is damaged.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    with reading(file, "delete its folder, and the trial is made again"):
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        check_keys(content, {"number": int, "params": dict, "knows": int, "state": str, "values": dict})
        content["values"] = {int(epoch): value for epoch, value in content["values"].items()}
        return Trial(**content)


def folder_of(run: Path, number: int) -> Path:
    """Where a trial of a search is."""
    return run / "trials" / f"{number:03d}"


def read_trials(run: Path) -> list[Trial]:
    """The trials of a search that have begun, from the first without a gap."""
    found: list[Trial] = []
    while (trial := read_trial(folder_of(run, len(found)))) is not None:
        found.append(trial)
    return found


def best_of(trials: Sequence[Trial], lower: bool) -> Trial | None:
    """The complete trial with the best score, of equal ones the first; None if there is none.

    Args:
        trials: Some of which may have no score.
        lower: Whether a smaller score is the better one.
    """
    return next(iter(ranked(trials, lower)), None)


def ranked(trials: Sequence[Trial], lower: bool) -> list[Trial]:
    """The complete trials, the best first."""
    complete = [trial for trial in trials if trial.state == "complete"]
    return sorted(complete, key=lambda trial: (trial.value or 0.0) * (1 if lower else -1))
