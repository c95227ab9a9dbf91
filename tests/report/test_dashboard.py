"""The dashboard of a table: what its workspaces hold, what the runs are labelled with, and what is refused."""

import socket
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import wandb
import yaml
from wandb_file import forget_settings

from lightning_imbal.cli import main
from lightning_imbal.errors import UserError
from lightning_imbal.experiment_files import read_yaml
from lightning_imbal.launch import local
from lightning_imbal.launch.job import Job
from lightning_imbal.launch.plan import Plan
from lightning_imbal.tables.read import read_spec
from lightning_imbal.tables.tags import Labels, tag

SPEC = "experiments/tables/marrakchi_table1.yaml"
LAPTOP = "experiments/variants/laptop.yaml"
SIZES = {"mel": 60, "nv": 1400, "NA": 1, "bkl/lk": 60}
BY_SIZE = ["nv (1400 training images)", "bkl/lk (60 training images)"]
BY_SIZE += ["mel (60 training images)", "NA (1 training image)"]


@pytest.fixture
def workspaces():
    return pytest.importorskip("wandb_workspaces.workspaces", reason="wandb-workspaces is not installed")


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    """No account, and no way to any server."""

    def refuse(*args, **kwargs):
        raise OSError("a test has called a server")

    forget_settings(monkeypatch)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)


@pytest.fixture
def saved(workspaces, monkeypatch):
    """The workspaces that were saved, by an account."""
    done = []
    monkeypatch.setattr(wandb, "login", lambda **options: True)
    monkeypatch.setattr(workspaces.Workspace, "save", lambda workspace: done.append(workspace))
    monkeypatch.setattr(workspaces.Workspace, "url", "https://wandb.example/view")
    return done


def split(parts=("train", "val", "test")):
    rows = [(name, "train") for name, size in SIZES.items() for _ in range(size)]
    return pd.DataFrame(rows + [("mel", part) for part in parts[1:]], columns=["class", "part"])


def begin(folder, **options):
    (folder / "stage1").mkdir(parents=True)
    split(**options).assign(image="a").to_csv(folder / "stage1" / "split.csv", index=False)


def built(**options):
    from lightning_imbal.report.dashboard import build

    return build("team", "project", "table1-laptop", "ISIC2018, resnet50", split(**options))


def said(*args):
    """What the program refuses to do."""
    with pytest.raises(UserError) as error:
        from lightning_imbal.cli.dashboard import run

        run(["dashboard", *map(str, args)])
    assert "\n" not in str(error.value)
    return str(error.value)


def test_every_class_has_a_curve_from_most_to_fewest_training_images(workspaces):
    section = built().sections[0]
    assert section.name == "F1 of every class, from most to fewest training images"
    assert [panel.title for panel in section.panels] == BY_SIZE
    assert [panel.y for panel in section.panels] == [[f"val/f1/{name}"] for name in ("nv", "bkl/lk", "mel", "NA")]
    assert {panel.x for panel in section.panels} == {"epoch"}
    assert section.layout_settings.columns * section.layout_settings.rows >= len(section.panels)


def test_further_sections_have_summary_test_results_and_losses(workspaces):
    summary, test, losses = built().sections[1:]
    assert [panel.y for panel in summary.panels[:2]] == [["val/f1"], ["val/balanced_accuracy"]]
    tested = [[f"test/{key}"] for key in ("f1", "balanced_accuracy", "scr")]
    assert [panel.metrics for panel in summary.panels[2:]] == tested
    assert [panel.title for panel in test.panels[:-1]] == BY_SIZE
    assert [panel.metrics for panel in test.panels[:-1]] == [
        [f"test/f1/{name}"] for name in ("nv", "bkl/lk", "mel", "NA")
    ]
    assert test.panels[-1].table_name == "test/classes"
    assert [panel.y for panel in losses.panels] == [["train/loss"], ["val/loss"]]


def test_without_a_validation_part_there_are_no_curves_of_it(workspaces):
    sections = built(parts=("train", "test")).sections
    assert [section.name for section in sections] == ["Summary scores", "Test results", "Losses"]
    assert not any(key.startswith("val/") for section in sections for key in keys(section))


def keys(section):
    return [key for panel in section.panels for key in getattr(panel, "y", getattr(panel, "metrics", []))]


def test_runs_are_those_of_the_column_grouped_by_row_and_stage(workspaces):
    runs = built()._to_model().spec.section.run_sets[0]
    filters = [(item["key"]["name"], item["op"], item["value"]) for item in runs.filters["filters"]]
    assert filters == [("tags", "IN", ["table1-laptop"]), ("tags", "IN", ["ISIC2018 resnet50"])]
    assert runs.filters["filters"][1]["connector"] == "AND"
    assert [key.name for key in runs.grouping] == ["group", "jobType"]


def test_bars_are_means_of_rows_and_no_row_is_left_out(workspaces):
    spec = built()._to_model().spec.section
    bars = [panel for part in spec.panel_bank_config.sections for panel in part.panels if "Bar" in panel.view_type]
    assert bars and {panel.config.group_by for panel in bars} == {"group"}
    assert {panel.config.group_agg for panel in bars} == {"mean"}
    assert min(panel.config.bar_limit for panel in bars) == spec.settings.max_runs == 500


def test_every_column_gets_a_workspace(saved, tmp_path, capsys):
    content, table = read_yaml("experiments/tables/zeng_table2.yaml"), tmp_path / "zeng_table2.yaml"
    content["rows"] = {"CE": content["rows"]["CE"]}  # the others are of the same columns
    for part in (*content["columns"], content["rows"]["CE"]):
        part["configs"] = [str(Path("experiments/tables", config).resolve()) for config in part["configs"]]
    del content["published"]
    table.write_text(yaml.safe_dump(content))
    plan = Plan(read_spec(table), tmp_path)
    columns = [column.title for column in plan.spec.columns]
    for job in [job for job in plan.jobs if job.labels.column != columns[1]]:
        begin(job.folder)
    assert main(["dashboard", str(table), "--runs", str(tmp_path), "--entity", "team", "--project", "p"]) == 0
    assert [each.name for each in saved] == [f"zeng_table2: {tag(columns[0])}", f"zeng_table2: {tag(columns[2])}"]
    assert {(each.entity, each.project) for each in saved} == {("team", "p")}
    assert capsys.readouterr().out.splitlines() == [f"{each.name}: https://wandb.example/view" for each in saved]


def test_a_column_that_only_tests_runs_of_another_has_no_workspace(saved, tmp_path):
    table = "experiments/tables/galdran_table2.yaml"
    for job in Plan(read_spec(table), tmp_path).jobs:
        begin(job.folder)
    assert main(["dashboard", table, "--runs", str(tmp_path), "--entity", "team"]) == 0
    assert [each.name for each in saved] == ["galdran_table2: EyePACS"]


def test_overlays_name_the_folder_and_the_tag(saved, tmp_path, monkeypatch):
    runs = Path("runs/tables-laptop")
    plan = Plan(read_spec(SPEC), runs, [LAPTOP])
    begin(tmp_path / plan.jobs[0].folder)
    for name in ("experiments", "lightning_imbal"):
        (tmp_path / name).symlink_to(Path(name).absolute())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_ENTITY", "team")
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    assert main(["dashboard", SPEC, "--config", LAPTOP]) == 0
    assert saved[0].name == "marrakchi_table1-laptop: ISIC2018 resnet50"
    assert (saved[0].entity, saved[0].project) == ("team", "mine")


def test_the_entity_is_that_of_the_account(saved, tmp_path, monkeypatch):
    begin(Plan(read_spec(SPEC), tmp_path).jobs[0].folder)
    monkeypatch.setattr(wandb, "Api", lambda: type("Api", (), {"default_entity": "me"}))
    assert main(["dashboard", SPEC, "--runs", str(tmp_path)]) == 0
    assert saved[0].entity == "me"
    monkeypatch.setattr(wandb, "Api", lambda: type("Api", (), {"default_entity": None}))
    assert "give --entity" in said(SPEC, "--runs", tmp_path)


def test_runs_that_wait_for_their_upload_are_told(saved, tmp_path, capsys):
    folder = Plan(read_spec(SPEC), tmp_path).jobs[0].folder
    begin(folder)
    recorded = folder / "stage1" / "wandb" / "offline-run-1"
    recorded.mkdir(parents=True)
    args = ["dashboard", SPEC, "--runs", str(tmp_path), "--entity", "team"]
    assert main(args) == 0
    assert f"wandb sync {tmp_path}/*/stage*/wandb/offline-run-*" in capsys.readouterr().out
    (recorded / "run-1.wandb.synced").touch()
    assert main(args) == 0
    assert "wandb sync" not in capsys.readouterr().out


def test_the_upload_command_finds_the_runs_in_a_folder_with_a_space(workspaces, tmp_path):
    runs = tmp_path / "my runs"
    folder = Plan(read_spec(SPEC), runs).jobs[0].folder
    begin(folder)
    (folder / "stage1" / "wandb" / "offline-run-1").mkdir(parents=True)
    command = said(SPEC, "--runs", runs).split("`")[3]
    found = subprocess.run(command.replace("wandb sync", "ls -d"), shell=True, capture_output=True, text=True)
    assert found.stdout.split("\n")[0] == str(folder / "stage1" / "wandb" / "offline-run-1")


def test_without_an_account_one_line_says_what_to_do(workspaces, tmp_path, capsys):
    begin(Plan(read_spec(SPEC), tmp_path).jobs[0].folder)
    assert main(["dashboard", SPEC, "--runs", str(tmp_path)]) == 2
    told = capsys.readouterr().err.strip()
    assert told == ("lightning_imbal: W&B has no account here: log in with `wandb login`, then repeat this command.")


def test_a_server_that_fails_is_told_in_a_sentence(saved, workspaces, tmp_path, monkeypatch, capsys):
    def fail(workspace):
        raise ValueError("project not\nfound")

    begin(Plan(read_spec(SPEC), tmp_path).jobs[0].folder)
    monkeypatch.setattr(workspaces.Workspace, "save", fail)
    assert main(["dashboard", SPEC, "--runs", str(tmp_path), "--entity", "team"]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1 and "W&B has failed (project not found): look at the network" in told[0]


def test_an_account_that_the_server_refuses_is_told(workspaces, tmp_path, monkeypatch):
    def refuse(**options):
        raise wandb.errors.AuthenticationError("invalid key")

    begin(Plan(read_spec(SPEC), tmp_path).jobs[0].folder)
    monkeypatch.setattr(wandb, "login", refuse)
    assert "W&B has failed (invalid key)" in said(SPEC, "--runs", tmp_path)


def test_offline_mode_is_refused(workspaces, tmp_path, monkeypatch):
    begin(Plan(read_spec(SPEC), tmp_path).jobs[0].folder)
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert "unset WANDB_MODE" in said(SPEC, "--runs", tmp_path)


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    begin(Plan(read_spec(SPEC), tmp_path).jobs[0].folder)
    monkeypatch.delitem(sys.modules, "lightning_imbal.report.dashboard", raising=False)
    monkeypatch.setitem(sys.modules, "wandb_workspaces", None)
    monkeypatch.setitem(sys.modules, "wandb_workspaces.reports.v2", None)
    assert "pip install 'lightning_imbal[dashboard]'" in said(SPEC, "--runs", tmp_path)


def test_a_table_that_was_not_begun_is_refused(tmp_path):
    told = said(SPEC, "--runs", tmp_path, "--config", LAPTOP)
    assert f"No run of this table has begun in {tmp_path}" in told
    assert f"`lightning_imbal table {SPEC} --config={LAPTOP}`" in told


def test_wrong_arguments_are_told_in_a_sentence():
    assert said() == (
        "`dashboard`: the following arguments are required: SPEC. `lightning_imbal dashboard --help` lists the options."
    )
    assert "unrecognized arguments: --run x" in said(SPEC, "--run", "x")
    assert "There is no file none.yaml" in said(SPEC, "--config", "none.yaml")
    assert "There is no table none.yaml" in said("none.yaml")


def test_jobs_are_labelled_with_table_row_and_column(tmp_path):
    plan = Plan(read_spec(SPEC), tmp_path, [LAPTOP])
    assert plan.jobs[0].labels == Labels("marrakchi_table1-laptop", next(iter(plan.spec.rows)), "ISIC2018, resnet50")
    for cell in plan.cells:
        assert cell.job.labels.row == cell.row


def test_a_job_of_several_rows_has_the_name_of_the_first(tmp_path):
    (tmp_path / "ce.yaml").write_text("{}")
    rows = {name: {"configs": ["ce.yaml"]} for name in ("first", "second")}
    table = {"title": "x", "columns": [{"dataset": "d"}], "rows": rows, "metrics": {}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(table))
    plan = Plan(read_spec(tmp_path / "mine.yaml"), tmp_path)
    assert [cell.job.labels for cell in plan.cells] == [Labels("mine", "first", "d")] * 2


def test_the_name_of_a_table_is_that_of_its_file(tmp_path):
    table = {"title": "x", "columns": [], "rows": {}, "metrics": {}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(table))
    assert read_spec(tmp_path / "mine.yaml").name == "mine"
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(table | {"name": "other"}))
    takes = r"unknown key 'name': it takes title, columns, rows, .*figure, features, gap, rankings\."
    with pytest.raises(UserError, match=takes):
        read_spec(tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("ISIC2018, resnet50", "ISIC2018 resnet50"),
        ("CE → cRW (tau = 0.5)", "CE cRW (tau 0.5)"),
        ("'a\" <b>", "a b"),
        ("x" * 70, "x" * 64),
    ],
)
def test_tags_have_no_comma_quote_or_operator_and_at_most_64_characters(text, expected):
    assert tag(text) == expected


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """The environment that a job's process gets."""
    seen = {}
    monkeypatch.setattr(local.subprocess, "Popen", lambda command, env, **options: seen.update(env))

    def started(labels):
        seen.clear()
        local.start_process(Job("a", tmp_path / "a", ("fit",), None, labels), 1)
        return {name: value for name, value in seen.items() if name.startswith("WANDB")}

    return started


def test_the_process_of_a_job_knows_its_group_and_tags(environment):
    found = environment(Labels("marrakchi_table1", "CE, plain", "ISIC2018, resnet50"))
    assert found == {
        "WANDB_RUN_GROUP": "marrakchi_table1: CE, plain",
        "WANDB_TAGS": "marrakchi_table1,CE plain,ISIC2018 resnet50",
    }
    assert environment(None) == {}


def test_what_the_user_sets_for_wandb_wins(environment, monkeypatch):
    monkeypatch.setenv("WANDB_TAGS", "mine")
    assert environment(Labels("t", "r", "c")) == {"WANDB_RUN_GROUP": "t: r", "WANDB_TAGS": "mine"}
