"""Small parts of a network that are trained in place of all its weights."""

from abc import ABC, abstractmethod

from torch import nn

from lightning_imbal.backbones.known import name_of
from lightning_imbal.errors import UserError


class Tuning(ABC):
    """What is trained of a network whose weights are otherwise those that it began with."""

    @abstractmethod
    def __call__(self, backbone: nn.Module) -> str:
        """Makes a part of a frozen network learn, and says which.

        Args:
            backbone: None of its parameters is trained; it is changed.

        Raises:
            UserError: It has no such part.
        """


class BitFit(Tuning):
    """Trains the biases of a network alone, those of its normalisation too.

    E. Ben Zaken, S. Ravfogel, Y. Goldberg. BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked
    Language-models. ACL 2022.
    """

    def __call__(self, backbone: nn.Module) -> str:
        biases = [value for name, value in backbone.named_parameters() if name.rpartition(".")[2] == "bias"]
        if not biases:
            raise UserError(f"BitFit trains biases, and {name_of(backbone)} has none: choose another model.tuning.")
        for bias in biases:
            bias.requires_grad_(True)
        return f"{len(biases)} biases"
