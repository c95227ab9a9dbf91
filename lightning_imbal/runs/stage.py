"""A stage of a run, and what its files say. What only looks at scores waits for neither pandas nor yaml."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class Stage:
    """A stage of a run; its files are read when they are asked for.

    Args:
        folder: Of the stage.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, folder.name
        self.config_file, self.curves_file = folder / "config.yaml", folder / "metrics.csv"

    def config(self) -> Any:
        """What the stage was asked for."""
        import yaml

        return yaml.safe_load(self.config_file.read_text())

    def curves(self) -> "pd.DataFrame | None":
        """What was logged, as Lightning's CSVLogger writes it: most cells of a row are empty; None if nothing was."""
        import pandas as pd

        # A run that was killed early leaves an empty file.
        written = self.curves_file.is_file() and self.curves_file.stat().st_size > 0
        return pd.read_csv(self.curves_file) if written else None

    def split(self) -> "pd.DataFrame | None":
        """`image`, `class`, `group` (where known) and `part` of every image, as text; None if it was not written."""
        import pandas as pd

        file = self.folder / "split.csv"
        # As text: an id such as 007 is no number, and a patient called NA is not a missing one.
        return pd.read_csv(file, dtype="str", keep_default_na=False) if file.is_file() else None
