"""How fast does it train? ResNet-50 at 224 pixels from each source of pictures, against tensors that are there already.

Pictures are made up, as large as those of HAM10000; bf16-mixed, one GPU, all processors load.
"""

import itertools
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader

from gpu_check.callbacks import Rate
from gpu_check.pictures import paint_skin
from gpu_check.setting import Setting
from lightning_imbal.data import FolderData, Holdout, ImageNetCrop
from lightning_imbal.modules import Classifier
from lightning_imbal.samplers import ClassPower

SIDE, BATCH_SIZE, PICTURES = 224, 128, 256
DRAWS = 4000 * BATCH_SIZE  # of an epoch: it must outlast the measurement
SECONDS, SECONDS_TO_START, SECONDS_TO_COMPILE = 3.0, 6.0, 60.0
GOAL = 0.95
SYNTHETIC = "synthetic tensors"
SOURCES = {SYNTHETIC: None, "memory cache": "memory", "disk cache": "disk", "JPEG files": "none"}
CACHED = ("memory cache", "disk cache")


def run(setting: Setting) -> None:
    """Measures every source with the network as the product builds it, then compiled, then with other memory."""
    if not setting.on_gpu:
        setting.skip("Images per second of a training", "needs a GPU")
        return
    folder = paint_skin(setting.work / "skin", PICTURES)
    synthetic: dict[tuple[bool, bool], float] = {}
    for (channels_last, compiled), (source, cache) in itertools.product(_variants(), SOURCES.items()):
        what = f"{source}, {'channels last' if channels_last else 'contiguous'}{', compiled' if compiled else ''}"
        if setting.seconds_left < SECONDS + SECONDS_TO_START + SECONDS_TO_COMPILE * compiled:
            setting.skip(what, "no time was left")
            continue
        rate = _rate(setting, folder, cache, channels_last, compiled)
        if source == SYNTHETIC:
            synthetic[channels_last, compiled] = rate
            setting.add(what, rate, "images/s")
            continue
        ratio = rate / synthetic.get((channels_last, compiled), float("nan"))
        good = ratio >= GOAL if source in CACHED else None
        setting.add(what, rate, "images/s", f">= {GOAL} of synthetic" if source in CACHED else "", good, f"{ratio:.2f}")
        if channels_last and not compiled and not ratio >= GOAL:
            setting.add(f"{source}: limited by", note=limit(capacities(folder, cache, setting), rate))


def _variants() -> list[tuple[bool, bool]]:
    """Channels last, compiled: the product's own first."""
    return [(True, False), (True, True), (False, False), (False, True)]


def pictures(folder: Path, cache: str, setting: Setting) -> FolderData:
    """The made-up pictures behind a cache."""
    return FolderData(
        root=str(folder),
        split=Holdout(test=0.1),
        sampler=partial(ClassPower, length=DRAWS),
        batch_size=BATCH_SIZE,
        image_size=SIDE,
        train_transform=ImageNetCrop,
        cache=cache,
        cache_dir=str(setting.work / "cache"),
        num_workers=os.cpu_count(),
    )


def _rate(setting: Setting, folder: Path, cache: str | None, channels_last: bool, compiled: bool) -> float:
    data = pictures(folder, cache or "none", setting)
    torch.manual_seed(0)
    model = Classifier(
        class_counts=data.class_counts,
        class_names=list(data.class_names),
        backbone="resnet50",
        optimizer=partial(torch.optim.SGD, lr=0.01, momentum=0.9),
    )
    if not channels_last:
        model.backbone.to(memory_format=torch.contiguous_format)
    if compiled:
        model.backbone.compile()
    ready = 2 * (os.cpu_count() or 1) if cache else 0  # batches that loader processes prepare beforehand
    rate = Rate(BATCH_SIZE, ready + 20, SECONDS)
    common = setting.trainer | {"precision": "bf16-mixed", "max_epochs": 1, "limit_val_batches": 0, "callbacks": [rate]}
    if cache:
        Trainer(**common).fit(model, data)
    else:
        Trainer(**common).fit(model, DataLoader([_synthetic()] * (DRAWS // BATCH_SIZE), batch_size=None))
    return rate.images_per_second


def _synthetic() -> dict[str, torch.Tensor]:
    image = torch.randn(BATCH_SIZE, 3, SIDE, SIDE, device="cuda")
    label = torch.arange(BATCH_SIZE, device="cuda")
    return {"image": image, "label": label % 2, "index": label}


def capacities(folder: Path, cache: str, setting: Setting) -> dict[str, float]:
    """Images per second that each step on the way to the GPU could serve if it had all processors for itself."""
    data, cores = pictures(folder, cache, setting), os.cpu_count() or 1
    row = itertools.cycle(range(len(data.images)))
    picture, recipe = data.images[0].copy(), data.train_recipes[0]
    batch = torch.zeros(BATCH_SIZE, 3, SIDE, SIDE, dtype=torch.uint8).pin_memory()

    def transfer() -> None:
        batch.to("cuda", non_blocking=True)
        torch.cuda.synchronize()

    return {
        "decoding": cores / _seconds(lambda: data.images[next(row)]),
        "augmentation": cores / _seconds(lambda: recipe(image=picture)),
        "transfer": BATCH_SIZE / _seconds(transfer),
    }


def _seconds(work: Callable[[], Any], times: int = 40) -> float:
    work()
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


def limit(capacity: dict[str, float], rate: float) -> str:
    """What holds a training back: the slower of decoding and augmentation, the transfer, or else the GPU's own loop.

    Args:
        capacity: Images per second of each step, as of `capacities`.
        rate: Images per second of the training.
    """
    loading = 1 / (1 / capacity["decoding"] + 1 / capacity["augmentation"])
    told = ", ".join(f"{name} {value:,.0f}/s" for name, value in capacity.items())
    if loading < 1.3 * rate:  # processes that share memory and caches never reach the sum of single ones
        name = min(("decoding", "augmentation"), key=capacity.__getitem__)
    elif capacity["transfer"] < 1.3 * rate:
        name = "transfer"
    else:
        name = "GPU"
    return f"{name} ({told} at most)"
