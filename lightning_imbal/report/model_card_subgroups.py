"""What a model card says of the subgroups of the test images."""

from lightning_imbal.report.tables.markdown import markdown_table
from lightning_imbal.report.tables.sheets_subgroups import class_sheets, gap_notes, gap_sentences, score_sheets
from lightning_imbal.stats.results import Results, class_counts, classes_of
from lightning_imbal.wording import escape_markdown as escape


def subgroup_parts(results: Results) -> list[str]:
    """Paragraphs and tables of one run: the worst subgroup by each attribute, and the scores of all.

    None where nothing is known of the images.
    """
    [column] = results.spec.columns
    if (found := results.subgroups.get(column.title)) is None:
        return []
    [row] = dict.fromkeys(found.scores["row"])
    counts = class_counts(classes_of(results, column))
    parts = ["## Subgroups"]
    if sentences := [*gap_sentences(found, row), *gap_notes(found)]:
        parts.append("\n".join(f"- {escape(sentence)}" for sentence in sentences))
    of_classes = class_sheets(found, row, "recall", counts)
    for attribute, scores, classes in zip(found.attributes, score_sheets(found, row), of_classes, strict=True):
        parts += [f"By {escape(attribute.name)}, and the recall of the classes:"]
        parts += [markdown_table(scores), markdown_table(classes)]
    return parts
