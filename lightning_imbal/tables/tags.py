"""How Weights & Biases (W&B) groups and tags the runs of a table."""

import re
from dataclasses import dataclass

MAX_GROUP, MAX_TAG = 128, 64  # characters that W&B takes


def tag(text: str) -> str:
    """The text as a tag: without commas, which part tags, and without what filters and names of W&B cannot hold."""
    return " ".join(re.sub(r"[^\w.:;()/&-]+", " ", text).split())[:MAX_TAG].strip()


@dataclass(frozen=True)
class Labels:
    """What a run is in a table; one that several rows share has the first one's name.

    Args:
        table: Name of the table.
        row: Name of the row.
        column: Title of the column.
    """

    table: str
    row: str
    column: str

    def environment(self) -> dict[str, str]:
        """The environment variables that tell W&B: the group is a row, so that its seeds or folds are averaged."""
        tags = filter(None, map(tag, [self.table, self.row, self.column]))
        return {"WANDB_RUN_GROUP": f"{self.table}: {self.row}"[:MAX_GROUP], "WANDB_TAGS": ",".join(tags)}
