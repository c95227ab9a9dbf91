"""A stage of a run, and what its files say. What only looks at scores waits for neither pandas nor yaml."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_imbal.runs.digests import check_digest
from lightning_imbal.runs.folder import is_finished
from lightning_imbal.runs.reading import AGAIN, check_keys, reading, whole_text

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

    def config_text(self) -> str:
        """The file of what the stage was asked for.

        Raises:
            UserError: It is damaged, or that of another run.
        """
        with reading(self.config_file):
            return self._whole_text(self.config_file)

    def config(self, loader: Any = None) -> dict[str, Any]:
        """What the stage was asked for.

        Args:
            loader: Of yaml; None is the safe one.

        Raises:
            UserError: The file is damaged, or that of another run.
        """
        import yaml

        with reading(self.config_file):
            config = yaml.load(self.config_text(), loader or yaml.SafeLoader)
            check_keys(config, {"trainer": dict, "model": dict, "data": dict})
            if "ckpt_path" not in config:  # one of the last lines
                raise ValueError("The end is missing.")
        return config

    def curves(self) -> "pd.DataFrame | None":
        """What was logged, as Lightning's CSVLogger writes it: most cells of a row are empty; None if nothing was.

        Raises:
            UserError: The file is damaged, or that of another run. That of a run that is not finished may be empty.
        """
        import pandas as pd

        if not self.curves_file.is_file():
            return None
        if self.curves_file.stat().st_size == 0 and not is_finished(self.folder.parent):
            return None
        with reading(self.curves_file, "delete it, without which there are no curves, or train the stage again"):
            self._whole_text(self.curves_file)
            table = pd.read_csv(self.curves_file)
            numbers = ["epoch", "step"]
            table[numbers] = table[numbers].apply(pd.to_numeric)
        return table

    def split(self) -> "pd.DataFrame | None":
        """`image`, `class`, `group` (where known) and `part` of every image, as text; None if it was not written.

        Raises:
            UserError: The file is damaged, or that of another run.
        """
        return read_split(self.folder / "split.csv", self.folder.parent)

    def _whole_text(self, file: Path) -> str:
        return own_text(file, self.folder.parent)


def own_text(file: Path, run: Path) -> str:
    """The text of a file of a run, which is whole and its own.

    Raises:
        UserError: It is that of another run.
        ValueError: It is not whole.
    """
    text = whole_text(file)
    check_digest(file, run)
    return text


def read_split(file: Path, run: Path, mend: str = AGAIN) -> "pd.DataFrame | None":
    """Reads a `split.csv` of a run, as `Stage.split` returns it; None if there is none.

    Args:
        file: That is read.
        run: Whose it is.
        mend: What to do if it is damaged.

    Raises:
        UserError: The file is damaged, or that of another run.
    """
    import pandas as pd

    from lightning_imbal.runs.spreadsheet import without_apostrophes

    if not file.is_file():
        return None
    with reading(file, mend):
        own_text(file, run)
        # As text: an id such as 007 is no number, and a patient called NA is not a missing one.
        table = pd.read_csv(file, dtype="str", keep_default_na=False)
        if absent := {"image", "class", "part"} - {*table.columns}:
            raise ValueError(f"There is no {' and no '.join(sorted(absent))}.")
    return without_apostrophes(table)
