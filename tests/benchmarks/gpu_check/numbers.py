"""Are the numbers the same? Losses, modules, predictors and scores on the GPU against those on the CPU.

A figure is the largest difference, relative to the largest entry: of loss and gradient, of logits, of the loss and the
gradients of a module's first step. Without a GPU, float32 is held against float64 on the CPU: the comparison is tried.
"""

import inspect
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpu_check.callbacks import FirstStep
from gpu_check.methods import METHODS, fit
from gpu_check.setting import Setting
from lightning_imbal import losses, predictors
from lightning_imbal.backbones import create_backbone, feature_size
from lightning_imbal.losses.base import ImbalancedLoss
from lightning_imbal.metrics import ImbalReport
from lightning_imbal.runs.predictions import Predictions
from lightning_imbal.stats.bootstrap import draw, resampled_rounds
from lightning_imbal.stats.rounds import Round

COUNTS = torch.tensor([4522, 12875, 3323, 867, 2624, 239, 253, 628])  # of ISIC 2019
CLASSES, IMAGES, VIEWS, DIM = len(COUNTS), 96, 2, 128
LOSSES_WANTED, NETWORKS_WANTED = 1e-5, 1e-4
Reference = tuple[str, torch.dtype]

# What a loss may ask for, when it is built and when it is called, by the names of the parameters.
BUILT_WITH = {"class_counts": COUNTS, "num_classes": CLASSES, "dim": DIM, "loss": losses.LDAM}
NO_LOSSES = {losses.Projection}


def _public(room: ModuleType, base: type) -> dict[str, type]:
    """The classes of a room that can be built, by their names: a new one is compared without being named here."""
    kinds = {name: getattr(room, name) for name in room.__all__ if isinstance(getattr(room, name), type)}
    return {name: kind for name, kind in kinds.items() if issubclass(kind, base) and not inspect.isabstract(kind)}


LOSSES: dict[str, Callable[..., nn.Module]] = {
    **{name: kind for name, kind in _public(losses, nn.Module).items() if kind not in NO_LOSSES},
    "CrossEntropy, weighted": partial(losses.CrossEntropy, weight="inverse"),
    "Focal, sigmoid": partial(losses.Focal, form="sigmoid"),
    "CenterLoss, drawn": partial(losses.CenterLoss, init="normal"),
    "CenterTerm, drawn": partial(losses.CenterTerm, init="normal"),
}
PREDICTORS: dict[str, Callable[[Tensor], predictors.Predictor]] = _public(predictors, predictors.Predictor)


def run(setting: Setting) -> None:
    """Compares all of them."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    reference = ("cpu", torch.float32) if setting.on_gpu else ("cpu", torch.float64)
    unit = f"apart from {'the CPU' if setting.on_gpu else 'float64'}"
    for name, step in loss_steps():
        here, there = step(setting.device, torch.float32), step(*reference)
        difference = max(relative_difference(a, b) for a, b in zip(here, there, strict=True))
        wanted = f"<= {LOSSES_WANTED:g}"
        setting.add(f"loss {name}", difference, unit, wanted, difference <= LOSSES_WANTED)
    for name in PREDICTORS:
        difference = relative_difference(logits(name, setting.device, torch.float32), logits(name, *reference))
        setting.add(f"predictor {name}", difference, unit, f"<= {NETWORKS_WANTED:g}", difference <= NETWORKS_WANTED)
    for name in METHODS:
        here, there = (first_step(setting, name, *how) for how in ((setting.device, torch.float32), reference))
        difference = module_difference(here, there)
        setting.add(f"module {name}", difference, unit, f"<= {NETWORKS_WANTED:g}", difference <= NETWORKS_WANTED)
    apart = scores_apart(setting.device)
    setting.add("scores and bootstrap", apart, unit, "0", apart == 0)


def relative_difference(here: Tensor, there: Tensor) -> float:
    """Largest difference of two tensors over the largest entry of the second; infinite where they are not finite."""
    here, there = here.detach().cpu().double(), there.detach().cpu().double()
    largest = there.abs().max().item() if there.numel() else 0.0
    difference = (here - there).abs().max().item() if there.numel() else 0.0
    ratio = difference / largest if largest else difference
    return ratio if np.isfinite(ratio) else float("inf")


def module_difference(here: FirstStep, there: FirstStep) -> float:
    """That of the losses, and of all gradients together, whose largest entry is that of the network."""
    pairs = [(here.loss[None], there.loss[None])]
    names = sorted(there.gradients)
    if names != sorted(here.gradients):
        return float("inf")
    if names:
        flat = [torch.cat([step.gradients[name].flatten() for name in names]) for step in (here, there)]
        pairs.append((flat[0], flat[1]))
    return max(relative_difference(a, b) for a, b in pairs)


def loss_steps() -> Iterator[tuple[str, Callable[[str, torch.dtype], list[Tensor]]]]:
    """Every loss by name, with what computes it and its gradient on a device in a precision."""
    generator = torch.Generator().manual_seed(0)
    point = F.normalize(torch.randn(IMAGES, VIEWS, DIM, generator=generator), dim=-1)
    center = F.normalize(torch.randn(CLASSES, DIM, generator=generator), dim=-1)
    given = {
        "logits": 3 * torch.randn(IMAGES, CLASSES, generator=generator),
        "embedding": point,
        "feature": point[:, 0],
        "label": torch.multinomial(COUNTS.double(), IMAGES, replacement=True, generator=generator),
        "prototype": center,
        "proxy": center,
        "proxy_label": torch.arange(CLASSES),
    }
    for name, kind in LOSSES.items():
        yield name, partial(_loss_and_gradient, kind, given)


def _loss_and_gradient(
    kind: Callable[..., nn.Module], given: dict[str, Tensor], device: str, dtype: torch.dtype
) -> list[Tensor]:
    torch.manual_seed(0)
    loss = kind(**_asked(kind, BUILT_WITH)).to(device)
    if isinstance(loss, ImbalancedLoss):
        loss.set_epoch(9, 10)
        loss.set_difficulty(torch.linspace(0.2, 0.9, CLASSES, device=device))
    else:
        loss.to(dtype)
    asked = {name: _on(device, dtype, tensor) for name, tensor in _asked(loss.forward, given).items()}
    learnt = next(iter(asked.values())).requires_grad_()
    value = loss(**asked)
    return [value, torch.autograd.grad(value, learnt)[0]]


def _asked(function: Callable[..., Any], known: dict[str, Any]) -> dict[str, Any]:
    """What of the known things a function has parameters for, in their order."""
    return {name: known[name] for name in inspect.signature(function).parameters if name in known}


def _on(device: str, dtype: torch.dtype, tensor: Tensor) -> Tensor:
    return tensor.to(device, dtype) if tensor.is_floating_point() else tensor.to(device)


def logits(name: str, device: str, dtype: torch.dtype) -> Tensor:
    """What a predictor makes of a network with the weights of seed 0 and 16 random images."""
    torch.manual_seed(0)
    backbone = create_backbone("resnet18")
    model = nn.Sequential(backbone, nn.Linear(feature_size(backbone), CLASSES)).to(device, dtype).eval()
    predictor = PREDICTORS[name](COUNTS).to(device)
    image = torch.randn(16, 3, 64, 64, generator=torch.Generator().manual_seed(1)).to(device, dtype)
    with torch.inference_mode():
        return predictor(model, image)


def first_step(setting: Setting, name: str, device: str, dtype: torch.dtype) -> FirstStep:
    """Loss and gradients of a module's first batch."""
    step = FirstStep()
    precision = "64-true" if dtype == torch.float64 else "32-true"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit(setting, name, step, device, max_steps=1, precision=precision)
    return step


def scores_apart(device: str) -> float:
    """Largest difference of the scores, and of their resamples, of predictions that were collected on a device."""
    here, there = (_scores(device), _scores("cpu"))
    return max(float(np.nanmax(np.abs(a - b))) for a, b in zip(here, there, strict=True))


def _scores(device: str) -> list[np.ndarray]:
    generator = torch.Generator().manual_seed(0)
    label = torch.randint(CLASSES, (400,), generator=generator)
    probability = (torch.randn(400, CLASSES, generator=generator) + 2 * F.one_hot(label, CLASSES)).softmax(dim=1)
    counts, names = COUNTS.tolist(), [f"class {c}" for c in range(CLASSES)]
    report = ImbalReport(counts, names).to(device)
    report.update(probability.to(device), label.to(device), torch.arange(400, device=device))
    kept = report.predictions()
    image = kept["index"].numpy().astype(str).astype(object)
    every = np.ones(len(image), dtype=bool)
    kept_label, kept_probability = kept["label"].numpy(), kept["probability"].double().numpy()
    run = Predictions(image, image, every, kept_label, kept_probability, tuple(names), tuple(counts), {})
    rows, keys = {"run": [Round((run,))]}, ["f1", "balanced_accuracy", "auc"]
    resampled = resampled_rounds(rows, keys, draw(len(image), resamples=50))["run"]
    return [np.array(list(report.compute().values())), *resampled.values()]
