"""Every scheduler, optimizer, sampler and loss of torch and timm by its path is what it is by hand, or one sentence."""

import inspect
import warnings
from functools import partial

import pytest
import timm.loss
import timm.optim
import torch
from jsonargparse import ArgumentError
from lightning.pytorch.cli import OptimizerCallable
from torch import nn
from torch.optim import lr_scheduler
from torch.utils import data

from lightning_imbal.data.loading.samplers import SamplerFactory, build_samplers
from lightning_imbal.errors import UserError
from lightning_imbal.factories.arguments import ImbalParser
from lightning_imbal.heads.build import HeadFactory, build_head
from lightning_imbal.losses.base import LossFactory
from lightning_imbal.modules.base_loss import build_loss
from lightning_imbal.modules.base_optimizers import SchedulerFactory, build_schedule, check_optimizer
from lightning_imbal.samplers.of_others import SeededSampler
from lightning_imbal.seeding import epoch_generator

EPOCHS = 6
LABELS = torch.tensor([0] * 6 + [1] * 3 + [2])
COUNTS = torch.tensor([6.0, 3.0, 1.0])
REFUSED = (UserError, ValueError, ArgumentError)


def classes(module, base):
    found = [value for value in vars(module).values() if inspect.isclass(value) and issubclass(value, base)]
    return sorted({value for value in found if value is not base and not value.__name__.startswith("_")}, key=str)


def factory(kind, cls, **arguments):
    """What a configuration that names a class makes of it."""
    parser = ImbalParser(exit_on_error=False)
    parser.add_argument("--it", type=kind)
    with warnings.catch_warnings(action="ignore"):
        parsed = parser.parse_object({"it": {"class_path": f"{cls.__module__}.{cls.__name__}", "init_args": arguments}})
        return parser.instantiate_classes(parsed).it


def sgd(lr=0.1):
    return torch.optim.SGD([nn.Parameter(torch.zeros(2))], lr=lr, momentum=0.9)


def rates(scheduler, optimizer, steps=EPOCHS):
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(1.0) if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau) else scheduler.step()
    return found


ARGUMENTS = {
    "StepLR": {"step_size": 2, "gamma": 0.5},
    "MultiStepLR": {"milestones": [2, 4], "gamma": 0.5},
    "ExponentialLR": {"gamma": 0.5},
    "ConstantLR": {"factor": 0.5, "total_iters": 2},
    "LinearLR": {"start_factor": 0.5, "total_iters": 3},
    "PolynomialLR": {"power": 2.0, "total_iters": 4},
    "CosineAnnealingLR": {"T_max": 4, "eta_min": 0.01},
    "CosineAnnealingWarmRestarts": {"T_0": 2},
    "CyclicLR": {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 2},
    "OneCycleLR": {"max_lr": 0.1, "total_steps": 8},
    "ReduceLROnPlateau": {"factor": 0.5, "patience": 0},
    "SWALR": {"swa_lr": 0.05},
}
LEFT_OPEN = {
    **dict.fromkeys(("ConstantLR", "LinearLR", "PolynomialLR"), {"total_iters": EPOCHS}),
    **{"CosineAnnealingLR": {"T_max": EPOCHS}, "OneCycleLR": {"max_lr": 0.1, "total_steps": 2 * EPOCHS}},
}
SCHEDULERS = [*classes(lr_scheduler, lr_scheduler.LRScheduler), torch.optim.swa_utils.SWALR]


@pytest.mark.parametrize("cls", SCHEDULERS, ids=lambda cls: cls.__name__)
def test_schedulers(cls):
    for arguments in (ARGUMENTS.get(cls.__name__, {}), {"max_lr": 0.1} if cls is lr_scheduler.OneCycleLR else {}):
        ours, theirs = sgd(), sgd()
        try:
            made = factory(SchedulerFactory, cls, **arguments)
            config = build_schedule(made, ours, EPOCHS, lambda: 2 * EPOCHS)
        except REFUSED as error:
            assert cls.__name__ not in ARGUMENTS or (not arguments and "required" in str(error)), error
            continue
        by_hand = cls(theirs, **(LEFT_OPEN.get(cls.__name__, {}) | arguments))
        by_step = cls in (lr_scheduler.OneCycleLR, lr_scheduler.CyclicLR)
        assert config["interval"] == ("step" if by_step else "epoch")
        assert rates(config["scheduler"], ours) == rates(by_hand, theirs)


OPTIMIZERS = classes(torch.optim, torch.optim.Optimizer) + classes(timm.optim, torch.optim.Optimizer)


@pytest.mark.parametrize("cls", OPTIMIZERS, ids=lambda cls: f"{cls.__module__.split('.')[0]}-{cls.__name__}")
def test_optimizers(cls):
    arguments = {"lr": 0.01} if "lr" in inspect.signature(cls).parameters else {}
    try:
        made = factory(OptimizerCallable, cls, **arguments)
        check_optimizer(made)
    except REFUSED as error:
        assert cls.__name__ in ("LBFGS", "SparseAdam", "Adahessian", "Lookahead"), error
        return
    results = []
    for kind in (made, partial(cls, **arguments)):
        torch.manual_seed(0)  # some make random steps
        parameter = nn.Parameter(torch.ones(2, 2))
        optimizer = kind([parameter])
        for number in range(3):
            parameter.grad = torch.tensor([[1.0, -2.0], [0.5, number]])
            optimizer.step()
        results.append(parameter.detach())
    assert torch.equal(*results) and not torch.equal(results[0], torch.ones(2, 2))


@pytest.mark.parametrize("cls", classes(data, data.Sampler), ids=lambda cls: cls.__name__)
def test_samplers(cls):
    known = {
        "WeightedRandomSampler": {"weights": [1.0] * 10, "num_samples": 4},
        "SubsetRandomSampler": {"indices": [1]},
    }
    try:
        made = factory(SamplerFactory, cls, **known.get(cls.__name__, {}))
        [sampler] = build_samplers([made], LABELS.numpy(), 4, EPOCHS)
    except REFUSED as error:
        assert cls not in (data.RandomSampler, data.SequentialSampler), error
        assert "knows no labels: choose ClassPower" in str(error) or cls.__name__ not in known
        return
    sampler.set_epoch(3)
    options = {"generator": epoch_generator(sampler.seed, 3)} if cls is data.RandomSampler else {}
    assert list(sampler) == list(cls(range(10), **options)) and len(sampler) == 10


def test_a_sampler_without_a_generator_draws_by_the_epoch_too():
    class Random(data.Sampler):
        def __iter__(self):
            return iter(torch.randperm(10).tolist())

        def __len__(self):
            return 10

    sampler, before = SeededSampler(LABELS, Random()), torch.get_rng_state()
    lists = [list(sampler) for _ in range(2)]
    sampler.set_epoch(0)
    assert list(sampler) == lists[0] != lists[1] and torch.equal(torch.get_rng_state(), before)


LOSSES = [cls for cls in classes(nn, nn.Module) if cls.__name__.endswith("Loss")] + classes(timm.loss, nn.Module)
RIGHT = {"CrossEntropyLoss", "MultiMarginLoss", "AsymmetricLossSingleLabel", "BinaryCrossEntropy", "PolyCrossEntropy"}
RIGHT |= {"LabelSmoothingCrossEntropy"}


@pytest.mark.parametrize("cls", LOSSES, ids=lambda cls: cls.__name__)
def test_losses(cls):
    logits, label = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 2, 0])
    smoothing = next((name for name in inspect.signature(cls).parameters if "smoothing" in name), None)
    for arguments in ({}, {smoothing: 0.2}) if smoothing else ({},):
        try:
            loss = build_loss(factory(LossFactory, cls, **arguments), COUNTS)
        except REFUSED as error:
            assert cls.__name__ not in RIGHT, error
            continue
        assert cls.__name__ in RIGHT and torch.equal(loss(logits, label), cls(**arguments)(logits, label))
        with pytest.raises(ValueError, match=f"{cls.__name__} cannot weigh single images"):
            loss(logits, label, torch.ones(5))


@pytest.mark.parametrize(
    ("cls", "sentence"),
    [
        (nn.Linear, None),
        (nn.Identity, r"Identity gives \(2, 4\) for features \(2, 4\), not logits \(2, 3\)"),
        (nn.Bilinear, "in1_features"),
        (nn.Flatten, "gives"),
    ],
)
def test_heads(cls, sentence):
    if sentence is None:
        assert build_head(factory(HeadFactory, cls), 4, 3).weight.shape == (3, 4)
        return
    with pytest.raises(REFUSED, match=sentence):
        build_head(factory(HeadFactory, cls), 4, 3)


def test_an_error_without_words_is_named():
    class Silent(torch.optim.SGD):
        def step(self, closure=None):
            raise NotImplementedError

    with pytest.raises(UserError, match=r"Silent makes no step from a gradient alone \(NotImplementedError\)"):
        check_optimizer(partial(Silent, lr=0.1))


def test_a_function_is_not_called():
    called = []
    inspect.called_by_a_test = lambda: called.append(1)
    try:
        with pytest.raises(ArgumentError, match="is a function, and only classes are built"):
            parser = ImbalParser(exit_on_error=False)
            parser.add_argument("--it", type=OptimizerCallable)
            parser.parse_object({"it": {"class_path": "inspect.called_by_a_test"}})
    finally:
        del inspect.called_by_a_test
    assert not called


def test_functions_of_the_user_get_what_they_need():
    assert build_schedule(lambda o, e: lr_scheduler.StepLR(o, e), sgd(), 4, int)["scheduler"].step_size == 4
    assert build_schedule(lambda o: lr_scheduler.StepLR(o, 3), sgd(), 4, int)["scheduler"].step_size == 3
