"""Configurations as people write them."""

from lightning_imbal.guide.settings import changes, objects_in, yaml_text

LDAM = {"class_path": "LDAM", "init_args": {"scale": 30.0}}
DRW = {"class_path": "lightning_imbal.losses.Deferred", "init_args": {"loss": LDAM}}


def test_changes():
    base = {"model": {"class_path": "Classifier", "init_args": {"loss": LDAM, "head": None, "rate": 1}}}
    other = {"class_path": "LDAM", "init_args": {"scale": 1.0, "more": 2}}
    now = {"model": {"class_path": "Net", "init_args": {"loss": other, "rate": 1, "size": 3}}, "data": {}}
    said = [change.said() for change in changes(now, base)]
    assert said == [
        "model: Net instead of Classifier",
        "model.loss.scale: 1.0 instead of 30.0",
        "model.loss.more: 2",
        "model.size: 3",
    ]
    assert changes(base, base) == []
    replaced = {"model": {"init_args": {"loss": DRW}}}
    assert [change.said() for change in changes(replaced, base)] == [
        "model.loss: Deferred(loss=LDAM(scale=30.0)) instead of LDAM"
    ]


def test_objects_in_order():
    assert list(objects_in({"a": [DRW]})) == [DRW, LDAM]


def test_yaml_is_narrow():
    content = {
        "model": {"init_args": {"loss": {"class_path": "X", "init_args": dict.fromkeys("abcdefghijklmnopq", 1)}}}
    }
    assert max(map(len, yaml_text(content).splitlines())) <= 76
