"""Temperature scaling."""

import math

import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from lightning_imbal.predictors.base import Predictor


class TemperatureScaled(Predictor):
    """Divides the logits by a temperature: other probabilities, the same ranking of the classes.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", Eq. 9.

    Args:
        class_counts: Class sizes of the training part, shape (C,).
        temperature: None is 1 until `calibrate` has found the best for the validation part.

    Raises:
        ValueError: `temperature` is not positive.
    """

    asks_image = False

    def __init__(self, class_counts: Tensor, temperature: float | None = None) -> None:
        super().__init__(class_counts)
        if temperature is not None and not temperature > 0:
            raise ValueError(f"temperature must be positive or null, but is {temperature}.")
        self.needs_calibration = temperature is None
        self.temperature = 1.0 if temperature is None else temperature

    def forget_calibration(self) -> None:
        if self.needs_calibration:
            self.temperature = 1.0

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
