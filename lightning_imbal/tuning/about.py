"""What a search is: its file says so, and a folder holds no other one."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from lightning_imbal.atomic_files import write_json
from lightning_imbal.command_line import OF_THE_MACHINE, parse_options
from lightning_imbal.errors import UserError
from lightning_imbal.runs.folder import first_free, stages_in
from lightning_imbal.runs.reading import check_keys, reading
from lightning_imbal.score_names import lower_is_better
from lightning_imbal.tuning.search import Range, parse_search

FILE = "tune.json"
Pruner = Literal["median", "none"]
WORDS = {"configs": "--config", "options": "other options", "search": "--search"}


@dataclass(frozen=True)
class About:
    """A search.

    Args:
        search: The range of each setting, as `parse_search` reads them.
        score: Of the validation part, such as `val/f1`.
        seed: Of the search.
        pruner: What gives trials up.
        configs: Names of the configurations in their order.
        options: What else is set, but for what is of the machine.
    """

    search: list[str]
    score: str
    seed: int
    pruner: Pruner
    configs: list[str]
    options: dict[str, str]

    @cached_property
    def space(self) -> list[Range]:
        """What is searched."""
        return parse_search(self.search)

    @property
    def lower(self) -> bool:
        """Whether a smaller score is the better one."""
        return self.key == "loss" or lower_is_better(self.key)

    @property
    def key(self) -> str:
        """The score as results call it, such as `f1`."""
        return self.score.removeprefix("val/")

    def check(self, run: Path) -> None:
        """Refuses a folder that holds another search.

        Raises:
            UserError: The message says what is another.
        """
        before = read_about(run)
        if before is None and stages_in(run):
            raise UserError(f"{run} holds a run of `fit`: search elsewhere, such as in --run_dir {first_free(run)}.")
        if before is not None and before != self:
            now, then = asdict(self), asdict(before)
            other = next(name for name in now if now[name] != then[name])
            raise UserError(
                f"{run} holds a search with {_told(other, then[other])}, not {_told(other, now[other])}: give what it "
                f"was begun with, or write elsewhere, such as --run_dir {first_free(run)}."
            )

    def write(self, run: Path) -> None:
        """Writes what it is into its folder."""
        write_json(run / FILE, asdict(self))


def about(
    search: Sequence[str], score: str, seed: int, pruner: Pruner, configs: Sequence[str], options: Sequence[str]
) -> About:
    """A search, from its command line.

    Args:
        search: As typed.
        score: Of the validation part.
        seed: Of the search.
        pruner: What gives trials up.
        configs: Files.
        options: Of `fit`.
    """
    texts = [f"{each.name}={each.text}" for each in parse_search(search)]
    decides = {name: value for name, value in parse_options(options) if not f"{name}.".startswith(OF_THE_MACHINE)}
    return About(texts, score, seed, pruner, [Path(file).name for file in configs], decides)


def read_about(run: Path) -> About | None:
    """What the search of a folder is; None if there is none.

    Raises:
        UserError: Its file is damaged.
    """
    file = run / FILE
    if not file.is_file():
        return None
    with reading(file, "give another --run_dir"):
        content = json.loads(file.read_text(encoding="utf-8"))
        check_keys(content, {"search": list, "score": str, "seed": int, "configs": list, "options": dict})
        return About(**content)


def _told(name: str, value: object) -> str:
    words = WORDS.get(name, f"--{name}")
    if isinstance(value, dict):
        value = [f"--{option} {setting}" for option, setting in value.items()]
    return f"{words} {' '.join(value) or '(none)'}" if isinstance(value, list) else f"{words} {value}"
