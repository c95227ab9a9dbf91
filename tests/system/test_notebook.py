"""The notebook runs from its first cell to its last, and shows what it has shown."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs" / "whole_way.ipynb"


def shown(notebook):
    """What its cells have printed, each line once."""
    return [output.text for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.slow
def test_the_whole_way_in_a_notebook(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    before = shown(notebook)
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=250, kernel_name="python3", resources=place, record_timing=False).execute()
    after, number = shown(notebook), r"\d\.\d+"
    assert [re.sub(number, "", text) for text in after] == [re.sub(number, "", text) for text in before] != []
    for one, two in zip(before, after, strict=True):  # of training, which differs a little between processors
        scores = zip(re.findall(number, one), re.findall(number, two), strict=True)
        assert all(float(a) == pytest.approx(float(b), abs=0.2) for a, b in scores)


def test_what_is_printed_was_run():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    assert len(shown(notebook)) == sum("print(" in cell.source for cell in code)
