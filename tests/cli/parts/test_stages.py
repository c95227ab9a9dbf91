"""Which setting wins when the `then` of several configurations are laid over each other."""

import pytest
import yaml
from parsing import EXPERIMENTS, merged, parsed, second, with_configs

HEAD = {"class_path": "FrozenHead", "init_args": {"init": "keep", "loss": {"class_path": "Focal"}}}


@pytest.fixture
def write(tmp_path):
    def written(name, **then):
        (tmp_path / name).write_text(yaml.safe_dump({"then": then}))
        return tmp_path / name

    return written


def test_the_later_file_wins_and_the_rest_stays(write):
    first = write("first.yaml", model=HEAD, trainer={"max_epochs": 5, "precision": 16})
    later = write("later.yaml", model={"init_args": {"init": "new"}}, trainer={"max_epochs": 3})
    then = merged(EXPERIMENTS / "demo.yaml", first, later).then
    assert then["trainer"] == {"max_epochs": 3, "precision": 16}
    assert then["model"] == {"class_path": "FrozenHead", "init_args": HEAD["init_args"] | {"init": "new"}}


def test_another_class_begins_anew(write):
    loss = {"class_path": "CrossEntropy", "init_args": {"weight": "inverse"}}
    first = write("first.yaml", model=HEAD | {"init_args": {"loss": loss}})
    later = write("later.yaml", model={"init_args": {"loss": {"class_path": "Focal"}}})
    assert merged(EXPERIMENTS / "demo.yaml", first, later).then["model"]["init_args"]["loss"] == {"class_path": "Focal"}


def test_a_file_on_the_command_line_wins_over_all_others(write):
    first = write("first.yaml", model=HEAD)
    then = merged(EXPERIMENTS / "demo.yaml", first, then=EXPERIMENTS / "heads" / "ncm.yaml").then
    assert then == yaml.safe_load((EXPERIMENTS / "heads" / "ncm.yaml").read_text())


def test_init_args_may_be_left_out_as_in_the_first_stage():
    demo = with_configs(EXPERIMENTS / "demo.yaml")
    short = ["--then.model.optimizer.lr", "1e-3", "--then.model.head", "NormedLinear", "--then.data.batch_size", "8"]
    whole = ["--then.model.init_args.optimizer.init_args.lr", "1e-3", "--then.model.init_args.head", "NormedLinear"]
    one, two = (
        second(parsed("fit", *demo, *short)),
        second(parsed("fit", *demo, *whole, "--then.data.init_args.batch_size", "8")),
    )
    assert (one.model, one.data) == (two.model, two.data) and one.data.init_args.batch_size == 8


def test_every_option_of_the_command_line_counts():
    options = [
        "--then.trainer.max_epochs",
        "2",
        "--then.trainer.limit_train_batches=4",
        "--then.data.init_args.views=1",
    ]
    options += ["--then.model.init_args.optimizer.init_args.lr", "1e-3", "--then.data.init_args.batch_size", "8"]
    later = second(parsed("fit", *with_configs(EXPERIMENTS / "demo.yaml"), *options))
    assert (later.trainer.max_epochs, later.trainer.limit_train_batches) == (2, 4)
    assert (later.data.init_args.views, later.data.init_args.batch_size) == (1, 8)
    optimizer = later.model.init_args.optimizer
    assert optimizer.class_path.endswith("SGD") and optimizer.init_args.lr == 0.001
