"""Random batches, and slow oracles of mixers."""

import pytest
import torch
from torch import Tensor

from lightning_imbal.mixers import Mixer

COUNTS = torch.tensor([60, 20, 30, 10])


def random_batch(size: int = 8, height: int = 6, width: int = 6, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    image = torch.randn(size, 3, height, width, generator=generator, dtype=torch.float64)
    return {"image": image, "label": torch.randint(4, (size,), generator=generator), "index": torch.arange(size)}


def with_lam(mixer: Mixer, lam: float) -> Mixer:
    mixer.draw_lam = lambda: lam
    return mixer


def with_partner(monkeypatch: pytest.MonkeyPatch, partner: list[int]) -> list[int]:
    monkeypatch.setattr(torch, "randperm", lambda n: torch.tensor(partner))
    return partner


def blend_oracle(image: Tensor, other: Tensor, lam: float) -> Tensor:
    values = [lam * a + (1 - lam) * b for a, b in zip(image.flatten().tolist(), other.flatten().tolist(), strict=True)]
    return torch.tensor(values, dtype=torch.float64).view_as(image)
