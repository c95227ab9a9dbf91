"""How a trained network is asked for logits at inference; predictors leave nothing in its checkpoint."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from torch import Tensor, nn

from lightning_imbal.losses.base import ImbalancedLoss
from lightning_imbal.losses.checks import checked_counts


class Predictor(nn.Module, ABC):
    """Turns images into logits at validation, test and prediction time.

    Args:
        class_counts: Class sizes of the training part, shape (C,).

    Attributes:
        needs_calibration: Whether `calibrate` is to be called before testing.
        asks_image: Whether it looks at images; else it takes stored features with the head as well.
    """

    needs_calibration: bool = False
    asks_image: bool = True

    def __init__(self, class_counts: Tensor) -> None:
        super().__init__()

    def check(self, count: Callable[[str], int], losses: Sequence[ImbalancedLoss]) -> None:
        """Refuses data that it cannot be fitted on, and losses that it does not go with.

        Args:
            count: Images of a part: train, val or test; asked only where it matters: the labels are read for it.
            losses: Those that have trained the network.

        Raises:
            ValueError: It does not fit; the message says the mend.
        """
        if self.needs_calibration and not count("val"):
            raise ValueError(
                f"{type(self).__name__} is fitted on the validation part, but there is none: "
                "give the split one (data.split.val=0.1), or the predictor its value."
            )

    def set_normalization(self, mean: Tensor, std: Tensor) -> None:
        """Tells before an evaluation how images were normalised: pixels in 0..1, less `mean`, over `std`, (3, 1, 1)."""

    def forget_calibration(self) -> None:
        """Undoes what `calibrate` has fitted, before it is fitted anew."""

    def calibrate(self, logits: Tensor, label: Tensor) -> None:
        """Fits what is learnt after training, to the logits (N, C) that it gives validation images, and labels (N,)."""

    @abstractmethod
    def forward(self, model: nn.Module, image: Tensor) -> Tensor:
        """Returns logits (B, C) of normalised images (B, 3, H, W); `model` is in evaluation mode."""


PredictorFactory = Callable[[Tensor], Predictor]


def class_log_frequency(class_counts: Tensor) -> Tensor:
    """Natural logarithm of n_c / N in float64, shape (C,)."""
    class_counts = checked_counts(class_counts)
    return (class_counts / class_counts.sum()).log()
