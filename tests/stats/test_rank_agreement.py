"""Whether two networks put the methods in the same order: by pairs counted by hand, on made runs."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from made_runs import write_run

from lightning_imbal.errors import UserError
from lightning_imbal.launch.plan import Plan
from lightning_imbal.report.tables.markdown import to_markdown
from lightning_imbal.report.tables.write import write_and_print
from lightning_imbal.stats.results import collect
from lightning_imbal.tables.read import read_spec
from lightning_imbal.tables.spec import Column, Metric, Row, Spec

COLUMNS = [
    Column(dataset="Skin7", backbone=name, configs=["skin7.yaml", name], seeds=[0, 1]) for name in ("one", "two")
]
ROWS = ["CE", "CL", "RS", "LDAM"]


METRICS = {
    "acc": Metric(score="accuracy", title="Accuracy"),
    "f1": Metric(score="f1"),
    "ece": Metric(score="ece"),
}


def collected(runs, skills, rows=ROWS, metrics=("acc",)):
    """Two networks, on each of which a row has a skill; None leaves its predictions out."""
    spec = Spec(
        title="T",
        columns=COLUMNS,
        rows={name: Row(configs=[f"{name.lower()}.yaml"]) for name in rows},
        metrics={name: METRICS[name] for name in metrics},
        rankings=[column.title for column in COLUMNS],
    )
    cells = Plan(spec, runs).cells
    for number, cell in enumerate(cells):
        skill = skills[cell.column.backbone][rows.index(cell.row)]
        write_run(cell.folder, skill=skill or 1.0, noise=number, predictions=skill is not None)
    return collect(spec, cells, [], runs, rows[0])


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """CL is far ahead in both networks and CE behind; RS and LDAM, which are alike, may be in either order."""
    runs = tmp_path_factory.mktemp("runs")
    return collected(runs, {"one": [0.4, 3.0, 1.5, 1.5], "two": [0.4, 3.0, 1.5, 1.5]}, metrics=METRICS)


def test_tau_and_its_interval_count_pairs(results):
    found = results.rankings.set_index("metric")
    cells = results.cells.set_index(["backbone", "metric", "row"])
    assert list(found.index) == ["acc", "f1", "ece"] and set(found["rows"]) == {4} and set(found["pairs"]) == {6}
    for metric, agreement in found.iterrows():
        values = [[cells.loc[(name, metric, row), "value"] for row in ROWS] for name in ("one", "two")]
        ahead = [np.sign([of[i] - of[j] for i, j in combinations(range(4), 2)]) for of in values]
        assert agreement["value"] == pytest.approx((ahead[0] * ahead[1]).mean())
    for metric in ("acc", "f1"):
        assert found.loc[metric, ["told", "agreed"]].tolist() == [5, 5], "all pairs but RS and LDAM"
        assert found.loc[metric, ["low", "high"]].tolist() == pytest.approx([4 / 6, 1.0])


def test_opposite_orders_are_told(tmp_path):
    found = collected(tmp_path, {"one": [0.8, 2.0, 6.0], "two": [6.0, 2.0, 0.8]}, ROWS[:3]).rankings
    accuracy = found.set_index("metric").loc["acc"]
    assert (accuracy["value"], accuracy["told"], accuracy["agreed"]) == (-1, 3, 0)
    assert accuracy["low"] == accuracy["high"] == -1


def test_equal_methods_may_be_in_any_order(tmp_path):
    found = collected(tmp_path, {"one": [1.0] * 4, "two": [1.0] * 4}).rankings.set_index("metric").loc["acc"]
    assert (found["told"], found["low"], found["high"]) == (0, -1, 1)


def test_only_rows_with_predictions_in_both_columns_are_ranked(tmp_path):
    skills = {"one": [0.4, 1.5, 3.0, 2.0], "two": [0.4, 1.5, 3.0, None]}
    assert set(collected(tmp_path / "a", skills).rankings["rows"]) == {3}
    skills["one"][0] = None
    assert collected(tmp_path / "b", skills).rankings.empty, "two rows have one order only"


def test_is_a_table_and_a_file_of_its_own(results, tmp_path):
    from rich.console import Console

    with (tmp_path / "printed").open("w") as file:
        write_and_print(results, tmp_path / "table", Console(file=file, width=200))
    for text in ((tmp_path / "printed").read_text(), to_markdown(results)):
        assert "Order of the methods in Skin7, one and in Skin7, two" in text and "of 4 methods" in text
    assert sum("as in either order" in note for note in results.notes) == 1
    assert list(pd.read_csv(tmp_path / "table_rankings.csv")["told"])[:2] == [5, 5]


def test_a_column_that_there_is_not_is_refused(tmp_path):
    file = tmp_path / "table.yaml"
    for two in ("[A, B]", "[A, A]"):
        file.write_text(f"{{title: T, columns: [{{dataset: A}}], rows: {{CE: {{}}}}, metrics: {{}}, rankings: {two}}}")
        with pytest.raises(UserError, match="has the rankings .*give the titles of two of its columns, A"):
            read_spec(file)
