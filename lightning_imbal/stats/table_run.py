"""A finished run of a table, and its scores by their keys."""

from dataclasses import dataclass
from typing import Any

from lightning_imbal.errors import UserError
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.tables.cell import Cell

OF_CLASS = ("f1", "recall")
OF_RUN = (*OF_CLASS, "precision")


@dataclass(frozen=True)
class Run:
    """A finished run.

    Args:
        cell: Where it belongs.
        found: Its `metrics.json`.
        predictions: Of its test images, None if it has none.
    """

    cell: Cell
    found: dict[str, Any]
    predictions: Predictions | None

    def score(self, key: str) -> float:
        """A score by its key, such as `accuracy`, `f1/nevus`, `group_recall/minor`.

        Raises:
            UserError: The run has no such score.
        """
        kind, _, name = key.partition("/")
        holders = {
            kind: {"": self.found["summary"]},
            **{score: {row["name"]: row for row in self.found["classes"]} for score in OF_RUN if name},
            **{f"group_{score}": self.found["groups"] for score in OF_CLASS},
        }
        score = holders[kind].get(name, {}).get(kind.removeprefix("group_"))
        if score is None:
            raise UserError(f"{self.cell.folder} has no score {key!r}, which the table asks for.")
        return score
