"""A setting that is null though it cannot be is one sentence, and all others stay as they are."""

from __future__ import annotations

import pytest
from jsonargparse import Namespace
from parsing import EXPERIMENTS, merged
from small_runs import refused

from lightning_imbal.cli.parts.nulls import refuse_null


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("data.batch_size", "for its default, 32"),
        ("data.image_size", "for its default, "),
        ("model.temperature", "for its default, "),
        ("data.ratio", "for its default, 20.0"),  # of the data set's own
    ],
)
def test_an_empty_value_is_refused(option, said, capsys, tmp_path):
    message = refused(capsys, "fit", "--config", "experiments/demo.yaml", f"--{option}", "null")
    assert f"{option} is null (an empty value in a file is), which it cannot be: leave it out {said}" in message


@pytest.mark.parametrize("name", ["demo", "own_folder", "zhang_isic2018", "galdran_eyepacs"])
def test_what_may_be_null_is_read(name):
    config = merged(EXPERIMENTS / f"{name}.yaml")
    assert None in vars(config.data.init_args).values() and None in vars(config.model.init_args).values()


class Outer:
    class Inside:
        def __init__(self, number: int | None = 3, others=4, certain: int = 5):
            pass


def test_annotations_that_are_text_are_not_judged():
    name = f"{Outer.__module__}.Outer.Inside"
    given = Namespace(number=None, others=None, certain=None)
    refuse_null(Namespace(model=Namespace(class_path=name, init_args=given)), frozenset())
