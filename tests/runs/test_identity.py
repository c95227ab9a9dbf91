"""What of a run is another when it goes on: settings by rule, images by what split.csv says of them."""

from hashlib import sha256
from io import StringIO

import pandas as pd
import pytest

from lightning_imbal.runs.identity import changes, option_text, split_changes, split_digest, split_text

CONFIG = {
    "seed_everything": 0,
    "monitor": "val/f1",
    "run_dir": "runs/a",
    "ckpt_path": None,
    "trainer": {"max_epochs": 4, "devices": "auto", "precision": None, "limit_train_batches": None, "callbacks": None},
    "model": {
        "class_path": "lightning_imbal.modules.Classifier",
        "init_args": {
            "loss": {"class_path": "lightning_imbal.losses.LDAM", "init_args": {"scale": 30.0}},
            "head": {"class_path": "torch.nn.Linear", "init_args": {"bias": True}},
            "optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1, "momentum": 0.9}},
            "backbone": "resnet18",
        },
    },
    "data": {
        "class_path": "lightning_imbal.data.CSVData",
        "init_args": {
            "root": "/old",
            "labels": "labels.csv",
            "split": {"class_path": "lightning_imbal.data.Holdout", "init_args": {"seed": 0}},
            "class_groups": {"rare": ["a"]},
            "more_views": [{"class_path": "lightning_imbal.data.Squash"}],
            "num_workers": 4,
        },
    },
}


def with_value(config, name, value):
    """A copy in which one setting is another."""
    first, _, rest = name.partition(".")
    if not rest:
        return config | {first: value}
    inner = config[first]
    below = with_value(inner["init_args"], rest, value) if "init_args" in inner else with_value(inner, rest, value)
    return config | {first: inner | {"init_args": below} if "init_args" in inner else below}


def names(now, decides=True):
    return [change.name for change in changes(CONFIG, now) if change.decides == decides]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed_everything", 1),
        ("monitor", "val/kappa"),
        ("trainer.max_epochs", 5),
        ("trainer.limit_train_batches", 2),
        ("model.loss.scale", 20.0),
        ("model.loss", {"class_path": "lightning_imbal.losses.Focal", "init_args": {"gamma": 2.0}}),
        ("model.head", {"class_path": "lightning_imbal.heads.NormedLinear"}),
        ("model.optimizer.lr", 0.01),
        ("model.optimizer.momentum", 0.8),
        ("model.backbone", "resnet50"),
        ("data.labels", "grown.csv"),
        ("data.split.seed", 1),
        ("data.class_groups", {"rare": ["b"]}),
        ("data.class_groups", {"rare": ["a"], "common": ["b"]}),
        ("data.more_views", []),
        ("trainer.callbacks", [{"class_path": "lightning_imbal.callbacks.LinearWarmup"}]),
    ],
)
def test_what_is_trained_or_tested_decides(name, value):
    assert names(with_value(CONFIG, name, value)) == [name]
    assert names(with_value(CONFIG, name, value), decides=False) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trainer.devices", 2),
        ("trainer.precision", "bf16-mixed"),
        ("trainer.callbacks", [{"class_path": "lightning.pytorch.callbacks.Timer"}]),
        ("data.num_workers", 0),
        ("data.root", "/new"),
    ],
)
def test_how_and_where_it_is_trained_does_not(name, value):
    assert names(with_value(CONFIG, name, value)) == []
    assert names(with_value(CONFIG, name, value), decides=False) == [name]


def test_a_file_that_lies_elsewhere_does_not(tmp_path):
    moved = tmp_path / "labels.csv"
    assert names(with_value(CONFIG, "data.labels", str(moved))) == ["data.labels"]
    moved.touch()
    assert names(with_value(CONFIG, "data.labels", str(moved))) == []
    assert names(with_value(CONFIG, "model.backbone", str(moved))) == ["model.backbone"]


def test_where_a_run_lies_is_not_told():
    now = with_value(with_value(CONFIG, "run_dir", "runs/b"), "ckpt_path", "last")
    assert list(changes(CONFIG, now)) == list(changes(CONFIG, CONFIG)) == []


def test_a_setting_that_an_older_version_lacks_is_not_compared():
    now = with_value(CONFIG, "model.loss", {"class_path": "lightning_imbal.losses.LDAM", "init_args": {"new": 1}})
    assert list(changes(CONFIG, now)) == list(changes(now, CONFIG)) == []


def test_an_argument_of_an_object_in_a_list_is_named():
    view = {"class_path": "lightning_imbal.data.Squash", "init_args": {"ratio": 1.0}}
    before, now = ({"a": [view | {"init_args": {"ratio": ratio}}]} for ratio in (1.0, 2.0))
    assert [(change.name, change.before, change.now) for change in changes(before, now)] == [("a.0.ratio", 1.0, 2.0)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (0.1, "0.1"),
        ("val/f1", "val/f1"),
        ("", '""'),
        (["é"], '["é"]'),
        ({"class_path": "torch.nn.Linear", "init_args": {}}, "Linear"),
        ([{"class_path": "a.B"}, {"class_path": "a.C"}], "[B, C]"),
    ],
)
def test_a_value_is_written_as_on_a_command_line(value, text):
    assert option_text(value) == text


TABLE = pd.DataFrame(
    {
        "image": ["007", "b", "NA", "d"],
        "path": "somewhere",
        "label": [0, 1, 1, 0],
        "class": ["x", "y", "y", "x"],
        "part": ["train", "test", "", "val"],
        "group": ["1", "2", "", "3"],
    }
)


def saved(table):
    return pd.read_csv(StringIO(split_text(table)), dtype="str", keep_default_na=False)


def test_the_same_split_in_another_order_is_the_same():
    assert split_changes(saved(TABLE), TABLE) == split_changes(saved(TABLE), TABLE[::-1]) == ""
    assert split_changes(saved(TABLE.drop(columns="group")), TABLE) == "", "older runs may not know the groups"


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (TABLE[1:], "1 image is gone (007)"),
        (TABLE.assign(image=["007", "b", "NA", "e"]), "1 image is gone (d), 1 image is new (e)"),
        (TABLE.assign(part=["test", "test", "train", "val"]), "2 images are in another part (007: train, now test)"),
        (TABLE.assign(part=["train", "test", "train", "val"]), "1 image is in another part (NA: none, now train)"),
        (TABLE.assign(**{"class": ["x", "y", "x", "x"]}), "1 image is in another class (NA: y, now x)"),
        (TABLE.assign(group=["1", "1", "", "3"]), "1 image is in another group (b: 2, now 1)"),
    ],
)
def test_another_split_is_told(now, told):
    assert split_changes(saved(TABLE), now) == told


def test_the_digest_is_that_of_the_file():
    text = "image,class,group,part\n007,x,1,train\nb,y,2,test\nNA,y,,\nd,x,3,val\n"
    assert split_text(TABLE) == text
    assert split_digest(TABLE) == sha256(text.encode()).hexdigest()[:16]
    assert split_digest(TABLE.assign(part="test")) != split_digest(TABLE)
