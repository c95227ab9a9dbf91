"""Are the numbers the same? Losses, modules, predictors and scores on the GPU against those on the CPU.

A figure is the largest difference, relative to the largest entry: of loss and gradient, of logits, of the loss and the
gradients of a module's first step. Without a GPU, float32 is held against float64 on the CPU: the comparison is tried.
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial

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
from lightning_imbal.stats.bootstrap import resampled_averages

COUNTS = torch.tensor([4522, 12875, 3323, 867, 2624, 239, 253, 628])  # of ISIC 2019
CLASSES, IMAGES, VIEWS, DIM = len(COUNTS), 96, 2, 128
LOSSES_WANTED, NETWORKS_WANTED = 1e-5, 1e-4
Reference = tuple[str, torch.dtype]

OF_LOGITS: dict[str, Callable[[Tensor], ImbalancedLoss]] = {
    "CrossEntropy": losses.CrossEntropy,
    "CrossEntropy, weighted": partial(losses.CrossEntropy, weight="inverse"),
    "Focal": losses.Focal,
    "Focal, sigmoid": partial(losses.Focal, form="sigmoid"),
    "ClassBalancedFocal": losses.ClassBalancedFocal,
    "LDAM": losses.LDAM,
    "LogitAdjusted": losses.LogitAdjusted,
    "MWNL": losses.MWNL,
    "OHEM": losses.OHEM,
    "BWCE": losses.BWCE,
    "Deferred": partial(losses.Deferred, loss=losses.LDAM, start=0.0),
}
OF_POINTS: dict[str, Callable[[], nn.Module]] = {
    "SupConLoss": losses.SupConLoss,
    "BCLLoss": losses.BCLLoss,
    "BHPLoss": losses.BHPLoss,
    "TSCLoss": losses.TSCLoss,
    "CenterLoss": lambda: losses.CenterLoss(CLASSES, DIM, init="normal"),
    "CenterTerm": lambda: losses.CenterTerm(CLASSES, DIM, init="normal"),
    "TripletLoss": losses.TripletLoss,
    "TripletTerm": lambda: losses.TripletTerm(CLASSES, DIM),
    "ContrastTerm": lambda: losses.ContrastTerm(CLASSES, DIM),
}
PREDICTORS: dict[str, Callable[[Tensor], predictors.Predictor]] = {
    "Plain": predictors.Plain,
    "FlipTTA": predictors.FlipTTA,
    "PostHocAdjusted": predictors.PostHocAdjusted,
    "TemperatureScaled": partial(predictors.TemperatureScaled, temperature=2.0),
    "PerturbedInput": predictors.PerturbedInput,
}


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
    logits = 3 * torch.randn(IMAGES, CLASSES, generator=generator)
    point = F.normalize(torch.randn(IMAGES, VIEWS, DIM, generator=generator), dim=-1)
    center = F.normalize(torch.randn(CLASSES, DIM, generator=generator), dim=-1)
    label = torch.multinomial(COUNTS.double(), IMAGES, replacement=True, generator=generator)
    for name, kind in OF_LOGITS.items():
        yield name, partial(_step, partial(_of_logits, kind), logits, label, center)
    for name, build in OF_POINTS.items():
        yield name, partial(_step, partial(_of_points, build), point, label, center)


def _step(
    compute: Callable[..., Tensor], given: Tensor, label: Tensor, center: Tensor, device: str, dtype: torch.dtype
) -> list[Tensor]:
    given = given.to(device, dtype).requires_grad_()
    loss = compute(given, label.to(device), center.to(device, dtype))
    return [loss, torch.autograd.grad(loss, given)[0]]


def _of_logits(kind: Callable[[Tensor], ImbalancedLoss], logits: Tensor, label: Tensor, center: Tensor) -> Tensor:
    loss = kind(COUNTS).to(logits.device)
    loss.set_epoch(9, 10)
    loss.set_difficulty(torch.linspace(0.2, 0.9, CLASSES, device=logits.device))
    return loss(logits, label)


def _of_points(build: Callable[[], nn.Module], point: Tensor, label: Tensor, center: Tensor) -> Tensor:
    torch.manual_seed(0)
    loss = build().to(point.device, point.dtype)
    match loss:
        case losses.BCLLoss():
            return loss(point, label, center)
        case losses.BHPLoss():
            return loss(point, label, center, torch.arange(CLASSES, device=label.device))
        case losses.SupConLoss() | losses.TSCLoss():
            return loss(point, label)
        case _:
            return loss(point[:, 0], label)


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
    resampled = resampled_averages({"run": [run]}, ["f1", "balanced_accuracy", "auc"], resamples=50)["run"]
    return [np.array(list(report.compute().values())), *resampled.values()]
