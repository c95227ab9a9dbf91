"""What a finished run found, as its `metrics.json` says."""

import json
from pathlib import Path
from typing import Any

from lightning_imbal.errors import UserError


def read_results(run: str | Path) -> dict[str, Any]:
    """Reads the `metrics.json` of a run's folder.

    Raises:
        UserError: The folder holds no finished run.
    """
    file = Path(run) / "metrics.json"
    if not file.is_file():
        raise UserError(f"{run} holds no finished run (no metrics.json): give the folder that `fit` wrote to.")
    return json.loads(file.read_text())
