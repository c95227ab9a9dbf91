"""How a trained network is asked for logits at inference; predictors leave nothing in its checkpoint."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Literal

import torch
import torch.nn.functional as F
from lightning.pytorch.utilities import rank_zero_warn
from scipy.optimize import minimize_scalar
from torch import Tensor, nn
from torch.func import functional_call

from lightning_imbal.losses.base import checked_counts


class Predictor(nn.Module, ABC):
    """Turns images into logits at validation, test and prediction time.

    Args:
        class_counts: Class sizes of the training part, shape (C,).

    Attributes:
        needs_calibration: Whether `calibrate` is to be called before testing.
    """

    needs_calibration: bool = False

    def __init__(self, class_counts: Tensor) -> None:
        super().__init__()

    def set_normalization(self, mean: Tensor, std: Tensor) -> None:
        """Tells before an evaluation how images were normalised: pixels in 0..1, less `mean`, over `std`, (3, 1, 1)."""

    def calibrate(self, logits: Tensor, label: Tensor) -> None:
        """Fits what is learnt after training, to the logits (N, C) that it gives validation images, and labels (N,)."""

    @abstractmethod
    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        """Returns logits (B, C) of normalised images (B, 3, H, W); `model` is in evaluation mode."""


class Plain(Predictor):
    """One forward pass."""

    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        return model(image)


class FlipTTA(Predictor):
    """Averages the class probabilities of an image and of its mirror image.

    Test-time augmentation of Galdran et al. 2021, "Balanced-MixUp for Highly Imbalanced Medical Image Classification",
    section 2.4. The logits are the logarithm of the averaged probabilities, in float32 or better.
    """

    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        # Two passes rather than one of twice the size: whatever batch fits the memory without flips fits with them.
        logits = torch.stack([model(image), model(image.flip(-1))])
        log_prob = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(dim=-1)
        return log_prob.logsumexp(dim=0) - math.log(2)


class PostHocAdjusted(Predictor):
    """Subtracts the scaled logarithm of the class frequencies from the logits: `z_c - tau * log(n_c / N)`.

    Menon et al. 2021, "Long-Tail Learning via Logit Adjustment", Eq. 9, for networks trained with plain cross-entropy.

    Args:
        class_counts: Class sizes of the training part, shape (C,).
        tau: 0 leaves the logits as they are.

    Raises:
        ValueError: A class has no training image.
    """

    adjustment: Tensor

    def __init__(self, class_counts: Tensor, tau: float = 1.0) -> None:
        super().__init__(class_counts)
        self.register_buffer("adjustment", tau * _log_frequency(class_counts), persistent=False)

    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        logits = model(image)
        return logits - self.adjustment.to(torch.promote_types(logits.dtype, torch.float32))


class TemperatureScaled(Predictor):
    """Divides the logits by a temperature: other probabilities, the same ranking of the classes.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", Eq. 9.

    Args:
        class_counts: Class sizes of the training part, shape (C,).
        temperature: None is 1 until `calibrate` has found the best for the validation part.

    Raises:
        ValueError: `temperature` is not positive.
    """

    def __init__(self, class_counts: Tensor, temperature: float | None = None) -> None:
        super().__init__(class_counts)
        if temperature is not None and not temperature > 0:
            raise ValueError(f"temperature must be positive or null, but is {temperature}.")
        self.needs_calibration = temperature is None
        self.temperature = 1.0 if temperature is None else temperature

    def calibrate(self, logits: Tensor, label: Tensor) -> None:
        """Multiplies the temperature by what minimises the negative log-likelihood, within exp(-3) to exp(3).

        Args:
            logits: What this predictor gives for the validation images, shape (N, C).
            label: Class labels, shape (N,).
        """
        logits, label = logits.detach().cpu().double(), label.cpu()

        def nll(log_temperature: float) -> float:
            return F.cross_entropy(logits / math.exp(log_temperature), label).item()

        self.temperature *= math.exp(minimize_scalar(nll, bounds=(-3, 3), method="bounded").x)

    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        return model(image) / self.temperature


class PerturbedInput(Predictor):
    """Classifies each image after a small step of its pixels in favour of the rare classes.

    Chen et al. 2021, "Alleviating Data Imbalance Issue with Perturbed Input During Inference", Eq. 1-3: the softmax of
    `logits / temperature` is drawn to the target `log(n_max / n_c) / sum_k log(n_max / n_k)` by `epsilon` times the
    sign of the input's gradient. The gradient is taken in float32 or better, whatever the precision of the run; the
    perturbed image is classified in that of the run, whose rounding may hide the effect of a small step.

    Args:
        class_counts: Class sizes of the training part, shape (C,).
        epsilon: Length of the step for each pixel and channel.
        temperature: Divides the logits before the gradient is taken; the prediction itself has temperature 1.
        measure: Difference to the target: "cross_entropy", "mse" (squared error, mean over classes) or "focal" (the
            terms of the cross-entropy times `(1 - p) ** 2`).
        space: Unit of `epsilon`: that of the "normalized" image, with no bounds, or "unit", pixels that are kept
            within 0..1, for which `set_normalization` has to be called if images are normalised.

    Attributes:
        target: The target probabilities, shape (C,). Uniform, with a warning, if all classes are of one size.

    Raises:
        ValueError: A class has no training image, `epsilon` is negative, `temperature` is not positive, or `measure`
            or `space` is not one of those above.
    """

    target: Tensor
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        class_counts: Tensor,
        epsilon: float = 1e-3,
        temperature: float = 1000.0,
        measure: Literal["cross_entropy", "mse", "focal"] = "cross_entropy",
        space: Literal["normalized", "unit"] = "normalized",
    ) -> None:
        super().__init__(class_counts)
        if not epsilon >= 0:
            raise ValueError(f"epsilon must not be negative, but is {epsilon}.")
        if not temperature > 0:
            raise ValueError(f"temperature must be positive, but is {temperature}.")
        if measure not in ("cross_entropy", "mse", "focal"):
            raise ValueError(f"measure must be cross_entropy, mse or focal, but is {measure!r}.")
        if space not in ("normalized", "unit"):
            raise ValueError(f"space must be normalized or unit, but is {space!r}.")
        self.epsilon, self.temperature, self.measure, self.space = epsilon, temperature, measure, space
        log_frequency = _log_frequency(class_counts)
        rarity = log_frequency.max() - log_frequency
        if not rarity.any():
            rank_zero_warn("All classes have the same size: PerturbedInput takes a uniform target, which favours none.")
            rarity = torch.ones_like(rarity)
        self.register_buffer("target", rarity / rarity.sum(), persistent=False)
        self.register_buffer("mean", torch.zeros(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.ones(3, 1, 1), persistent=False)

    def set_normalization(self, mean: Tensor, std: Tensor) -> None:
        self.mean, self.std = mean.to(self.mean.device), std.to(self.std.device)

    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        return self.sweep(model, image, [self.epsilon])[0]

    def sweep(self, model: nn.Module, image: Tensor, epsilons: Sequence[float]) -> list[Tensor]:
        """Returns the logits (B, C) for each of several epsilons; the gradient is taken once."""
        direction = self._direction(model, image)
        with torch.no_grad():
            return [model(self._perturb(image, direction, epsilon)) for epsilon in epsilons]

    def difference(self, logits: Tensor) -> Tensor:
        """Returns the difference between softened probabilities and target, (B,), of logits (B, C) in float32."""
        target = self.target.to(logits.dtype)
        log_prob = (logits / self.temperature).log_softmax(dim=1)
        match self.measure:
            case "cross_entropy":
                return -(target * log_prob).sum(dim=1)
            case "mse":
                return (log_prob.exp() - target).square().mean(dim=1)
            case "focal":
                return -(target * (1 - log_prob.exp()).square() * log_prob).sum(dim=1)

    def _direction(self, model: nn.Module, image: Tensor) -> Tensor:
        """Sign of the gradient of each image, (B, 3, H, W)."""
        device = image.device.type
        # On a CPU the backward pass is faster if the channels of a pixel lie side by side.
        layout = torch.channels_last if device == "cpu" else torch.preserve_format
        exact = torch.promote_types(image.dtype, torch.float32)
        with torch.inference_mode(False), torch.enable_grad(), torch.autocast(device, enabled=False):
            image = image.to(exact, memory_format=layout, copy=True).requires_grad_()
            in_half = {
                name: tensor.detach().float()
                for name, tensor in chain(model.named_parameters(), model.named_buffers())
                if tensor.dtype in (torch.float16, torch.bfloat16)
            }
            logits = functional_call(model, in_half, image)
            # The sum over the batch and the factor leave the sign alone and keep the gradient from underflowing.
            loss = self.temperature * self.difference(logits).sum()
            return torch.autograd.grad(loss, image)[0].sign_()

    def _perturb(self, image: Tensor, direction: Tensor, epsilon: float) -> Tensor:
        """Steps against the direction, in the precision of the image."""
        if epsilon == 0:
            return image
        # The direction's layout, in which this pass is faster as well.
        image = torch.empty_like(direction, dtype=image.dtype).copy_(image)
        if self.space == "normalized":
            return (image - epsilon * direction).to(image.dtype)
        stepped = image - epsilon / self.std * direction
        return stepped.clamp(-self.mean / self.std, (1 - self.mean) / self.std).to(image.dtype)


def _log_frequency(class_counts: Tensor) -> Tensor:
    """Natural logarithm of n_c / N in float64, shape (C,)."""
    class_counts = checked_counts(class_counts)
    return (class_counts / class_counts.sum()).log()


PredictorFactory = Callable[[Tensor], Predictor]
