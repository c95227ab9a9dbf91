"""What a checkpoint that is alone cannot know is asked for by the option that gives it."""

from pathlib import Path

import pytest
import torch
import yaml
from jsonargparse import Namespace

from lightning_imbal.cli.parts.trained import absent_places, check_places, with_saved_config
from lightning_imbal.errors import UserError

CHOICE = {"class_path": "lightning_imbal.data.CSVData"}


@pytest.fixture
def alone(tmp_path):
    settings = {name: {**CHOICE, "init_args": {}} for name in ("model", "data")} | {"trainer": {}, "split_digest": "a"}
    left_out = {"left_out": ["data.root", "data.labels", "data.split.train", "model.backbone.weights"]}
    torch.save({"state_dict": {}, "config": settings | left_out}, tmp_path / "best.ckpt")
    return tmp_path / "best.ckpt"


def evaluation(checkpoint, root="", labels="", train="", **more):
    split = Namespace(class_path="IdLists", init_args=Namespace(train=train, **more))
    data = Namespace(class_path="CSVData", init_args=Namespace(root=root, labels=labels, split=split))
    return Namespace(ckpt_path=str(checkpoint), data=data)


def test_what_was_left_out_and_not_given_is_asked_for(alone):
    expected = "give --data.root DIR and --data.labels FILE and --data.split.train FILE"
    with pytest.raises(UserError, match=expected):
        check_places(evaluation(alone), "`test` looks at them")
    assert absent_places(evaluation(alone, root="there", train="a.csv")) == ["data.labels"]
    check_places(evaluation(alone, "there", "b.csv", "a.csv"), "`test` looks at them")


def test_a_class_without_the_setting_needs_none(alone):
    config = evaluation(alone, root="there")
    config.data.init_args = Namespace(root="there", split=None)
    assert absent_places(config) == []


def test_of_a_run_nothing_is_asked(alone, tmp_path):
    config = {"model": CHOICE, "data": CHOICE, "trainer": {}, "ckpt_path": None}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    assert absent_places(evaluation(alone)) == []


def test_its_own_settings_lie_below_the_command_line(alone):
    args = ["--data.root", "there", "--ckpt_path", str(alone)]
    with with_saved_config("test", args) as whole:
        assert whole[2:] == [*args, "--ckpt_path", str(alone)]
        assert set(yaml.safe_load(Path(whole[1]).read_text())) == {"model", "data", "trainer"}


def test_a_checkpoint_of_before_needs_its_configuration(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "best.ckpt")
    args = ["--ckpt_path", str(tmp_path / "best.ckpt")]
    sentence = "does not say its settings itself: give the configuration of its run"
    with pytest.raises(UserError, match=sentence), with_saved_config("test", args):
        pass
    (tmp_path / "mine.yaml").touch()
    with with_saved_config("test", [*args, "--config", str(tmp_path / "mine.yaml")]) as whole:
        assert whole[:2] == args
