"""Published results are complete, say where they are from, and are what the texts quote."""

import re
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from lightning_imbal.tables.read import read_spec

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "experiments" / "results"
SPEC = read_spec(ROOT / "experiments" / "tables" / "isic2018_small.yaml")
CELLS = pd.read_csv(RESULTS / "isic2018_small-64px.csv", keep_default_na=False, na_values=[""])
README, PAGE = (ROOT / "README.md").read_text(), (ROOT / "docs" / "results.md").read_text()
QUOTED = ["balanced_accuracy", "f1", "rare", "common"]  # by lesion; of the split by image, the first two


def value(row, dataset, metric):
    cells = CELLS[(CELLS["row"] == row) & (CELLS["dataset"] == dataset) & (CELLS["metric"] == metric)]
    return cells["value"].item()


def test_every_row_column_and_metric_is_there():
    keys = [(row, c.dataset, metric) for c in SPEC.columns for row in SPEC.rows for metric in SPEC.metrics]
    assert list(CELLS[["row", "dataset", "metric"]].itertuples(index=False, name=None)) == keys


def test_every_number_says_where_it_is_from():
    done = CELLS[CELLS["runs"] > 0]
    assert done[["value", "low", "high", "seeds", "folders", "commits", "versions", "networks"]].notna().all(axis=None)
    assert done["commits"].str.fullmatch(r"[0-9a-f]{40}(; [0-9a-f]{40})*").all(), "of committed code"
    assert (done["folders"].str.count("; ") + 1 == done["runs"]).all()
    assert done["value"].between(done["low"] - 0.05, done["high"] + 0.05).all()


def test_classes_and_gaps_belong_to_the_same_runs():
    classes = pd.read_csv(RESULTS / "isic2018_small-64px_classes.csv")
    assert set(classes["row"]) == set(CELLS["row"][CELLS["runs"] > 0])
    assert classes.groupby(["dataset", "row"])["class"].nunique().eq(7).all()
    mean = classes.groupby(["row", "dataset"])["f1"].mean()
    assert all(value(*key, "f1") == pytest.approx(mean[key], abs=1e-5) for key in mean.index)
    gaps = pd.read_csv(RESULTS / "isic2018_small-64px_gap.csv")
    for gap in gaps[gaps["metric"].isin(SPEC.metrics)].itertuples():
        difference = value(gap.row, "By image", gap.metric) - value(gap.row, "By lesion", gap.metric)
        assert gap.value == pytest.approx(difference, abs=1e-5)


def test_picture_shows_every_class():
    with Image.open(RESULTS / "isic2018_small-64px.png") as picture:
        picture.load()
        assert picture.width > 1500 and picture.height > 1500


@pytest.mark.parametrize("text, least", [(PAGE, 20), (README, 8)], ids=["page", "readme"])
def test_texts_quote_the_published_numbers(text, least):
    rows = re.findall(r"^\| (.+?) \| ((?:\**\d\.\d{3}\** \| ?)+)$", text, re.MULTILINE)
    assert len(rows) >= least
    for name, numbers in rows:
        quoted = [float(number) for number in re.findall(r"[\d.]+", numbers)]
        cells = [(metric, "By lesion") for metric in QUOTED] + [(metric, "By image") for metric in QUOTED[:2]]
        expected = [pytest.approx(value(name, dataset, metric), abs=6e-4) for metric, dataset in cells]
        assert quoted == expected[: len(quoted)] and len(quoted) in (4, 6), name


def test_decision_rules_are_told_for_every_method_and_split():
    spec = read_spec(ROOT / "experiments" / "tables" / "isic2018_decisions.yaml")
    cells = pd.read_csv(RESULTS / "isic2018_decisions-64px.csv", keep_default_na=False, na_values=[""])
    cells = cells[~cells["floor"]]
    keys = [(row, c.dataset, metric) for c in spec.columns for row in spec.rows for metric in spec.metrics]
    assert list(cells[["row", "dataset", "metric"]].itertuples(index=False, name=None)) == keys
    assert (cells["runs"] == 3).all() and cells["commits"].str.fullmatch(r"[0-9a-f]{40}(; [0-9a-f]{40})*").all()
    trained = [name for name, row in spec.rows.items() if row.decision is None]
    for split in ("image", "lesion"):
        rules = pd.read_csv(RESULTS / f"isic2018_decisions-64px_by_{split}.csv")
        assert rules.groupby(["row", "rule"])["score"].nunique().eq(3).all()
        assert rules["row"].nunique() == len(trained) and rules["rule"].nunique() == 4
        first = rules[(rules["rule"] == "argmax") & (rules["score"] == "f1")]["value"].tolist()
        of_split = cells[(cells["dataset"] == f"By {split}") & (cells["metric"] == "f1")].set_index("row")["value"]
        assert first == pytest.approx(of_split[trained].tolist(), abs=1e-5)
        changed = rules[rules["rule"] != "argmax"].merge(
            rules[rules["rule"] == "argmax"], on=["row", "score"], suffixes=("", "_before")
        )
        assert (changed["value"] - changed["value_before"]).tolist() == pytest.approx(changed["difference"].tolist())


def test_the_page_on_features_quotes_the_table_of_two_sizes():
    cells = pd.read_csv(RESULTS / "isic2018_features.csv").set_index(["row", "metric", "dataset"])
    page = (ROOT / "docs" / "features.md").read_text()
    rows = re.findall(r"^\| (.+?) \| ((?:0\.\d{3} \| ?){4})$", page, re.MULTILINE)
    spec = read_spec(ROOT / "experiments" / "tables" / "isic2018_features.yaml")
    assert [name for name, _ in rows] == list(spec.rows)
    for name, numbers in rows:
        keys = [(name, metric, c.dataset) for metric in ("balanced_accuracy", "f1") for c in spec.columns]
        assert [float(number) for number in numbers.split("|")[:4]] == [round(cells["value"][key], 3) for key in keys]
    told = cells[cells["p_holm"] < 0.05]["value"].to_dict()
    above = {key for key, value in told.items() if value > cells["value"]["Linear probe", *key[1:]]}
    assert {(row, "balanced_accuracy", c.dataset) for row in ("cRW", "cRT") for c in spec.columns} < above
    assert not any(metric == "f1" for _, metric, _ in above)


def test_the_page_on_networks_quotes_the_table_of_two():
    cells = pd.read_csv(RESULTS / "isic2018_networks-64px.csv").set_index(["row", "metric", "backbone"])["value"]
    page = (ROOT / "docs" / "backbones.md").read_text()
    rows = re.findall(r"^\| (.+?) \| ((?:0\.\d{3} \| ?){4})$", page, re.MULTILINE)
    assert len(rows) == 4
    for name, numbers in rows:
        expected = [cells[name, metric] for metric in ("balanced_accuracy", "f1")]
        quoted = [float(number) for number in numbers.split("|")[:4]]
        networks = ["mobilenetv2_100", "tf_efficientnet_lite0"]
        assert quoted == [round(of_metric[network], 3) for of_metric in expected for network in networks]
    orders = pd.read_csv(RESULTS / "isic2018_networks-64px_rankings.csv").set_index("metric")
    assert orders.loc["balanced_accuracy", ["value", "low", "high"]].round(2).tolist() == [0.67, 0, 1]
    assert orders.loc["f1", ["value", "low", "high"]].round(2).tolist() == [0.33, -1, 1]
    assert orders.loc["rare", ["value", "low", "high"]].round(2).tolist() == [-0.33, -1, 1]
