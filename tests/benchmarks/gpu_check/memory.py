"""What does it need? Peak memory of the runs of the part `runs`, and of losses that compare all pairs of a batch.

Of the losses, forward and backward, beside what one float32 for every pair of embeddings takes.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gpu_check import runs
from gpu_check.peak import peak_bytes, reset_peak
from gpu_check.setting import Setting
from lightning_imbal.losses import BCLLoss, BHPLoss, SupConLoss, TSCLoss

CLASSES, DIM, VIEWS = 8, 128, 2
IMAGES = {"cuda": (512, 2048), "cpu": (1024,)}
MIB = 2**20
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
LOSSES: dict[str, Loss] = {
    "SupConLoss": lambda point, label, center: SupConLoss()(point, label),
    "BCLLoss": lambda point, label, center: BCLLoss()(point, label, center),
    "BHPLoss": lambda point, label, center: BHPLoss()(point, label, center, torch.arange(CLASSES, device=label.device)),
    "TSCLoss": lambda point, label, center: TSCLoss()(point, label),
}


def run(setting: Setting) -> None:
    """Reads the peaks of the runs, then measures the losses."""
    peaks = runs.peaks(setting)
    if not peaks:
        setting.skip("Runs", "the part `runs` has left none")
    unit = "MiB of tensors" if setting.on_gpu else "MiB, the process"
    for what, peak in peaks.items():
        setting.add(what, peak and peak / MIB, unit)
    for images in IMAGES[setting.device]:
        for name, loss in LOSSES.items():
            _measure(setting, f"{name}, {images:,} x {VIEWS} embeddings", loss, images)


def _measure(setting: Setting, what: str, loss: Loss, images: int) -> None:
    point = F.normalize(torch.randn(images, VIEWS, DIM, device=setting.device), dim=-1).requires_grad_()
    center = F.normalize(torch.randn(CLASSES, DIM, device=setting.device), dim=-1)
    label = torch.arange(images, device=setting.device) % CLASSES
    reset_peak(setting.device)
    before = peak_bytes(setting.device)
    loss(point, label, center).backward()
    after = peak_bytes(setting.device)
    if before is None or after is None:
        setting.skip(what, "this system does not tell the memory of a process")
        return
    pairs = (images * VIEWS) ** 2 * 4 / MIB
    setting.add(what, (after - before) / MIB, "MiB more", note=f"all pairs: {pairs:.0f}")
