"""What is told of two columns of a table beside each other."""

from lightning_imbal.report.tables.sheet import Entry, Section, Sheet, interval_of
from lightning_imbal.stats.column_difference import OF_GROUPS
from lightning_imbal.stats.results import Results, rows_of
from lightning_imbal.wording import number_of, score_text, signed_text


def differences(results: Results) -> Sheet:
    """How far the first column is above the second."""
    spec, found = results.spec, results.gaps
    methods = rows_of(found, results)
    titles = {name: metric.title or name for name, metric in spec.metrics.items()} | OF_GROUPS
    sections = []
    for name in dict.fromkeys(found["metric"]):
        cells = found[found["metric"] == name].set_index("row").reindex(methods)
        entries = [
            Entry(signed_text(cell.value, spec.decimals), interval=interval_of(cell.low, cell.high, spec.decimals))
            for cell in cells.itertuples()
        ]
        sections.append(Section(titles[name], {"difference": entries}))
    return Sheet(" less ".join(spec.gap or ()), methods, sections)


def orders(results: Results) -> Sheet:
    """Whether both put the methods in the same order."""
    spec, found = results.spec, results.rankings
    methods = [spec.metrics[name].title or name for name in found["metric"]]
    entries = [
        Entry(score_text(cell.value, 2), interval=interval_of(cell.low, cell.high, 2)) for cell in found.itertuples()
    ]
    title = f"Order of the methods in {' and in '.join(spec.rankings or ())}"
    heading = f"of {number_of(int(found['rows'].max()), 'method')}"
    return Sheet(title, methods, [Section("Kendall's tau", {heading: entries})], of="score")
