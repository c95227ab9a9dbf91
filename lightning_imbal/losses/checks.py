"""Arguments that several losses refuse."""

import torch
from torch import Tensor


def checked_counts(class_counts: Tensor) -> Tensor:
    """Returns class sizes (C,) in float64; ValueError if one of them is not positive."""
    class_counts = torch.as_tensor(class_counts, dtype=torch.float64)
    empty = (~(class_counts > 0)).nonzero().flatten().tolist()
    if empty:
        raise ValueError(
            f"No training image has class label {', '.join(map(str, empty))}: "
            "leave the class out of the data set or choose a split that keeps some of its images for training."
        )
    return class_counts


def checked_epochs(max_epochs: int, owner: str) -> int:
    """Returns the number of epochs; ValueError, which names its owner, if it is not positive: -1 is without end."""
    if not max_epochs > 0:
        raise ValueError(
            f"{owner} needs to know the number of epochs, but max_epochs is {max_epochs}: set that of the Trainer."
        )
    return max_epochs


def checked_temperature(temperature: float) -> float:
    """Returns a temperature; ValueError if it is not positive."""
    if not temperature > 0:
        raise ValueError(f"temperature must be positive, but is {temperature}.")
    return temperature
