"""`li.Run`: what a finished run has left, as tables and dicts."""

from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lightning_imbal.runs import run as files
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.runs.reading import ATTRIBUTE


class Run:
    """A finished run; its files are read when they are asked for, and need neither torch nor the images.

    Args:
        path: What `fit`, `test`, `validate` or `table` wrote to.

    Raises:
        UserError: Whatever is asked for is absent, damaged, or that of another run.

    Example:
        >>> run = Run("runs/demo")
        >>> run
        Run('runs/demo')
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self._files = files.Run(self.path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def metrics(self) -> dict[str, Any]:
        """What `metrics.json` holds: `identity`, `summary`, `classes`, `groups`, `confusion`, ..."""
        return self._files.results

    @property
    def class_names(self) -> list[str]:
        """In label order."""
        return self._files.class_names

    @cached_property
    def classes(self) -> pd.DataFrame:
        """A row for each class, by its name: `train_images`, `images`, and its scores."""
        return pd.DataFrame(self.metrics["classes"]).set_index("name")

    @cached_property
    def predictions(self) -> pd.DataFrame | None:
        """A row for each test image: `image`, `group` (empty: none is known), `label`, `predicted`, a `meta/<name>`
        for each attribute, if there are any, and a `probability/<class>` for each class; None if they were not kept."""
        return _table(self._files.predictions)

    @cached_property
    def validation(self) -> pd.DataFrame | None:
        """The same of the validation images."""
        return _table(self._files.validation)

    @property
    def config(self) -> dict[str, Any]:
        """The settings of the last stage, as its `config.yaml` has them."""
        return self.configs[-1]

    @property
    def configs(self) -> list[dict[str, Any]]:
        """Those of every stage, first to last."""
        return [stage.config() for stage in self._files.stages]

    @cached_property
    def curves(self) -> pd.DataFrame:
        """A row for each stage and epoch: `stage`, `epoch`, and what was logged, such as `train/loss` and `val/f1`."""
        tables = {stage.name: stage.curves() for stage in self._files.stages}
        known = {name: table.dropna(subset="epoch") for name, table in tables.items() if table is not None}
        if not known:
            return pd.DataFrame(columns=["stage", "epoch"])
        logged = pd.concat(known, names=["stage", "row"]).drop(columns="step")
        logged = logged[[name for name in logged if not name.startswith("test")]]
        # Each call of the logger has a row of its own, in which most cells are empty.
        joined = logged.groupby(["stage", "epoch"]).last().dropna(how="all").dropna(axis=1, how="all")
        return joined.copy().reset_index().astype({"epoch": int})

    @property
    def checkpoint(self) -> Path:
        """The best checkpoint of the last stage, for `load`."""
        return self._files.best_checkpoint


def _table(found: Predictions | None) -> pd.DataFrame | None:
    if found is None:
        return None
    names = pd.Index(found.class_names)
    group = pd.Series(found.unit).where(found.grouped, "")
    about = {"image": found.image, "group": group, "label": names[found.label], "predicted": names[found.answers]}
    about |= {ATTRIBUTE + name: values for name, values in found.attributes.items()}
    return pd.DataFrame(about | {f"probability/{name}": found.probability[:, i] for i, name in enumerate(names)})
