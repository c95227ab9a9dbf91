"""Which setting wins when the `then` of several configurations are laid over each other."""

import pytest
import yaml
from parsing import EXPERIMENTS, merged, parsed, second, with_configs

DEMO, LAPTOP = EXPERIMENTS / "demo.yaml", EXPERIMENTS / "variants" / "laptop.yaml"
METHODS = sorted((EXPERIMENTS / "methods").glob("*.yaml"))
PROTOCOLS = sorted(EXPERIMENTS.glob("*.yaml"))
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


def told(*configs):
    """What is run, whatever the order and the names of the files."""
    config = parsed("fit", *with_configs(*configs)).clone()
    config.pop("config")
    return config.as_dict()


@pytest.mark.parametrize(
    ("protocol", "method"),
    [
        *(("zeng_skin7", "ce_crw"), ("marrakchi_isic", "ce_ncm"), ("chen_skin7", "ecl")),
        pytest.param("zhang_isic2018", "supcon", marks=pytest.mark.slow),
    ],
)
def test_laptop_and_method_give_the_same_run_in_either_order(protocol, method):
    protocol, method = EXPERIMENTS / f"{protocol}.yaml", EXPERIMENTS / "methods" / f"{method}.yaml"
    run = told(protocol, LAPTOP, method)
    assert run == told(protocol, method, LAPTOP)
    assert run["then"] is None or run["then"]["trainer"]["max_epochs"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda file: file.stem)
def test_laptop_and_every_method_give_the_same_run_over_every_protocol(protocol):
    for method in METHODS:
        assert told(protocol, LAPTOP, method) == told(protocol, method, LAPTOP), method.stem


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["zeng_skin7", "marrakchi_isic", "galdran_eyepacs"])
def test_a_method_and_other_data_or_another_network_give_the_same_run_in_either_order(protocol):
    overlays = [*sorted((EXPERIMENTS / "backbones").glob("*.yaml"))[:2], *(EXPERIMENTS / "data").glob("[hmx]*.yaml")]
    overlays += [EXPERIMENTS / "variants" / f"{name}.yaml" for name in ("128px", "ema", "swa", "galdran_released")]
    protocol = EXPERIMENTS / f"{protocol}.yaml"
    for method in METHODS[::3]:
        for overlay in overlays:
            assert told(protocol, overlay, method) == told(protocol, method, overlay), (method.stem, overlay.stem)


def test_adjustments_are_of_the_second_stage_whichever_file_names_it(write):
    short, long = write("short.yaml", trainer={"max_epochs": 3}), write("long.yaml", trainer={"max_epochs": 9})
    stage = write("stage.yaml", model=HEAD, trainer={"max_epochs": 5, "precision": 16})
    for files in ([short, DEMO, stage], [DEMO, short, stage], [DEMO, stage, short]):
        assert merged(*files).then == {"model": HEAD, "trainer": {"max_epochs": 3, "precision": 16}}
    assert merged(DEMO, short, stage, long).then["trainer"]["max_epochs"] == 9, "among each other in their order"
    assert merged(DEMO, long, stage, short).then["trainer"]["max_epochs"] == 3


def test_the_last_of_several_stages_is_taken_whole(write):
    first = write("first.yaml", model=HEAD, trainer={"max_epochs": 5, "precision": 16})
    later = write("later.yaml", model={"class_path": "FrozenHead"}, trainer={"max_epochs": 2})
    assert merged(DEMO, first, later).then == {"model": {"class_path": "FrozenHead"}, "trainer": {"max_epochs": 2}}
    assert merged(DEMO, later, first).then["trainer"] == {"max_epochs": 5, "precision": 16}


def test_a_later_null_is_one_stage_and_adjustments_are_of_none(write):
    short, ce = write("short.yaml", trainer={"max_epochs": 3}), EXPERIMENTS / "methods" / "ce.yaml"
    assert merged(DEMO, short, ce).then is None and merged(DEMO, ce, short).then is None
    none = short.with_name("none.yaml")
    none.write_text("then: null\n")
    assert merged(none, DEMO, short).then["trainer"]["max_epochs"] == 3, "an earlier one is not"
    assert merged(DEMO, short, then="null").then is None


def test_a_head_of_the_command_line_is_adjusted_as_that_of_a_method():
    crw, ce = EXPERIMENTS / "heads" / "crw.yaml", EXPERIMENTS / "methods" / "ce.yaml"
    with_head = parsed("fit", *with_configs(DEMO, LAPTOP, ce), "--then", str(crw)).then
    assert with_head == merged(DEMO, EXPERIMENTS / "methods" / "ce_crw.yaml", LAPTOP).then


def test_what_is_typed_lies_over_all_files(write):
    short, stage = write("short.yaml", trainer={"max_epochs": 3, "precision": 16}), write("stage.yaml", model=HEAD)
    typed = "{model: {class_path: FrozenHead}, trainer: {max_epochs: 7}}"
    then = merged(DEMO, stage, short, then=typed).then
    assert then == {"model": {"class_path": "FrozenHead"}, "trainer": {"max_epochs": 7, "precision": 16}}
    args = ["--then.trainer.max_epochs", "4", "--then", "{trainer: {max_epochs: 7, accelerator: cpu}}"]
    then = parsed("fit", *args, *with_configs(DEMO, short)).then
    assert then["trainer"] == {"max_epochs": 4, "precision": 16, "accelerator": "cpu"}


def test_a_class_that_was_typed_keeps_the_arguments_typed_for_it():
    args = ["--then.model.head", "NormedLinear", "--then.model.head.scale", "3"]
    head = second(parsed("fit", *with_configs(DEMO), *args)).model.init_args.head
    assert head.class_path.endswith("NormedLinear") and head.init_args.scale == 3


def test_a_stage_may_name_its_model_alone(write):
    stage, ce = write("stage.yaml", model="FrozenHead", trainer={"max_epochs": 2}), EXPERIMENTS / "methods" / "ce.yaml"
    assert merged(DEMO, ce, stage).then == {"model": {"class_path": "FrozenHead"}, "trainer": {"max_epochs": 2}}
    args = ["--then.model", "FrozenHead", "--then.model.init", "new", "--then.trainer.max_epochs", "2"]
    later = second(parsed("fit", *with_configs(DEMO, ce), *args))
    assert later.model.class_path.endswith("FrozenHead") and later.model.init_args.init == "new"
    stage.write_text("model: FrozenHead\n")
    assert merged(DEMO, ce, then=stage).then == {"model": {"class_path": "FrozenHead"}}
