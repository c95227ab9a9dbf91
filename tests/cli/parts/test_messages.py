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
        ("model.layer_decay", "high", "must be of type float, but is 'high'"),
        ("data.image_size", "[64, 32]", "must be of type int, but is [64, 32]."),
    ],
)
def test_a_value_of_the_wrong_kind(option, value, said, capsys):
    message = refused(capsys, *FIT, f"--{option}", value)
    assert option in message and said in message
