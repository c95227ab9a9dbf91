"""Every verb that takes a configuration or a table takes its short name, from a folder without experiments."""

from pathlib import Path

import pytest
import yaml
from parsing import EXPERIMENTS, parsed, second
from small_runs import refused

from lightning_imbal.cli import main
from lightning_imbal.cli.parts import run_dir
from lightning_imbal.cli.parts.verb_parser import VerbParser
from lightning_imbal.errors import UserError
from lightning_imbal.tables.read import read_spec

CLASSIFIER = "model: {class_path: Classifier}\n"
TABLE = """\
title: Ours
columns: [{dataset: digits, configs: [demo.yaml]}]
rows: {CE: {configs: [methods/ce.yaml]}, Ours: {configs: [mine.yaml]}}
metrics: {f1: {score: f1}}
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A working folder with one configuration of the user."""
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(CLASSIFIER + "then: heads/crt.yaml\n")


def model_of_stage_two(*args):
    config = second(parsed("fit", "--config", "demo.yaml", *args))
    return config.model.class_path.rpartition(".")[2], config.model.init_args.init


def test_fit_takes_configurations_and_the_second_stage():
    assert model_of_stage_two("--config=mine.yaml") == ("FrozenHead", "new")
    assert model_of_stage_two("--config", "methods/ce.yaml", "--then", "heads/crw.yaml") == ("FrozenHead", "keep")


@pytest.mark.parametrize("short", [["-c", "methods/bwce.yaml"], ["-c=methods/bwce.yaml"], ["-cmethods/bwce.yaml"]])
def test_c_is_config(short):
    config = parsed("fit", "-c", "demo.yaml", *short).clone()
    assert config == parsed("fit", "--config", "demo.yaml", "--config", "methods/bwce.yaml")
    assert run_dir.prepare(config) == Path("runs/demo-bwce")


def test_name_of_the_run_stays():
    config = parsed("fit", "--config", "demo.yaml", "--config", "methods/ce.yaml").clone()
    assert run_dir.prepare(config) == Path("runs/demo-ce")


def test_printed_configuration_is_all_that_is_printed(capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--config", "demo.yaml", "--config", "methods/ce.yaml", "--print_config"])
    printed = capsys.readouterr().out
    assert "demo.yaml" not in printed and yaml.safe_load(printed)["model"]["class_path"].endswith("Classifier")


def test_prepare_and_audit(capsys):
    assert main(["prepare", "demo.yaml"]) == 0
    assert main(["audit", "--config", "demo.yaml"]) == main(["audit", "-c", "demo.yaml"]) == 0
    assert "1,797 images" in capsys.readouterr().out


def test_overlays_of_tables():
    parser = VerbParser("table", "", "")
    parser.add_overlays()
    assert parser.parse_args(["--config", "variants/laptop.yaml"]).config == [str(EXPERIMENTS / "variants/laptop.yaml")]
    assert parser.parse_args(["--config", "mine.yaml", "-c", "mine.yaml"]).config == ["mine.yaml", "mine.yaml"]


def test_table_of_the_package_and_one_of_ones_own():
    assert read_spec("zeng_table2.yaml").name == "zeng_table2"
    Path("ours").mkdir()
    Path("ours/table.yaml").write_text(TABLE.replace("mine", "../mine"))
    spec = read_spec("ours/table.yaml")
    assert spec.columns[0].configs == [str(EXPERIMENTS / "demo.yaml")]
    assert [row.configs for row in spec.rows.values()] == [[str(EXPERIMENTS / "methods/ce.yaml")], ["mine.yaml"]]
    Path("ours/table.yaml").write_text(TABLE.replace("mine", "your"))
    with pytest.raises(UserError, match="names your.yaml, but there is no ours/your.yaml"):
        read_spec("ours/table.yaml")


@pytest.mark.parametrize(
    "args, meant",
    [
        (["fit", "--config", "demos.yaml"], "demo.yaml"),
        (["fit", "--config", "demo.yaml", "--then", "crw.yaml"], "heads/crw.yaml"),
        (["table", "zeng_table_2.yaml"], "zeng_table2.yaml"),
        (["table", "zeng_table2.yaml", "--config", "variants/labtop.yaml"], "variants/laptop.yaml"),
        (["dashboard", "zeng_table_2.yaml"], "zeng_table2.yaml"),
        (["compare", "--config", "labtop.yaml"], "variants/laptop.yaml"),
        (["prepare", "isic2018.yaml"], "data/isic2018.yaml"),
        (["audit", "--config", "data/isik2018.yaml"], "data/isic2018.yaml"),
    ],
)
def test_missing_name_is_refused_with_what_is_meant(args, meant, capsys):
    said = refused(capsys, *args)
    assert "There is no" in said and f"did you mean {meant}?" in said
