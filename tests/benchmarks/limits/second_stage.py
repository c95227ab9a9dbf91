"""The second stage on stored features: a Trainer beside a bare loop over slices of a tensor, and scikit-learn."""

import logging
import warnings
from functools import partial

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from lightning.pytorch import LightningModule, Trainer
from pairs import Pair
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from lightning_imbal.data import Holdout, ImbalDataModule
from lightning_imbal.losses import CrossEntropy
from lightning_imbal.modules import FrozenHead
from lightning_imbal.samplers import ClassPower

NUMBER, SIZE, CLASSES, EPOCHS, BATCH = 7500, 2048, 7, 10, 64
SETTINGS = {"SGD": partial(torch.optim.SGD, lr=0.01, momentum=0.9), "Adam": partial(torch.optim.Adam, lr=0.001)}
SILENT = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
TOLERANCE, MAX_ITER = 1e-4, 1000  # of the largest slope of the mean loss, in both


class Features(ImbalDataModule):
    """Data of whose training part features are stored already: no picture is ever read."""

    class_names = tuple(map(str, range(CLASSES)))

    def __init__(self) -> None:
        super().__init__(".", Holdout(test=0.25), batch_size=BATCH, num_workers=0)
        generator = torch.Generator().manual_seed(0)
        self.feature = torch.randn(NUMBER, SIZE, generator=generator)

    def read_index(self) -> pd.DataFrame:
        number = NUMBER * 4 // 3
        label = np.random.default_rng(0).choice(CLASSES, number, p=np.arange(1, 8) / 28)
        return pd.DataFrame({"image": np.arange(number).astype(str), "label": label})

    def read_images(self) -> list[np.ndarray]:
        return [np.zeros((1, 1, 3), np.uint8)] * len(self.index)

    def store_features(self, encode, views, val=True, whole_batches=False) -> None:
        super().store_features(lambda loader: self.feature, views, val, whole_batches)


class NoBackbone(nn.Module):
    """What nothing passes, as features are stored."""

    num_features = SIZE

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))


def train(data: Features, optimizer, max_epochs: int = EPOCHS, **arguments) -> FrozenHead:
    """The product: a Trainer of Lightning that fits a head."""
    torch.manual_seed(0)
    about = {"class_counts": data.class_counts, "class_names": list(data.class_names), "backbone": NoBackbone()}
    model = FrozenHead(cache_views=1, optimizer=optimizer, **about, **arguments)
    nn.init.ones_(model.backbone.weight)  # it is trained
    Trainer(accelerator="cpu", max_epochs=max_epochs, enable_checkpointing=False, **SILENT).fit(model, data)
    return model


def train_bare(feature: Tensor, label: Tensor, optimizer) -> nn.Module:
    """The same head, loss, optimizer and draws in a loop over slices of a tensor."""
    torch.manual_seed(0)
    head = nn.Linear(SIZE, CLASSES)
    steps, sampler = optimizer(head.parameters()), ClassPower(label)
    for epoch in range(EPOCHS):
        sampler.set_epoch(epoch)
        for places in torch.tensor(list(sampler))[: NUMBER // BATCH * BATCH].split(BATCH):
            loss = F.cross_entropy(head(feature[places]), label[places])
            steps.zero_grad()
            loss.backward()
            steps.step()
    return head


class Bare(LightningModule):
    """The least that a Trainer can train: what it takes for each step is left to any module."""

    def __init__(self, optimizer) -> None:
        super().__init__()
        self.head, self.optimizer = nn.Linear(SIZE, CLASSES), optimizer

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        feature, label = batch
        return F.cross_entropy(self.head(feature), label)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.optimizer(self.head.parameters())


class Batches(list):
    """A list that Lightning does not take for several loaders."""


def train_by_lightning(feature: Tensor, label: Tensor, optimizer) -> None:
    """A Trainer with a module that logs nothing, on slices that are cut beforehand."""
    places = torch.randperm(NUMBER)[: NUMBER // BATCH * BATCH].split(BATCH)
    batches = Batches((feature.index_select(0, each), label.index_select(0, each)) for each in places)
    Trainer(accelerator="cpu", max_epochs=EPOCHS, enable_checkpointing=False, **SILENT).fit(Bare(optimizer), batches)


def pairs() -> list[Pair]:
    """Rows of the table."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")  # Lightning's of few workers, and of a backbone in eval mode
    data = Features()
    label = torch.from_numpy(data.labels_of("train"))
    what = f"second stage on stored features, {NUMBER:,} x {SIZE:,}, {EPOCHS} epochs, batch {BATCH}"
    rows = []
    for name, optimizer in SETTINGS.items():
        bare, product = partial(train_bare, data.feature, label, optimizer), partial(train, data, optimizer)
        torch.testing.assert_close(product().head.weight, bare().weight, rtol=1e-4, atol=1e-6)
        rows.append(Pair(f"{what}, {name}", "slices of a tensor", bare, product, 1.3, "x"))
        # A Trainer alone takes about 1.7 times as long as the bare loop: this is what can be had with one.
        least = partial(train_by_lightning, data.feature, label, optimizer)
        rows.append(Pair(f"{what}, {name}", "Trainer alone, slices cut before", least, product, 1.3, "x"))
    regression = LogisticRegression(C=1.0, class_weight="balanced", tol=TOLERANCE, max_iter=MAX_ITER)
    fit = partial(regression.fit, data.feature.numpy(), label.numpy())
    search = {"max_iter": MAX_ITER, "max_eval": 2 * MAX_ITER, "line_search_fn": "strong_wolfe"}
    optimizer = partial(torch.optim.LBFGS, tolerance_grad=TOLERANCE, **search)
    solve = partial(train, data, optimizer, 1, l2_penalty=1 / NUMBER, loss=partial(CrossEntropy, weight="inverse"))
    # Both take the same number of evaluations: what differs is the BLAS of torch and NumPy.
    rows.append(Pair(f"L-BFGS on {NUMBER:,} x {SIZE:,}", "LogisticRegression of scikit-learn", fit, solve, 1.0, "x"))
    return rows
