"""What every schedule does: lengths, resuming, and a name in a YAML."""

import io
import warnings
from functools import partial

import pytest
import torch
from jsonargparse import ArgumentParser
from schedule_oracles import SchedulerFactory, new_optimizer, rates

from lightning_imbal.schedulers import CosineCycles, Steps, WarmupCosine

FACTORIES = [
    WarmupCosine,
    partial(WarmupCosine, warmup=0.3, start=0.1),
    CosineCycles,
    partial(CosineCycles, cycles=3),
    Steps,
    partial(Steps, at=(0.2, 0.4, 0.7), gamma=0.5),
]


@pytest.mark.parametrize("make", FACTORIES)
class TestEverySchedule:
    @pytest.mark.parametrize("max_epochs", [1, 2, 3, 7, 20, 100])
    def test_no_warning_and_no_rate_outside_its_range(self, make, max_epochs: int):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = rates(make, max_epochs, 0.1)
        assert len(found) == max_epochs
        assert all(0 < rate <= 0.1 for (rate,) in found)

    def test_groups_have_base_rates_of_their_own(self, make):
        both = rates(make, 12, 0.1, 0.004)
        assert both == [(a, b) for (a,), (b,) in zip(rates(make, 12, 0.1), rates(make, 12, 0.004), strict=True)]
        assert all(a != b for a, b in both)

    @pytest.mark.parametrize("epoch", [1, 2, 5, 9])
    def test_resumes_through_its_state(self, make, epoch: int):
        unbroken = rates(make, 12, 0.1, 0.004)
        optimizer = new_optimizer(0.1, 0.004)
        scheduler = make(optimizer, 12)
        for _ in range(epoch):
            optimizer.step()
            scheduler.step()
        file = io.BytesIO()
        torch.save({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, file)
        file.seek(0)
        state = torch.load(file, weights_only=True)

        optimizer = new_optimizer(0.1, 0.004)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            scheduler = make(optimizer, 12)
            optimizer.load_state_dict(state["optimizer"])
            scheduler.load_state_dict(state["scheduler"])
            for expected in unbroken[epoch:]:
                assert tuple(group["lr"] for group in optimizer.param_groups) == expected
                assert tuple(scheduler.get_last_lr()) == expected
                optimizer.step()
                scheduler.step()

    def test_number_of_epochs_has_to_be_known(self, make):
        with pytest.raises(ValueError, match="number of epochs, but max_epochs is -1: set trainer.max_epochs"):
            make(new_optimizer(0.1), -1)


@pytest.mark.parametrize(
    "name, arguments, attribute, value",
    [
        ("WarmupCosine", {"warmup": 0.2}, "warmup_epochs", 2),
        ("CosineCycles", {"cycles": 2}, "cycles", 2),
        ("Steps", {"at": [0.5, 0.9]}, "milestones", {5: 1, 9: 1}),
        ("Plateau", {"monitor": "val/mcc"}, "monitor", "val/mcc"),
    ],
)
def test_class_name_in_a_yaml(name: str, arguments: dict, attribute: str, value: object):
    parser = ArgumentParser()
    parser.add_argument("--scheduler", type=SchedulerFactory)
    config = parser.parse_object({"scheduler": {"class_path": name, "init_args": arguments}})
    scheduler = parser.instantiate(config).scheduler(new_optimizer(0.1), 10)
    assert getattr(scheduler, attribute) == value
