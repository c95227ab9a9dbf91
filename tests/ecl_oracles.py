"""ECL on random batches, for the tests of its steps and of its proxies."""

import torch

from lightning_imbal.losses import CrossEntropy
from lightning_imbal.modules import ECL

COUNTS = [400, 30, 8]
SGD = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}


def sgd(parameters):
    return torch.optim.SGD(parameters, **SGD)


def small_ecl(**kwargs):
    """An ECL of three classes in double precision: 1, 3 and 7 proxies."""
    torch.manual_seed(0)
    settings = {"backbone": "test_resnet", "optimizer": sgd, "loss": CrossEntropy, "temperature": 0.1}
    return ECL(class_counts=COUNTS, class_names=["a", "b", "c"], **settings | kwargs).double().train()


def random_batches(number=3, size=6, views=2):
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(number, size, views, 3, 32, 32, generator=generator, dtype=torch.float64)
    label = torch.randint(3, (number, size), generator=generator)
    return [{"image": image[k], "label": label[k], "index": torch.arange(size)} for k in range(number)]
