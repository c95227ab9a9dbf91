"""What a user reads of a value that cannot be: what it could be instead."""

import pytest
from small_runs import refused

FIT = ["fit", "--config", "experiments/demo.yaml"]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("model.pooling", "max", "must be one of 'token', 'avg', 'map', or null, but is 'max'"),
        ("model.unfreeze", "first", "must be one of 'last_block', 'last_stage', 'norms', or int or null, but is"),
        ("model.tuning", "Adapter", "There is no class 'Adapter' for model.tuning: known are BitFit, IA3, LoRA"),
        ("model.layer_decay", "high", "must be of type float or null, but is 'high'"),
        ("data.image_size", "[64, 32]", "must be of type int, but is [64, 32]."),
        ("data.image_size", "4.5", "must be of type int, but is 4.5."),
        ("trainer.max_epochs", "many", "trainer.max_epochs must be of type int or null, but is 'many'."),
        ("model.optimizer.lr", "high", "model.optimizer.lr must be of type float or Tensor, but is 'high'."),
        ("model.optimizer.momentum", "high", "model.optimizer.momentum must be of type float, but is 'high'."),
        ("data.mean", "high", "data.mean must be of type tuple[float, float, float] or null, but is 'high'."),
        ("data.mean", "[1, 2]", "data.mean must be of type tuple[float, float, float] or null, but is [1, 2]."),
        ("model.temperature", "warm", "model.temperature must be of type float, but is 'warm'."),
        ("trainer.gradient_clip_val", "no", "trainer.gradient_clip_val must be of type int or float or null, but is"),
        ("save_features", "maybe", "save_features must be of type bool, but is 'maybe'."),
    ],
)
def test_a_value_of_the_wrong_kind(option, value, said, capsys):
    message = refused(capsys, *FIT, f"--{option}", value)
    assert option in message and said in message
