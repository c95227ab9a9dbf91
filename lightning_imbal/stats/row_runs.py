"""The finished runs of the rows of a table, with the answers that each row asks for."""

from collections.abc import Sequence
from pathlib import Path

from lightning_imbal.errors import UserError
from lightning_imbal.runs.run import Run
from lightning_imbal.stats.decided import decided_runs
from lightning_imbal.stats.derived import pooled_run
from lightning_imbal.stats.shared_images import on_shared
from lightning_imbal.tables.cell import Cell
from lightning_imbal.tables.spec import Row


class ReadRuns:
    """Runs whose files are read once, however many rows they are in.

    Attributes:
        images: Those that runs are scored on; None is all that each was tested on.
        refused: Why a row is left out, as its decision cannot be fitted, by its name; such a row has no runs.
    """

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}
        self.images: frozenset[str] | None = None
        self._known: dict[tuple[Path, str], Run] = {}

    def as_they_are(self, cells: Sequence[Cell]) -> list[Run]:
        """The runs of some finished cells, with all their images."""
        return [self._known.setdefault((cell.folder, cell.repeat), Run(cell.folder, cell.repeat)) for cell in cells]

    def of_row(self, name: str, row: Row, cells: Sequence[Cell]) -> list[Run]:
        """The runs of the finished cells of a row, in their order: on some images alone, then pooled, then decided.

        Raises:
            UserError: They cannot be pooled.
        """
        runs = self.as_they_are(cells)
        if runs and self.images is not None:
            runs = [kept for run in runs if (kept := on_shared(run, self.images))]
            if not runs:
                self.refused[name] = "it has no predictions of the images that the others were tested on."
        if row.pool is not None:
            runs = [pooled_run(run, row.pool) for run in runs]
        if row.decision is None:
            return runs
        try:
            return decided_runs(runs, row.decision)
        except UserError as error:
            self.refused[name] = str(error)
            return []
