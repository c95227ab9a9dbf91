"""The examples in docstrings of what people call themselves run, and print what they say."""

import doctest
from importlib import import_module

import pytest

WITH_EXAMPLES = (
    *("losses.cross_entropy", "losses.ldam", "losses.weights", "samplers.class_power"),
    *("schedulers.cosine", "schedulers.parabolic_decay", "schedulers.steps"),
    *("data.splits.holdout", "metrics.scores", "score_names", "trained.settings", "api.run"),
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_print_what_they_say(name):
    done = doctest.testmod(import_module(f"lightning_imbal.{name}"))
    assert done.attempted and not done.failed
