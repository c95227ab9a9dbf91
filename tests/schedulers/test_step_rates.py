"""Factors that hold only while an optimizer steps."""

import torch

from lightning_imbal.schedulers.step_rates import scale_steps


def test_factors_are_multiplied_and_the_rate_of_the_schedule_comes_back():
    first, second = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    optimizer = torch.optim.SGD([{"params": [first], "lr_scale": 0.5}, {"params": [second]}], lr=0.1)
    scale_steps(optimizer, lambda group: group.get("lr_scale", 1.0))
    scale_steps(optimizer, lambda group: 0.1)
    for _ in range(2):
        first.grad, second.grad = torch.ones(1), torch.ones(1)
        optimizer.step()
        assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.1]
    torch.testing.assert_close(torch.cat([first, second]), torch.tensor([-0.01, -0.02]))
    assert all("scheduled_lr" not in group for group in optimizer.state_dict()["param_groups"])
