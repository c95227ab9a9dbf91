"""The chapter of a report page on the subgroups of the test images."""

from collections.abc import Sequence

from lightning_imbal.report.page.chapter import Chapter
from lightning_imbal.report.page.charts_subgroups import recall_chart
from lightning_imbal.report.page.tables_subgroups import class_table, gap_table, score_table
from lightning_imbal.report.tables.sheets_subgroups import gap_notes
from lightning_imbal.stats.results import Results


def chapters_of_subgroups(results: Results, order: Sequence[str]) -> list[Chapter]:
    """The chapter; none where nothing is known of the images beside their class.

    Args:
        results: Of a table with one column.
        order: Of the classes, from most to fewest training images.
    """
    spec, decimals = results.spec, results.spec.decimals
    return [
        Chapter(
            "subgroups",
            "Subgroups",
            list(gap_notes(found)),
            [
                gap_table(found, decimals),
                score_table(found, decimals),
                class_table(found, order, decimals),
            ],
            [recall_chart(found, order, spec.scale, spec.unit)],
        )
        for found in results.subgroups.values()
    ]
