"""A Weights & Biases (W&B) workspace of a table's runs: every class a panel, from most to fewest training images."""

import pandas as pd
import wandb_workspaces.reports.v2.interface as wr
import wandb_workspaces.workspaces as ws

from lightning_imbal.score_names import SCORES
from lightning_imbal.tables.tags import tag
from lightning_imbal.wording import number_of

SUMMARY_OF_VAL, SUMMARY_OF_TEST = ("f1", "balanced_accuracy"), ("f1", "balanced_accuracy", "scr")
COLUMNS = 3
MAX_RUNS = 500  # in a panel; by default W&B shows 10


def build(entity: str, project: str, table: str, column: str, split: pd.DataFrame) -> ws.Workspace:
    """Builds a workspace of one column of a table; nothing is sent before its `save()`.

    Args:
        entity: User or team of W&B.
        project: Project of W&B.
        table: Name of the table that the runs are labelled with.
        column: Title of the column that the runs are labelled with.
        split: Of a run: `class` and `part` of every image.
    """
    return ws.Workspace(
        entity=entity,
        project=project,
        name=f"{tag(table)}: {tag(column)}",
        sections=_sections(_class_titles(split), (split["part"] == "val").any()),
        settings=ws.WorkspaceSettings(max_runs=MAX_RUNS),
        runset_settings=ws.RunsetSettings(
            filters=ws.And(ws.Tags().isin([tag(table)]), ws.Tags().isin([tag(column)])),
            # A row, then its stages: their curves are not repeats of each other.
            groupby=[ws.Metric("Group"), ws.Metric("JobType")],
        ),
    )


def _class_titles(split: pd.DataFrame) -> dict[str, str]:
    """Each class with its size, from most to fewest training images."""
    counts = (split["part"] == "train").groupby(split["class"]).sum().sort_values(ascending=False, kind="stable")
    return {name: f"{name} ({number_of(count, 'training image')})" for name, count in counts.items()}


def _sections(classes: dict[str, str], validated: bool) -> list[ws.Section]:
    curves = [_curve(title, f"val/f1/{name}", "F1", (0, 1)) for name, title in classes.items()]
    summary_curves = [
        _curve(f"{SCORES[key].title}, val", f"val/{key}", SCORES[key].title, (0, 1)) for key in SUMMARY_OF_VAL
    ]
    summary_bars = [_bars(f"{SCORES[key].title}, test", f"test/{key}", SCORES[key].title) for key in SUMMARY_OF_TEST]
    bars = [_bars(title, f"test/f1/{name}", "F1") for name, title in classes.items()]
    train_loss, val_loss = (_curve(f"Loss, {part}", f"{part}/loss", "loss") for part in ("train", "val"))
    panels: dict[str, list[wr.PanelTypes]] = {
        "F1 of every class, from most to fewest training images": [*curves] if validated else [],
        "Summary scores": [*summary_curves, *summary_bars] if validated else [*summary_bars],
        "Test results": [*bars, wr.WeavePanelSummaryTable(table_name="test/classes")],
        "Losses": [train_loss, val_loss] if validated else [train_loss],
    }
    return [_section(name, shown) for name, shown in panels.items() if shown]


def _section(name: str, panels: list[wr.PanelTypes]) -> ws.Section:
    """All panels are on its first page, also those of the rarest classes."""
    layout = ws.SectionLayoutSettings(columns=COLUMNS, rows=-(-len(panels) // COLUMNS))
    return ws.Section(name=name, panels=panels, is_open=True, layout_settings=layout)


def _curve(title: str, key: str, axis: str, limits: tuple[float | None, float | None] = (None, None)) -> wr.LinePlot:
    return wr.LinePlot(title=title, x="epoch", y=[key], title_x="epoch", title_y=axis, range_y=limits)


def _bars(title: str, key: str, axis: str) -> wr.BarPlot:
    """The mean of each row, and its lowest and highest run."""
    return wr.BarPlot(
        title=title,
        metrics=[key],
        title_x=axis,
        range_x=(0, 1),
        groupby="Group",
        groupby_aggfunc="mean",
        groupby_rangefunc="minmax",
        max_runs_to_show=MAX_RUNS,
        max_bars_to_show=MAX_RUNS,
    )
