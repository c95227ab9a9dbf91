"""The plan of a run names for every setting the file whose value the parser has taken, and what was lost to it."""

from pathlib import Path

import layouts
import pytest
import yaml
from parsing import EXPERIMENTS, _parser, parsed, second, with_configs

from lightning_imbal.cli import main
from lightning_imbal.cli.parts.plan import plan, unused
from lightning_imbal.cli.parts.stages import COMMAND_LINE
from lightning_imbal.wording import value_text

DEMO, LAPTOP, CRW = (
    EXPERIMENTS / "demo.yaml",
    EXPERIMENTS / "variants" / "laptop.yaml",
    EXPERIMENTS / "heads" / "crw.yaml",
)
PROTOCOLS = sorted(EXPERIMENTS.glob("*.yaml"))
METHODS = sorted((EXPERIMENTS / "methods").glob("*.yaml"))
# Another class of model, loss, optimizer, schedule, sampler and data than that of the protocol below them.
PAIRS = {
    "marrakchi_isic": "methods/ce.yaml",
    "zeng_skin7": "methods/ldam_crw.yaml",
    "galdran_eyepacs": "data/xray9.yaml",
}


def planned(*args):
    first = parsed("fit", *args)
    return [{line.name: line for line in stage.lines} for stage in plan(_parser("fit"), first, args, args)]


def leaves(content, name=""):
    """Every setting of a YAML file by its short name, read without the code that makes the plan."""
    if isinstance(content, dict) and name != "data.class_groups":
        for key, value in content.items():
            below = f"{name}.{key}".lstrip(".")
            yield from leaves(value, name if key in ("class_path", "init_args") else below)
    else:
        yield name, content


def of_file(file, then=False):
    content = yaml.safe_load(Path(file).read_text())
    if then and "then" in content:  # a file of `heads` is a stage by itself
        content = content["then"]
    elif not then:
        content = {key: value for key, value in content.items() if key != "then"}
    return dict(leaves(content))


def in_config(config, name):
    """The value that the parser has at a short name; of an object, its class."""
    node = config
    for part in name.split("."):
        node = node.init_args[part] if "init_args" in node and "class_path" in node else node[part]
    return node.class_path if hasattr(node, "class_path") else node


def as_said(value):
    """What a file says, as `value_text` shows it; of a class, its name."""
    if isinstance(value, str) and value.rpartition(".")[2][:1].isupper() and "/" not in value:
        return value.rpartition(".")[2]
    return value_text(value)


def check(lines, config, files, then=False):
    """What is shown is the value of the run and that of the file; no setting of a file is left out."""
    said = {str(file): of_file(file, then) for file in files}
    for name, line in lines.items():
        if name == "then" or line.value is None:
            continue
        value = in_config(config, name)
        if "[" not in line.value:
            assert line.value == as_said(value), name
        if line.source in said:
            told = said[line.source][name]
            assert as_said(told) == line.value or float(told) == float(line.value), (name, line)
    for file, settings in said.items():
        for name in settings:
            line = lines.get(name.rstrip("+"))
            with_it = [lines[owner] for owner in lines if name.startswith(f"{owner}.")]
            told = [line, *with_it] if line else with_it
            sources = {each.source for each in told} | {lost.source for each in told for lost in each.lost}
            known = any(file in source for source in sources)
            assert known or as_said(settings[name]) == as_said(in_config(config, name)), (file, name)


def check_stages(protocol, *overlays):
    files = [protocol, *overlays]
    args = with_configs(*files)
    one, *two = planned(*args)
    first = parsed("fit", *args)
    check(one, first, files)
    named = [yaml.safe_load(file.read_text()).get("then", "") for file in files]
    thens = [
        (file.parent / then).resolve() if isinstance(then, str) else file
        for file, then in zip(files, named, strict=True)
        if then
    ]
    for lines in two:
        check({name: line for name, line in lines.items()}, second(first), thens, then=True)
    assert bool(two) == (first.then is not None)


@pytest.mark.parametrize(("protocol", "overlay"), PAIRS.items())
def test_every_value_is_that_of_the_run_and_of_its_file(protocol, overlay):
    check_stages(EXPERIMENTS / f"{protocol}.yaml", EXPERIMENTS / overlay, LAPTOP)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda file: file.stem)
def test_every_value_of_methods_over_every_protocol(protocol):
    for method in METHODS[PROTOCOLS.index(protocol) % 4 :: 4]:  # so that each is over several protocols
        check_stages(protocol, method, LAPTOP)


def write(folder, name, **content):
    (folder / name).write_text(yaml.safe_dump(content))
    return folder / name


def test_what_a_setting_won_over_is_told_with_its_file(tmp_path):
    one, two = (write(tmp_path, f"{n}.yaml", trainer={"max_epochs": n}) for n in (3, 5))
    [lines, _] = planned(*with_configs(DEMO, one, two), "--trainer.max_epochs", "7")
    line = lines["trainer.max_epochs"]
    assert (line.value, line.source) == ("7", COMMAND_LINE)
    assert [(lost.value, lost.source) for lost in line.lost] == [("30", str(DEMO)), ("3", str(one)), ("5", str(two))]
    # In the order of the command line, as the parser lays them.
    [lines, _] = planned("--trainer.max_epochs", "7", *with_configs(DEMO))
    assert lines["trainer.max_epochs"].source == str(DEMO)
    assert [lost.source for lost in lines["trainer.max_epochs"].lost] == [COMMAND_LINE]


def test_a_setting_that_the_class_does_not_take_is_lost_with_the_reason(tmp_path):
    ce = EXPERIMENTS / "methods" / "ce.yaml"
    [lines] = planned(*with_configs(DEMO, ce))
    line = lines["model.temperature"]
    assert line.value is None and line.lost[0].source == str(DEMO)
    assert (line.lost[0].value, line.lost[0].why) == ("0.1", "Classifier has no temperature")
    # It is gone, also if a class that takes it is chosen again.
    [lines] = planned(*with_configs(DEMO, ce), "--model", "ECL")
    assert parsed("fit", *with_configs(DEMO, ce), "--model", "ECL").model.init_args.temperature == 0.01
    assert (lines["model.temperature"].value, lines["model.temperature"].source) == ("0.01", "default")


def test_a_class_that_is_not_found_by_its_name_loses_what_the_parser_has_dropped(monkeypatch):
    monkeypatch.setattr("lightning_imbal.cli.parts.plan.takes", lambda *names: True)
    line = planned(*with_configs(DEMO, EXPERIMENTS / "methods" / "ce.yaml"))[0]["model.temperature"]
    assert line.value is None and line.lost[0].why == "Classifier has no temperature"


def test_the_arguments_of_another_class_go_with_it():
    args = [*with_configs(DEMO), "--model.optimizer", "torch.optim.Adam"]
    line = planned(*args)[0]["model.optimizer"]
    assert (line.value, line.source) == ("Adam", COMMAND_LINE)
    assert [lost.value for lost in line.lost] == ["SGD(momentum=0.9)"], "Adam has the others too"
    assert planned(*args)[0]["model.optimizer.lr"].source == str(DEMO)


def test_the_second_stage_of_one_file_is_lost_to_that_of_another():
    crw = EXPERIMENTS / "methods" / "ce_crw.yaml"
    one, two = planned(*with_configs(DEMO, crw, LAPTOP))
    assert (one["then"].value, one["then"].source) == ("FrozenHead", str(CRW))
    assert [(lost.value, lost.source) for lost in one["then"].lost] == [("FrozenHead", str(DEMO))]
    epochs = two["trainer.max_epochs"]
    assert (epochs.value, epochs.source) == ("3", str(LAPTOP))
    assert [(lost.value, lost.source) for lost in epochs.lost] == [("10", str(DEMO)), ("10", str(CRW))]
    assert two["data.sampler"].source == str(CRW) and two["model.optimizer.lr"].lost[0].value == "0.5"


def test_what_only_the_lost_stage_set_is_as_in_the_first_stage():
    protocol = EXPERIMENTS / "marrakchi_isic.yaml"
    [_, two] = planned(*with_configs(protocol, EXPERIMENTS / "methods" / "ce_crw.yaml"))
    line = two["data.batch_size"]
    assert (line.value, line.source) == ("192", "stage 1")
    assert [(lost.value, lost.why) for lost in line.lost] == [("512", "crw.yaml has another second stage")]


def test_no_second_stage_is_told_and_what_was_for_it(tmp_path):
    ce = EXPERIMENTS / "methods" / "ce.yaml"
    args = [*with_configs(DEMO, LAPTOP, ce), "--then.data.batch_size", "8"]
    [lines] = planned(*args)
    assert lines["then"].value == "null" and lines["then"].lost[0].source == str(DEMO)
    assert list(unused(parsed("fit", *args), args)) == [
        "then.model.optimizer, then.trainer.max_epochs of laptop.yaml are for a second stage, and this run has none.",
        "--then.data.batch_size is for a second stage, and this run has none.",
    ]


def test_objects_are_added_to_a_list_and_get_their_arguments(tmp_path):
    ema = EXPERIMENTS / "variants" / "ema.yaml"
    args = [*with_configs(DEMO, ema), "--trainer.callbacks+=EarlyStopping", "--trainer.callbacks.monitor", "val/f1"]
    one, two = planned(*args)
    line = one["trainer.callbacks"]
    assert line.value == "[EMAWeightAveraging(decay=0.999), EarlyStopping(monitor=val/f1)]"
    assert line.source == f"{ema}, {COMMAND_LINE}" and "trainer.callbacks" not in two


def test_what_only_the_first_stage_has_is_told_of_the_second():
    args = [*with_configs(DEMO, EXPERIMENTS / "methods" / "balanced_mixup.yaml"), "--then", str(CRW)]
    assert (planned(*args)[1]["data.paired_sampler"].value) == "null"
    assert (planned(*args)[1]["data.paired_sampler"].source) == "fit itself"


def test_a_part_of_a_configuration_may_be_a_file(tmp_path):
    part = tmp_path / "part.yaml"
    part.write_text("{class_path: DigitsLT, init_args: {ratio: 7}}")
    whole = write(tmp_path, "whole.yaml", data="part.yaml")
    line = planned(*with_configs(DEMO, whole))[0]["data.ratio"]
    assert (line.value, line.source, line.lost[0].source) == ("7.0", str(part), str(DEMO))


def test_fit_prints_it_and_nothing_else_happens(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["fit", "--config", str(DEMO), "-c", str(LAPTOP), "--print_plan", "--model.temperature", "0.2"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("Plan of runs/demo-laptop") and max(map(len, told)) <= 80
    assert any(line.split() == ["model.temperature", "0.2", "command", "line"] for line in told)
    assert any(line.split() == ["trainer.max_epochs", "3", "laptop.yaml"] for line in told)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_key_gets_its_sentence(capsys, tmp_path):
    bad = write(tmp_path, "bad.yaml", model={"init_args": {"temprature": 3}})
    assert main(["fit", "--config", str(DEMO), "--config", str(bad), "--print_plan"]) == 2
    assert "'model.temprature': did you mean model.temperature?" in capsys.readouterr().err


def test_what_is_found_out_about_own_images_is_no_word_of_the_user(tmp_path, monkeypatch, capsys):
    root = layouts.csv_data(tmp_path)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    args = ["--data.root", str(root), "--data.labels", "labels.csv", "--trainer.max_epochs", "7"]
    assert (
        main(["fit", "-c", "experiments/own_csv.yaml", *args, "--model.backbone", "test_resnet", "--print_plan"]) == 0
    )
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["trainer.max_epochs", "7", "command", "line"] in told
    assert ["data.batch_size", "16", "fit", "itself"] in told and ["instead", "of", "300", "fit", "itself"] in told


def test_a_table_prints_the_plan_of_a_run(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    table = ["table", "zeng_table2.yaml", "--only", "Skin7", "-c", "variants/laptop.yaml", "--print_plan"]
    assert main([*table, "CE -> cRW", "--trainer.max_epochs", "2"]) == 0
    told = capsys.readouterr().out
    lines = [line.split() for line in told.splitlines()]
    assert told.startswith("CE -> cRW, Skin7") and "model.metric " in told and told.count("Stage 1: ") == 2
    assert ["trainer.max_epochs", "2", "command", "line"] in lines and [
        "seed_everything",
        "0",
        "zeng_table2.yaml",
    ] in lines
    assert main([*table, "CE -> cR"]) == 2
    assert "There is no run 'CE -> cR': did you mean CE -> cRW?" in capsys.readouterr().err
