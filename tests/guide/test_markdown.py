"""Pages of the documentation, and what papers print beside what was obtained."""

import csv
import re
from pathlib import Path

import pytest

from lightning_imbal.experiment_files import files_of, read_yaml
from lightning_imbal.guide.markdown import as_markdown, index, pages, table_markdown, titles
from lightning_imbal.guide.page import Page, Section
from lightning_imbal.guide.papers import numbers_of

AUTHORS = ("chen", "galdran", "marrakchi", "zeng", "zhang")


def test_a_page():
    section = Section(
        "S", text="text", items=("a", "b"), rows=(("x", "y"), ("1|2", "3")), code="z = 1\n", language="bash"
    )
    assert as_markdown(Page("losses", "l", "L", "about", (section,))) == (
        "# L\n\nabout\n\n## S\n\ntext\n\n- a\n- b\n\n"
        "| x | y |\n| --- | --- |\n| 1&#124;2 | 3 |\n\n```bash\nz = 1\n```\n"
    )


def test_every_method_and_head_has_a_page():
    found = pages()
    assert set(found) == {*titles("methods").values(), *titles("heads").values()}
    assert len(found) == len(files_of("methods")) + len(files_of("heads"))
    assert all(re.search(r"## Equation\n\n.*?\n\n```\n\w+\n  ", text) for text in found.values())


@pytest.mark.parametrize("kind", ["methods", "heads"])
def test_the_index_has_each_with_its_number(kind):
    rows = index(kind).splitlines()[2:]
    assert len(rows) == len(files_of(kind))
    assert not [row for row in rows if "et al. |" in row]
    with Path("experiments/results/isic2018_small-64px.csv").open() as file:
        ecl = next(each for each in csv.DictReader(file) if (each["row"], each["metric"]) == ("ECL", "f1"))
    if kind == "methods":
        row = next(row for row in rows if row.startswith("| [ECL](ecl.md) | "))
        assert row.split(" | ")[3] == f"{float(ecl['value']):.3f} [{float(ecl['low']):.3f}, {float(ecl['high']):.3f}]"


def cells_of(text):
    """Every cell of the tables of a page, by the heading above its table, the row and the column."""
    found, place, head = {}, "", []
    for line in text.splitlines():
        if line.startswith("#"):
            place, head = line.lstrip("# "), []
        elif line.startswith("|") and "---" not in line:
            cells = [cell.strip().replace("&#124;", "|") for cell in line.strip("|").split(" | ")]
            head, row = (cells, None) if not head else (head, cells)
            if row:
                found |= {(place, row[0], title): cell for title, cell in zip(head[1:], row[1:], strict=True)}
    return found


@pytest.mark.parametrize("author", AUTHORS)
def test_published_numbers_are_those_of_the_files(author):
    text = numbers_of(author)
    for file in sorted(Path("experiments/published").glob(f"{author}_*.csv")):
        spec = read_yaml(f"experiments/tables/{file.stem}.yaml")
        part = text.split(f"## {spec['title'].partition(': ')[0]}\n")[1].split("\n## ")[0]
        assert "Not run here." in part and f"make {file.stem} " in part
        cells = cells_of(part)
        with file.open() as lines:
            numbers = list(csv.DictReader(lines))
        for row in numbers:
            title = spec["metrics"][row["metric"]].get("title", row["metric"])
            place = ", ".join(filter(None, [row["dataset"], row["backbone"]]))
            expected = f"{row['value']} ± {row['std']}" if row["std"] else row["value"]
            assert cells[place, row["row"], title] == expected
        assert sum(cell != "" for cell in cells.values()) == len(numbers)


@pytest.fixture
def table(tmp_path):
    """A folder of experiments with a table of a paper."""
    for folder in ("tables", "published", "results"):
        (tmp_path / folder).mkdir()
    (tmp_path / "tables" / "who_table1.yaml").write_text(
        "title: 'Who 2020, Table 1: a table'\npublished: ../published/who_table1.csv\ndecimals: 1\n"
        "columns: [{dataset: D, backbone: b}]\nrows: {A: {}, B: {}}\nmetrics: {f1_macro: {score: f1, title: F1}}\n"
    )
    (tmp_path / "published" / "who_table1.csv").write_text(
        "row,dataset,backbone,metric,value,std\nA,D,b,f1_macro,71.25,0.5\nB,D,b,f1_macro,60,\n"
    )
    return tmp_path


def test_what_is_published_is_alone_where_nothing_was_run(table):
    text = numbers_of("who", table)
    assert "Not run here." in text and "| A | 71.25 ± 0.5 |\n| B | 60 |" in text


def test_what_was_run_is_beside_what_is_published(table):
    (table / "results" / "who_table1-laptop.csv").write_text(
        "row,dataset,backbone,metric,value,low,high\nA,D,b,f1_macro,70.44,69.9,71.2\nB,D,b,f1_macro,,,\n"
    )
    (table / "results" / "who_table1-laptop_classes.csv").write_text("row\n")
    text = numbers_of("who", table)
    assert "Run as: laptop." in text and "Not run here." not in text
    assert "|  | F1, paper | F1, here |" in text
    assert "| A | 71.25 ± 0.5 | 70.4 [69.9, 71.2] |\n| B | 60 | not run here |" in text


@pytest.mark.parametrize("author", AUTHORS)
def test_pages_of_papers_lead_to_pages_that_are_made(author):
    text = Path("docs/papers", f"{author}.md").read_text()
    assert text.count("<!-- numbers -->") == 1
    linked = re.findall(r"\]\(\.\./(methods/[\w/]+\.md)\)", text)
    assert linked and set(linked) <= {*titles("methods").values(), *titles("heads").values()}


def test_bars_in_cells_are_no_columns():
    assert table_markdown((("a",), ("x|y",))) == "| a |\n| --- |\n| x&#124;y |"
