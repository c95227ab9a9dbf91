"""Of several values of an option, the last one counts; settings that sentences name are written as options."""

import pytest

from lightning_imbal.command_line import Setting, all_given, as_options, given, given_below, last_setting, settings_on
from lightning_imbal.errors import UserError


def test_the_last_value_of_an_option():
    line = ["test", "--run_dir", "a", "--config", "c.yaml", "--run_dir", "b"]
    assert given("run_dir", line) == "b" and all_given("run_dir", line) == ["a", "b"]
    assert given("run_dir", ["--run_dir=a", "--run_dir=b=c"]) == "b=c"
    assert given("ckpt_path", line) is None


def test_the_last_of_files_and_options(tmp_path):
    for name, epochs in {"first": 5, "later": 7, "none": None}.items():
        (tmp_path / f"{name}.yaml").write_text("{}" if epochs is None else f"trainer: {{max_epochs: {epochs}}}")
    first, later, none = (["--config", str(tmp_path / f"{name}.yaml")] for name in ("first", "later", "none"))
    option = ["--trainer.max_epochs", "9"]
    for line, epochs in (([*first, *later], 7), ([*later, *first, *none], 5), ([*first, *option], "9"), (none, None)):
        assert last_setting(line, "trainer", "max_epochs") == epochs
    assert last_setting([*option, *first], "trainer", "max_epochs") == 5


def test_a_setting_is_found_however_it_is_written(tmp_path):
    texts = {
        "long": "data: {class_path: A, init_args: {root: x}}",
        "short": "data: {root: x}",
        "dotted": "data.init_args.root: x",
        "slot": "data: part.yml",
    }
    (tmp_path / "part.yml").write_text("class_path: A\ninit_args: {root: x}\n")
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
        assert last_setting([f"--config={tmp_path / name}.yaml"], "data", "init_args", "root") == "x", name
    for option in ("--data.init_args.root=x", "--data={init_args: {root: x}}", f"--data={tmp_path / 'part.yml'}"):
        assert last_setting([option], "data", "root") == "x", option
    assert last_setting(["--data={init_args: {"], "data", "root") is None, "the parser says what is wrong"
    long = [f"--config={tmp_path / 'long'}.yaml", "--data.class_path", "B"]
    assert last_setting(long[:1], "data", "class_path") == "A" and last_setting(long, "data") == "B"


def test_what_is_no_object_is_a_value(tmp_path):
    (tmp_path / "a.yaml").write_text("data: {init_args: {class_groups: {major: [nevus]}, split: {val: 0.1}}}")
    found = settings_on([f"--config={tmp_path / 'a'}.yaml"], lambda name: name == "data.split")
    assert list(found) == [
        Setting("data.class_groups", {"major": ["nevus"]}, str(tmp_path / "a.yaml")),
        Setting("data.split.val", 0.1, str(tmp_path / "a.yaml")),
    ]


def test_nothing_is_below_a_name_on_an_empty_line():
    assert given_below("then", []) == []
    assert given_below("then", ["--then.a", "1", "--then.b=2"]) == [("a", "1"), ("b", "2")]


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("set data.views=2, or more.", "set --data.views 2, or more."),
        ("give one (data.split.val=0.1).", "give one (--data.split.val 0.1)."),
        ("a file with model.pretrained=a/b.safetensors.", "a file with --model.pretrained a/b.safetensors."),
        ("data.split=Holdout(test=0.2, val=0).", "--data.split Holdout --data.split.test 0.2 --data.split.val 0."),
        ("There is no file /a/data.root=3, nor my-model.x=1.", "There is no file /a/data.root=3, nor my-model.x=1."),
        ("--search data.image_size=2:1: no range.", "--search data.image_size=2:1: no range."),
        ("The data.csv of metadata.views=2 stays.", "The data.csv of metadata.views=2 stays."),
    ],
)  # fmt: skip
def test_settings_in_a_sentence_become_options(sentence, shown):
    assert as_options(sentence) == shown


def test_what_no_signature_names_is_marked(tmp_path):
    (tmp_path / "a.yaml").write_text("model: {class_path: A, init_args: {b: 1}, dict_kwargs: {c: {d: 2}}}")
    found = {each.name: each.is_extra for each in settings_on([f"--config={tmp_path / 'a'}.yaml"])}
    assert found == {"model": False, "model.b": False, "model.c.d": True}
    assert [each.is_extra for each in settings_on(["--model.dict_kwargs.c=1", "--model.c=1"])] == [True, False]


def test_a_file_that_is_no_yaml_or_no_mapping(tmp_path):
    (tmp_path / "a.yaml").write_text("data: {root: a, root: b}")
    (tmp_path / "b.yaml").write_text("1: 2\nclass_path: A\ndata: {init_args: 3}")
    with pytest.raises(UserError, match="a.yaml has the key 'root' twice, in lines 1 and 1: keep one"):
        last_setting([f"--config={tmp_path / 'a'}.yaml"], "data", "root")
    assert [each.name for each in settings_on([f"--config={tmp_path / 'b'}.yaml"])] == ["1", "class_path"]
