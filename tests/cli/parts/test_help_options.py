"""Names of options that are known early are those of the real parser, and mistyped ones get a suggestion."""

from pathlib import Path

import pytest
from parsing import EXPERIMENTS

from lightning_imbal.cli.parts.data_options import OF_TRAINING
from lightning_imbal.cli.parts.help_options import below, run_options
from lightning_imbal.cli.parts.help_settings import refuse_unknown, settings_on
from lightning_imbal.cli.parts.help_unknown import unknown
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.command_line import Setting
from lightning_imbal.errors import UserError

VERBS = ("fit", "validate", "test", "predict")


@pytest.mark.parametrize("verb", VERBS)
def test_options_are_those_of_the_parser(verb):
    parser = ImbalCLI(verb).parser  # one that has read nothing: reading adds an option of jsonargparse
    real = {option[2:] for action in parser._actions for option in action.option_strings if option.startswith("--")}
    of_shtab = {"print_shtab"}  # which jsonargparse has where that package is installed
    assert run_options(verb) == {name.rstrip("+") for name in real if "." not in name} - of_shtab
    assert run_options(verb) < run_options()


def test_a_configuration_of_fit_can_be_looked_at():
    further = {"config", "data", "help", "print_config", "print_plan", "allow_trained_images", "tuned"}
    assert {*OF_TRAINING} | further == run_options("fit")


FILES = sorted(
    file for file in EXPERIMENTS.rglob("*.yaml") if file.parent.name not in ("heads", "tables", "published", "results")
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_experiment_is_let_pass(file):
    settings = settings_on(["--config", str(file)])
    assert settings
    refuse_unknown(settings, "fit")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("optimzer.lr", "did you mean --model.optimizer.lr?"),
        ("model.optimzer", "did you mean --model.optimizer?"),
        ("trainer.max_epoch", "did you mean --trainer.max_epochs?"),
        ("Trainer.Max_Epochs", "did you mean --trainer.max_epochs?"),
        ("lr", "it is --model.optimizer.lr."),
        ("model.lr", "it is --model.optimizer.lr."),
        ("batch_size", "it is --data.batch_size."),
        ("max_epochs", "it is --trainer.max_epochs."),
        ("epochs", "did you mean --trainer.max_epochs?"),
        ("dat.root", "did you mean --data.root?"),
        ("modle", "did you mean --model?"),
        ("runs_dir", "did you mean --run_dir?"),
        ("seed", "did you mean --seed_everything?"),
        ("model.loss.gama", "did you mean --model.loss.gamma?"),
        ("then.trainer.max_epoch", "did you mean --then.trainer.max_epochs?"),
        ("images", "of this verb: `--help all` lists those that it has."),
        ("xyz", "`fit --help all` the rest."),
    ],
)
def test_what_is_meant_by_an_option(name, said):
    assert unknown(name).startswith(f"There is no option {name!r}") and unknown(name).endswith(said)


def test_options_of_the_verb_are_meant_too():
    assert unknown("metods", ["methods"]).endswith("did you mean --methods?")
    assert unknown("modle", dashes="").endswith("did you mean model?")


def write(name, text):
    Path(name).write_text(text)
    return ["--config", name]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modle: {class_path: ECL}", "mine.yaml: There is no option 'modle': did you mean model?"),
        ("model: {class_path: ECL, init_args: {temprature: 1}}", "'model.temprature': did you mean model.temperature?"),
        ("trainer: {max_epoch: 1}", "'trainer.max_epoch': did you mean trainer.max_epochs?"),
        ("then: {data: {init_args: {sampeler: X}}}", "'then.data.sampeler': did you mean then.data.sampler?"),
        ("then: second.yaml", "'then.model.intt': did you mean then.model.init?"),
        ("then: heads/crtt.yaml", "There is no file heads/crtt.yaml: did you mean heads/crt.yaml?"),
        ("model: part.yaml", "part.yaml: There is no option 'model.temprature': did you mean model.temperature?"),
        ("model.init_args.temprature: 1", "'model.temprature': did you mean model.temperature?"),
        ("modle: {init_args: {temperature: 1}}", "mine.yaml: There is no option 'modle': did you mean model?"),
        ("trainer: {max_epoch+: [1]}", "'trainer.max_epoch': did you mean trainer.max_epochs?"),
        ("model: bad.yaml", "line 1, column 2: [ ^."),
    ],
)
def test_keys_of_a_file_are_names_too(text, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("second.yaml", "model: {class_path: FrozenHead, init_args: {intt: new}}")
    write("part.yaml", "class_path: ECL\ninit_args: {temprature: 1}\n")
    write("bad.yaml", "[")
    with pytest.raises(UserError) as refusal:
        refuse_unknown(settings_on(write("mine.yaml", text)), "fit")
    assert str(refusal.value).endswith(said)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--model.class_path", "their.Model", "--model.depth", "3"],  # whose source is not there
        ["--model", "my_model.Ours", "--model.strength", "3", "--model.loss", "LDAM"],
        ["--model", "my_model.yaml", "--model.strength", "3"],
        ["--then.model", "my_model.Ours", "--then.model.strength", "3"],
        ["--then", "{model: {class_path: my_model.Ours, init_args: {strength: 1}}}"],
        ["--model", "{class_path: my_model.Ours, init_args: {strength: 1}}", "--model.dict_kwargs.any", "1"],
        ["--trainer.callbacks+", "EarlyStopping", "--trainer.callbacks.patience", "3", "--print_config"],
        ["--then", "heads/crt.yaml", "--then.model.init", "new", "--then", "null"],
        ["--model", "{class_path: ECL, dict_kwargs: {any: {class_path: X, init_args: {one: 1}}}}"],
    ],
)
def test_what_may_be_right_is_let_pass(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "from lightning_imbal.modules import Classifier\nclass Ours(Classifier):\n"
    text += "    def __init__(self, strength=1.0, **kwargs):\n        super().__init__(**kwargs)\n"
    Path("my_model.py").write_text(text)
    refuse_unknown(settings_on(arguments), "fit")


def test_a_text_that_is_no_yaml_is_told():
    for option in ("then", "model"):
        with pytest.raises(UserError, match=f"^--{option} is not valid YAML"):
            settings_on([f"--{option}", "{bad"])
    assert settings_on(["--data.root", "[a"]) == [Setting("data.root", "[a")]


def test_a_class_of_the_user_adds_its_names_and_no_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("net_of_a_user.py").write_text("from lightning_imbal.modules import ECL\nclass Net(ECL):\n    pass\n")
    text = "from elsewhere import Base\nclass Far(Base):\n    def __init__(self, one=1, **kwargs):\n        pass\n"
    Path("far_of_a_user.py").write_text(text)
    assert "temperature" in below("model", "net_of_a_user.Net") and below("model", "nothing.Here") is None
    assert below("model", "far_of_a_user.Far") is None, "its other arguments are not known"
    with pytest.raises(UserError, match="did you mean --model.temperature"):
        refuse_unknown([Setting("model", "net_of_a_user.Net"), Setting("model.temperatur", "1")], "fit")


def test_an_option_of_another_verb_is_none():
    with pytest.raises(UserError, match="no option 'images' of this verb"):
        refuse_unknown([Setting("images", "x")], "fit")
    refuse_unknown([Setting("images", "x")], "predict")
    refuse_unknown([Setting("ckpt_path", None, "config.yaml"), Setting("pool", None, "config.yaml")], "fit")
