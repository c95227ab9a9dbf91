"""What is refused before an evaluation, and between the stages of a run."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lightning_imbal.backbones import trial
from lightning_imbal.cli.parts.check import check_evaluation, check_fit
from lightning_imbal.cli.parts.parser import ImbalCLI
from lightning_imbal.data.checks import check_unseen
from lightning_imbal.errors import UserError


def of_classes(*names, images=3):
    data = SimpleNamespace(class_names=names, lock_test=False, rows=lambda part: np.arange(images))
    model = SimpleNamespace(class_names=list(names), classifies=True, check_inference=lambda data: None)
    return SimpleNamespace(data=data, model=model)


def test_the_same_classes_in_another_order_are_other_classes():
    first, other = of_classes("nv", "mel"), of_classes("mel", "nv")
    check_evaluation("test", first.model, first.data)
    with pytest.raises(UserError, match="knows the classes nv, mel, but .* has mel, nv"):
        check_evaluation("test", first.model, other.data)
    check_evaluation("", first.model, other.data)  # a folder of pictures has no labels


def test_an_empty_part_is_not_evaluated():
    empty = of_classes("nv", "mel", images=0)
    with pytest.raises(UserError, match="no val part"):
        check_evaluation("val", empty.model, empty.data)


@pytest.mark.parametrize("part", ["train", "val"])
def test_images_that_chose_or_taught_the_first_stage_do_not_test_the_second(part):
    def data(*parts):
        table = pd.DataFrame({"image": ["a", "b", "c"], "part": parts})
        return SimpleNamespace(table=table, rows=lambda part: np.flatnonzero(table["part"] == part))

    check_unseen(data(part, "test", ""), data("train", "test", "test"))
    with pytest.raises(UserError, match="1 of the 2 test images"):
        check_unseen(data(part, "test", ""), data("test", "test", "train"))


@pytest.mark.parametrize(
    ("option", "mend"),
    [
        ("--then.data.init_args.split.init_args.seed=1", "give both stages the same split"),
        ("--then.monitor=val/f2", "'val/f2', which is no score"),
        ("--then.trainer.devices=2", "trainer.devices is auto in one stage and 2 in the next"),
    ],
)
def test_later_stages_are_looked_at_before_the_first_one_starts(option, mend):
    cli = ImbalCLI("fit")
    stages = list(cli.stages(cli.read(["--config", "experiments/demo.yaml", option])))
    with pytest.raises(UserError, match=mend):
        check_fit(cli, cli.build(stages[0]), stages)


@pytest.mark.parametrize(
    ("option", "sides"),
    [("--model.backbone=test_convnext", [32]), ("--then.data.init_args.image_size=48", [32, 48])],
)
def test_pictures_go_once_through_a_network_that_stays(option, sides, monkeypatch):
    cli, tried = ImbalCLI("fit"), []
    stages = list(cli.stages(cli.read(["--config", "experiments/demo.yaml", option])))
    monkeypatch.setattr(trial, "shape_of_features", lambda backbone, side, images: tried.append(side))
    check_fit(cli, cli.build(stages[0]), stages)
    assert tried == sides
