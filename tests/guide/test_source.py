"""Classes that are read are as those that are imported: names, defaults and what the docstrings say."""

import importlib

import pytest
import yaml
from jsonargparse import ArgumentParser
from lightning.pytorch import Trainer

from lightning_imbal.cli.parts.help_kinds import KINDS, classes_of, settable
from lightning_imbal.cli.parts.parser import FACTS, ImbalCLI
from lightning_imbal.factories.build import GIVEN
from lightning_imbal.guide.source import read, resolve

OURS = {
    source: (name, kind)
    for kind in KINDS.values()
    for name, source in classes_of(kind).items()
    if source.module.startswith("lightning_imbal.")
}
OF_OTHERS = (
    *("torch.optim.SGD", "torch.optim.AdamW", "torch.optim.lr_scheduler.CosineAnnealingLR", "torch.nn.Linear"),
    *("lightning.pytorch.callbacks.EarlyStopping", "lightning.pytorch.loggers.CSVLogger"),
)
OWN = '''
"""Classes of a user."""
import lightning_imbal.losses as imbalanced
from lightning_imbal.losses import LDAM
from lightning_imbal.modules import Classifier
NAMES = ["a", "b"]
if True:
    from elsewhere import Base

class Ours(Classifier):
    """Ours: something new.

    Args:
        strength: How much
            of it. Then more.
    """
    def __init__(self, strength: float = 0.5, names: list[str] = NAMES, *, word="", **kwargs):
        super().__init__(**kwargs)

class Narrow(LDAM):
    pass

class Dotted(imbalanced.LDAM): ...

class Fixed(Classifier):
    def __init__(self, **kwargs):
        super().__init__(None, head=NAMES, **kwargs)

class Unknown(Base):
    def __init__(self, one=1, **kwargs):
        super().__init__(**kwargs)

class Further(Unknown):
    def __init__(self, two=2, **kwargs):
        super().__init__(**kwargs)
'''


def imported(source):
    return getattr(importlib.import_module(source.module), source.name)


def as_parsed(cls, skip):
    """Names and defaults of the arguments that the parser would offer."""
    parser = ArgumentParser(exit_on_error=False)
    added = parser.add_class_arguments(cls, "it", fail_untyped=False, skip=skip)
    defaults = parser.get_defaults().get("it") or {}
    return {name.removeprefix("it."): defaults.get(name.removeprefix("it.")) for name in added if "." in name}


def skipped(kind):
    """What the parser does not offer for a kind."""
    return {*FACTS} if kind is KINDS["model"] else set() if kind is KINDS["data"] else {*GIVEN}


def said(value):
    """A default as it is compared: texts as YAML reads them, tuples as lists, fractions with four digits."""
    value = yaml.safe_load(value) if isinstance(value, str) else value
    return float(f"{value:.4g}") if isinstance(value, float) else [*value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("source", OURS, ids=lambda source: source.name)
def test_arguments_of_our_classes_are_those_of_the_parser(source):
    name, kind = OURS[source]
    real = as_parsed(imported(source), skipped(kind))
    found = {each.name: each for each in settable(source, kind)}
    assert found.keys() == real.keys() - ({"size"} if kind is KINDS["train_transform"] else set())
    for each in found.values():
        if isinstance(real[each.name], bool | int | float | str | list | tuple):
            assert each.default.strip('"') == str(real[each.name]) or said(each.default) == said(real[each.name])
    assert source.about == imported(source).__doc__.partition("\n")[0]


@pytest.mark.parametrize("path", OF_OTHERS)
def test_arguments_of_classes_of_others(path):
    source = read(path)
    real = as_parsed(imported(source), set())
    assert source.is_whole and {each.name for each in source.parameters()} == real.keys()


def test_arguments_of_the_trainer_are_those_of_the_parser():
    skip = {"trainer." + each.name for each in read("lightning.pytorch.trainer.trainer.Trainer").parameters()}
    of_parser = {name for name in ImbalCLI("fit").parser.get_defaults().keys(branches=True) if name[:8] == "trainer."}
    assert skip == of_parser and imported(read("lightning.pytorch.trainer.trainer.Trainer")) is Trainer


def test_a_class_of_the_user_is_read_from_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "classes_of_a_user.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    ours = read("classes_of_a_user.Ours")
    found = {each.name: each for each in ours.parameters()}
    assert ours.is_whole and ours.about == "Ours: something new."
    assert (found["strength"].default, found["strength"].about) == ("0.5", "How much of it. Then more.")
    assert (found["names"].default, found["word"].default, found["backbone"].default) == ("[a, b]", '""', "resnet50")
    assert found["loss"].chosen == read("lightning_imbal.losses.CrossEntropy")
    assert [each.name for each in read("classes_of_a_user.Narrow").parameters()][1:] == ["max_margin", "scale"]
    assert read("classes_of_a_user.Dotted").is_below({read("lightning_imbal.losses.ImbalancedLoss")})
    assert not read("classes_of_a_user.Unknown").is_whole and not read("classes_of_a_user.Further").is_whole
    fixed = {each.name for each in read("classes_of_a_user.Fixed").parameters()}
    assert not fixed & {"mixer", "head"} and "loss" in fixed
    assert read("classes_of_a_user.Nothing") is None and read("no_such_module.X") is None and read("X") is None
    assert resolve("classes_of_a_user", "NAMES") is None
