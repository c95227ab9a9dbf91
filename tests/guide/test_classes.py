"""What is read from docstrings is what the classes are."""

import ast
import inspect

import pytest
import yaml

from lightning_imbal import losses, samplers
from lightning_imbal.guide.classes import documented, find_class, public_classes
from lightning_imbal.guide.source import Source

SOURCE = '''
class Loss(Base):
    """A loss.

    A paper, Eq. 1.

    Equation:
        L = a
          + `Other`(b)

    Limits:
        Not for
        images.

    Args:
        gamma: How much,
            as a number.

    Raises:
        ValueError: Never.
    """

    def __init__(self, counts, gamma=2 / 7):
        pass
'''


def test_a_docstring_is_taken_apart():
    found = documented(Source("losses", ast.parse(SOURCE).body[0]))
    assert (found.name, found.about, found.text) == ("Loss", "A loss.", "A paper, Eq. 1.")
    assert found.equation == "L = a\n  + `Other`(b)" and found.mentioned == ["Other"]
    assert found.limits == "Not for images."
    told = [(each.name, each.default, each.about) for each in found.arguments]
    assert told == [("counts", None, ""), ("gamma", "0.2857", "How much, as a number.")]


@pytest.mark.parametrize("room, module", [("losses", losses), ("samplers", samplers)])
def test_defaults_are_those_of_the_classes(room, module):
    compared = 0
    for known in public_classes(room):
        parameters = inspect.signature(getattr(module, known.name)).parameters
        for argument in known.arguments:
            if argument.default is not None:
                real = parameters[argument.name].default
                assert yaml.safe_load(argument.default) == real or argument.default == f"{real:.4g}"
                compared += 1
    assert compared > 10


def test_classes_are_found_by_any_of_their_names():
    assert find_class("ECL") == find_class("lightning_imbal.modules.ECL")
    assert find_class("ECL").about.startswith("Classifier and contrastive branch on one backbone")
    assert find_class("torch.nn.Linear") is None and find_class("Nothing") is None


def test_every_public_loss_that_is_a_method_has_an_equation():
    helpers = {"Projection", "MetricTerm", "ClassificationLoss", "UnweightedLoss", "CenterLoss", "TripletLoss"}
    assert not [each.name for each in public_classes("losses") if not each.equation and each.name not in helpers]
