"""What a report page consists of."""

from collections.abc import Sequence
from dataclasses import dataclass

from lightning_imbal.report.page.charts_base import Chart
from lightning_imbal.report.page.tables import SortableTable


@dataclass(frozen=True)
class Chapter:
    """A part of the page.

    Args:
        key: Its id.
        title: Its heading.
        remarks: Sentences below the heading.
        tables: Its tables; those after the first one are folded in.
        charts: Its charts.
    """

    key: str
    title: str
    remarks: Sequence[str] = ()
    tables: Sequence[SortableTable] = ()
    charts: Sequence[Chart] = ()
