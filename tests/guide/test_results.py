"""Which rows of a table are a method by itself, and what was measured of them."""

from pathlib import Path

from lightning_imbal.guide.results import NOT_RUN, Table, rows_of_file, tables_run

SPEC = {
    "title": "T",
    "decimals": 2,
    "rows": {
        "A": {"configs": ["../methods/ours.yaml"]},
        "A, flipped": {"configs": ["../methods/ours.yaml"], "test": {"name": "flip"}},
        "A, short": {"configs": ["../methods/ours.yaml"], "epochs": 0.25, "start": "A"},
        "A, other": {"configs": ["../methods/ours.yaml"], "options": {"model.loss.gamma": 1}},
        "A, decided": {"configs": ["../methods/ours.yaml"], "decision": "Offsets"},
        "A, smaller": {"configs": ["../methods/ours.yaml", "../variants/64px.yaml"]},
        "Ours": {"configs": ["../methods/ce.yaml"], "options": {"model.predictor": "X"}},
        "B": {"quoted": True},
    },
}


def test_rows_of_a_file(tmp_path):
    (tmp_path / "methods").mkdir()
    file = tmp_path / "methods" / "ours.yaml"
    file.write_text("# Ours: new.\n")
    assert rows_of_file(SPEC, file) == ["A", "A, flipped", "A, short", "Ours"]


def test_numbers_with_their_intervals():
    numbers = {("A", "D", "", "f1"): {"value": "0.456", "low": "0.411", "high": "0.5"}}
    numbers[("A", "D", "", "mcc")] = {"value": "0.3", "low": "", "high": ""}
    numbers[("A", "D", "", "auc")] = {"value": "", "low": "", "high": ""}
    table = Table("t", "64px", SPEC, numbers)
    assert [table.text("A", "D", "", metric) for metric in ("f1", "mcc", "auc", "kappa")] == [
        "0.46 [0.41, 0.50]",
        "0.30",
        NOT_RUN,
        NOT_RUN,
    ]
    assert table.title == "T, 64px" and Table("t", "", SPEC, {}).title == "T"


def test_tables_that_were_run():
    found = {(table.name, table.overlays): table for table in tables_run(Path("experiments"))}
    at_64 = {(f"isic2018_{name}", "64px") for name in ("small", "decisions", "networks")}
    assert set(found) == at_64 | {("isic2018_features", "")}
    assert len(found["isic2018_small", "64px"].numbers) == 520
