"""What is read from docstrings is what the classes are."""

import ast
import inspect

import pytest

from lightning_imbal import losses, samplers
from lightning_imbal.guide.classes import Argument, find_class, public_classes, read

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
        other: Not in the constructor.

    Raises:
        ValueError: Never.
    """

    def __init__(self, counts, gamma=2 / 7):
        pass
'''


def test_a_docstring_is_taken_apart():
    found = read(ast.parse(SOURCE).body[0])
    assert (found.name, found.about, found.text) == ("Loss", "A loss.", "A paper, Eq. 1.")
    assert found.equation == "L = a\n  + `Other`(b)" and found.mentioned == ["Other"]
    assert found.limits == "Not for images."
    assert found.arguments == (
        Argument("counts", None, ""),
        Argument("gamma", "2 / 7", "How much, as a number."),
        Argument("other", None, "Not in the constructor."),
    )


@pytest.mark.parametrize("room, module", [("losses", losses), ("samplers", samplers)])
def test_defaults_are_those_of_the_classes(room, module):
    compared = 0
    for known in public_classes(room):
        parameters = inspect.signature(getattr(module, known.name)).parameters
        for argument in known.arguments:
            if argument.default is not None:
                assert eval(argument.default) == parameters[argument.name].default
                compared += 1
    assert compared > 10


def test_classes_are_found_by_any_of_their_names():
    assert find_class("ECL") == find_class("lightning_imbal.modules.ECL")
    assert find_class("ECL").about.startswith("Classifier and contrastive branch on one backbone")
    assert find_class("torch.nn.Linear") is None and find_class("Nothing") is None


def test_every_public_loss_that_is_a_method_has_an_equation():
    helpers = {"Projection", "MetricTerm", "ClassificationLoss", "UnweightedLoss", "CenterLoss", "TripletLoss"}
    assert not [each.name for each in public_classes("losses") if not each.equation and each.name not in helpers]
