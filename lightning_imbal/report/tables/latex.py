"""The tables of a paper as LaTeX, for booktabs and graphicx."""

from collections.abc import Sequence

from lightning_imbal.report.tables.sheet import Entry, Sheet
from lightning_imbal.report.tables.sheets_subgroups import all_notes, all_sheets
from lightning_imbal.stats.results import Results, full_title

# Brackets and stars too: behind the end of a row they would be read as its options.
ESCAPED = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "{}$%&#_"},
        **{sign: f"{{{sign}}}" for sign in "[]*"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "|": r"\textbar{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "±": r"$\pm$",
        "×": r"$\times$",
        "→": r"$\to$",
        "≤": r"$\leq$",
        "≥": r"$\geq$",
        "−": "$-$",
        "–": "--",
    }
)
# Narrower than the line: as it is; wider: shrunk to it.
SHRINK = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"


def to_latex(results: Results) -> str:
    """Published and measured numbers of every column, the F1 of its classes, and the notes, each table a float."""
    return sheets_to_latex(full_title(results), all_sheets(results), all_notes(results))


def sheets_to_latex(title: str, sheets: Sequence[Sheet], notes: Sequence[str]) -> str:
    """Tables as LaTeX, each a float, with what is said of all of them below."""
    parts = [r"% Needs \usepackage{booktabs} and \usepackage{graphicx}."]
    parts += [_table(sheet, title) for sheet in sheets]
    if notes:
        items = [rf"\item {_escape(note)}" for note in notes]
        parts.append("\n".join([r"{\footnotesize", r"\begin{itemize}", *items, r"\end{itemize}", "}"]))
    return "\n\n".join(parts) + "\n"


def _table(sheet: Sheet, title: str) -> str:
    columns = [entries for section in sheet.sections for entries in section.columns.values()]
    rows = []
    for number, method in enumerate(sheet.methods):
        entries = [column[number] for column in columns]
        runs = sheet.runs[number : number + 1]
        remark = sheet.remark(number)
        rows += [r"\midrule"] if number == sheet.trained else []
        rows.append(_row([_escape(method), *map(_entry, entries), *runs]))
        if remark or any(entry.interval or entry.word for entry in entries):
            below = [_escape(remark), *map(_below, entries), *[""] * len(runs)]
            rows.append(_row([*map(_small, below)]))
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{_escape(f'{title}. {sheet.title}.')}}}",
            SHRINK,
            rf"\begin{{tabular}}{{l{'r' * (len(columns) + bool(sheet.runs))}}}",
            r"\toprule",
            *_head(sheet),
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
        ]
    )


def _head(sheet: Sheet) -> list[str]:
    titles, rules, headings, at = [""], [], [_escape(sheet.of)], 2
    for section in sheet.sections:
        width = len(section.columns)
        titles.append(rf"\multicolumn{{{width}}}{{c}}{{{_escape(section.title)}}}")
        if width > 1:
            rules.append(rf"\cmidrule(lr){{{at}-{at + width - 1}}}")
        headings += map(_escape, section.columns)
        at += width
    if sheet.runs:
        titles.append("")
        headings.append("runs")
    return [_row(titles), *rules, _row(headings)]


def _row(entries: list[str]) -> str:
    return f"{' & '.join(entries)} \\\\"


def _entry(entry: Entry) -> str:
    text = _escape(entry.text.replace("-", "−"))
    text = ("{}", r"\textbf{{{}}}", r"\underline{{{}}}")[entry.rank].format(text)
    return text + (r"\rlap{*}" if entry.star else "")


def _below(entry: Entry) -> str:
    return " ".join(filter(None, [entry.interval, _escape(entry.word)]))


def _small(text: str) -> str:
    return rf"{{\scriptsize {text}}}" if text else ""


def _escape(text: str) -> str:
    return text.translate(ESCAPED)
