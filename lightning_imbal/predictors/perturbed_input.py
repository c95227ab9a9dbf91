"""Perturbed input, Chen et al. 2021."""

from collections.abc import Sequence
from itertools import chain
from typing import Literal

import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn
from torch.func import functional_call

from lightning_imbal.predictors.base import Predictor, class_log_frequency


class PerturbedInput(Predictor):
    """Classifies each image after a small step of its pixels in favour of the rare classes.

    Chen et al. 2021, "Alleviating Data Imbalance Issue with Perturbed Input During Inference", Eq. 1-3: the softmax of
    `logits / temperature` is drawn to the target `log(n_max / n_c) / sum_k log(n_max / n_k)` by `epsilon` times the
    sign of the input's gradient. The gradient is taken in float32 or better, whatever the precision of the run; the
    perturbed image is classified in that of the run, whose rounding may hide the effect of a small step.

    Equation:
        x' = x - epsilon sign(grad_x l),   answer: argmax z(x')
        l = -sum_c target[c] log softmax(z(x) / temperature)[c]
        target[c] = log(n_max / n_c) / sum_k log(n_max / n_k)
        n_max: the largest n_c

    Limits:
        It needs gradients at inference: a test takes several times as long. The largest class has a target of 0 and is
        mostly answered less often. `epsilon` depends on the data: the paper has 0.001 and 0.0001.

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
        log_frequency = class_log_frequency(class_counts)
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
