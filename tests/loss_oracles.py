"""What several tests of losses share: logits, and slow oracles written from the equations."""

import math

import pytest
import torch
from torch import Tensor

from lightning_imbal.losses import ImbalancedLoss

COUNTS = torch.tensor([60, 30, 10])
EQUAL = torch.tensor([7, 7, 7])
SAMPLE_WEIGHT = [0.1, 0.9, 0.5, 1.0, 0.0, 0.3, 0.7, 0.2]
weighted_or_not = pytest.mark.parametrize("sample_weight", [None, SAMPLE_WEIGHT], ids=["plain", "sample_weight"])


def random_logits(batch: int = 8, num_classes: int = 3, scale: float = 2.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(batch, num_classes, generator=generator, dtype=torch.float64)
    return logits, torch.arange(batch) % num_classes


def value_of(loss: ImbalancedLoss, sample_weight: list[float] | None, logits: Tensor, label: Tensor) -> float:
    weight = None if sample_weight is None else torch.tensor(sample_weight, dtype=torch.float64)
    value = loss(logits, label, weight)
    assert value.shape == () and value.dtype == torch.float64
    return value.item()


def sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score))


def softmax(scores: list[float]) -> list[float]:
    total = sum(math.exp(score) for score in scores)
    return [math.exp(score) / total for score in scores]


def effective_weights(beta: float) -> list[float]:
    weights = [(1 - beta) / (1 - beta**n) for n in COUNTS.tolist()]
    return [3 * weight / sum(weights) for weight in weights]


def cross_entropy_oracle(
    logits: Tensor, label: Tensor, class_weight: list[float], reduction: str, sample_weight: list[float]
) -> float:
    total, divisor = 0.0, 0.0
    for row, y, w in zip(logits.tolist(), label.tolist(), sample_weight, strict=True):
        probability = math.exp(row[y]) / sum(math.exp(score) for score in row)
        total += w * class_weight[y] * -math.log(probability)
        divisor += class_weight[y] if reduction == "weighted_mean" else 1.0
    return total / divisor


def supcon_oracle(embedding: Tensor, label: Tensor, temperature: float) -> float:
    points, labels = embedding.tolist(), label.tolist()

    def similarity(i: int, j: int) -> float:
        return sum(a * b for a, b in zip(points[i], points[j], strict=True)) / temperature

    anchor_losses = []
    for i in range(len(points)):
        others = [k for k in range(len(points)) if k != i]
        positives = [j for j in others if labels[j] == labels[i]]
        if positives:
            denominator = sum(math.exp(similarity(i, k)) for k in others)
            terms = [math.log(math.exp(similarity(i, j)) / denominator) for j in positives]
            anchor_losses.append(-sum(terms) / len(positives))
    return sum(anchor_losses) / len(anchor_losses)
