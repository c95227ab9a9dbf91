"""The plan of a run in the terminal: 80 columns hold it, and every value has its place and its file."""

from rich.console import Console

from lightning_imbal.report.plan import Line, Lost, StagePlan, print_plan

ONE, OTHER = "experiments/methods/ce.yaml", "experiments/variants/laptop.yaml"


def printed(*lines, unused=(), width=80):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_plan("Plan", [StagePlan("Stage 1: Classifier", lines, "3 other settings as by default")], unused, console)
    return [line.split() for line in console.export_text().splitlines() if line.strip()]


def test_a_value_its_file_and_below_it_what_it_won_over():
    told = printed(Line("trainer.max_epochs", "8", OTHER, (Lost("30", ONE),)), unused=["then.x is of none."])
    place = told.index(["trainer.max_epochs", "8", "laptop.yaml"])
    assert told[place + 1] == ["instead", "of", "30", "ce.yaml"]
    assert ["Stage", "1:", "3", "other", "settings", "as", "by", "default."] in told
    assert ["then.x", "is", "of", "none."] in told and told[-1][:5] == ["1", "value", "that", "was", "given"]


def test_what_nothing_takes_stands_alone_with_the_reason():
    told = printed(Line("model.metric", None, "default", (Lost("CenterTerm", ONE, "Classifier has no metric"),)))
    place = told.index(["model.metric", "CenterTerm", "ce.yaml"])
    assert told[place + 1] == ["lost", "Classifier", "has", "no", "metric"]


def test_files_of_one_name_are_told_apart():
    told = printed(Line("monitor", "val/f1", "a/x.yaml"), Line("run_dir", "r", "b/x.yaml, c.yaml"))
    assert ["monitor", "val/f1", "a/x.yaml"] in told and ["run_dir", "r", "b/x.yaml,", "c.yaml"] in told


def test_long_values_are_folded_and_not_cut():
    value = "[" + ", ".join(f"class{number}" for number in range(30)) + "]"
    told = printed(Line("data.train_transform.jitter_probability", value, "a.yaml"))
    assert all(len(" ".join(line)) <= 80 for line in told)
    first = next(number for number, line in enumerate(told) if line[-1] == "a.yaml")
    shown = "".join([*told[first][1:-1], *(part for line in told[first + 1 :] for part in line)])
    assert shown.startswith(value.replace(" ", ""))
