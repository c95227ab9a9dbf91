"""Of several values of an option, the last one counts; settings that sentences name are written as options."""

import pytest

from lightning_imbal.command_line import all_given, as_options, given, last_setting


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


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("set data.views=2, or more.", "set --data.views 2, or more."),
        ("give one (data.split.val=0.1).", "give one (--data.split.val 0.1)."),
        ("a file with model.pretrained=a/b.safetensors.", "a file with --model.pretrained a/b.safetensors."),
        ("data.split=Holdout(test=0.2, val=0).", "--data.split Holdout --data.split.test 0.2 --data.split.val 0."),
        ("There is no file /a/data.root=3, nor my-model.x=1.", "There is no file /a/data.root=3, nor my-model.x=1."),
        ("The data.csv of metadata.views=2 stays.", "The data.csv of metadata.views=2 stays."),
    ],
)  # fmt: skip
def test_settings_in_a_sentence_become_options(sentence, shown):
    assert as_options(sentence) == shown
