"""What a table says of its numbers, and where its files lie."""

import pytest
import yaml

from lightning_imbal.tables.comparison import comparison
from lightning_imbal.tables.read import read_spec
from lightning_imbal.tables.spec import Metric, Row, Spec


@pytest.mark.parametrize(("scale", "unit"), [(100, " (%)"), (1.0, "")])
def test_per_cent_are_said(scale, unit):
    assert Spec(title="", columns=[], rows={}, metrics={}, scale=scale).unit == unit


def test_errors_are_better_if_they_are_smaller():
    assert Metric(score="ece").lower_is_better and not Metric(score="f1").lower_is_better


def test_configurations_of_further_tests_are_found_beside_the_table(tmp_path):
    (tmp_path / "data.yaml").write_text("{}")
    test = {"name": "external", "configs": ["data.yaml"]}
    column = {"dataset": "skin", "configs": ["data.yaml"], "test": test}
    content = {"title": "", "columns": [column], "rows": {"CE": {"test": test}}, "metrics": {}}
    (tmp_path / "table.yaml").write_text(yaml.safe_dump(content))
    spec = read_spec(tmp_path / "table.yaml")
    for holder in (spec.columns[0], spec.columns[0].test, spec.rows["CE"].test):
        assert holder.configs == [str(tmp_path / "data.yaml")]


def test_folds_keep_an_eighth_of_the_rest_to_choose_the_epoch(tmp_path):
    [column] = comparison({"CE": Row()}, "skin", tmp_path, folds=5).columns
    assert column.options == {"data.split": "KFold", "data.split.folds": 5, "data.split.val": 0.125}
    assert column.folds == [0, 1, 2, 3, 4]
    [column] = comparison({"CE": Row()}, "skin", tmp_path, seeds=[3, 1, 3]).columns
    assert (column.options, column.folds, column.seeds) == ({}, None, [3, 1])
