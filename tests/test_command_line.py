"""Of several values of an option, the last one counts."""

from lightning_imbal.command_line import all_given, given, last_setting


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
