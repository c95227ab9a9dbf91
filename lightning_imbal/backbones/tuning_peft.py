"""Small matrices and vectors beside the layers of a frozen network, by the library `peft`."""

import re
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from torch import nn

from lightning_imbal.backbones.known import config_of, name_of
from lightning_imbal.backbones.sizes import built_size
from lightning_imbal.backbones.trial import shape_of_features
from lightning_imbal.backbones.tuning import Tuning
from lightning_imbal.errors import UserError
from lightning_imbal.wording import number_of


class Adapters(Tuning):
    """Small trained parts beside some layers of a network; each begins without any effect.

    Args:
        layers: Last names of linear layers and convolutions, such as `qkv` and `proj`; None takes every linear layer
            and every 1 x 1 convolution.
    """

    def __init__(self, layers: Sequence[str] | None = None) -> None:
        self.layers = None if layers is None else list(layers)

    def __call__(self, backbone: nn.Module) -> str:
        try:
            import peft
        except ImportError as error:
            raise UserError(f"model.tuning needs {error.name}: pip install 'lightning_imbal[lora]'.") from error
        found = self._found(backbone)
        config = self.config(peft, found)
        config.target_modules = _exactly(found)
        peft.inject_adapter_in_model(config, backbone)
        return f"{self.said} in {number_of(len(found), 'layer')}"

    @property
    @abstractmethod
    def said(self) -> str:
        """What is put beside a layer, in words."""

    @abstractmethod
    def config(self, peft: Any, layers: Sequence[str]) -> Any:
        """What peft is to do with layers of these names."""

    def _found(self, backbone: nn.Module) -> list[str]:
        """Names of the layers beside which something can be trained."""
        able = {name: layer for name, layer in backbone.named_modules() if _is_plain(layer)}
        if self.layers is None:
            able = {name: layer for name, layer in able.items() if layer.weight[0, 0].numel() == 1}
        else:
            able = {name: layer for name, layer in able.items() if _ends(name, self.layers)}
        found = _called(backbone, able)
        absent = [layer for layer in self.layers or () if not any(_ends(name, [layer]) for name in found)]
        if absent or not found:
            what = f"named {absent[0]}" if absent else "or 1 x 1 convolution"
            raise UserError(
                f"{type(self).__name__} finds no linear layer {what} in {name_of(backbone)} that it could train a part "
                f"beside: name others as model.tuning.layers{_some(backbone)}, or choose model.unfreeze=last_block."
            )
        return found


class LoRA(Adapters):
    """Low-rank adaptation: beside the weights W of a layer, a product of two small matrices is trained.

    E. J. Hu, Y. Shen, P. Wallis, Z. Allen-Zhu, Y. Li, S. Wang, L. Wang, W. Chen. LoRA: Low-Rank Adaptation of Large
    Language Models. ICLR 2022, section 4.1. A layer of `in` to `out` features gets rank (in + out) trained numbers; a
    k x k convolution rank (k^2 in + out).

    Equation:
        h = W x + alpha / rank B A x
        B: (out, rank), zero at first;   A: (rank, in), random

    Args:
        rank: Rank of the product.
        alpha: Its weight is alpha / rank.
        dropout: Share of the input of A that is set to 0 in training.
        layers: Last names of the layers; None takes every linear layer and every 1 x 1 convolution.
    """

    def __init__(
        self, rank: int = 8, alpha: float = 16.0, dropout: float = 0.0, layers: Sequence[str] | None = None
    ) -> None:
        super().__init__(layers)
        if rank < 1:
            raise ValueError(f"rank must be at least 1, but is {rank}.")
        if not alpha > 0:
            raise ValueError(f"alpha must be positive, but is {alpha}.")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, but is {dropout}.")
        self.rank, self.alpha, self.dropout = rank, alpha, dropout

    @property
    def said(self) -> str:
        return f"LoRA of rank {self.rank}"

    def config(self, peft: Any, layers: Sequence[str]) -> Any:
        return peft.LoraConfig(r=self.rank, lora_alpha=self.alpha, lora_dropout=self.dropout)


class IA3(Adapters):
    """Trains one factor for each feature that a layer gives, or that the second layer of a perceptron takes.

    H. Liu, D. Tam, M. Muqeeth, J. Mohta, T. Huang, M. Bansal, C. Raffel. Few-Shot Parameter-Efficient Fine-Tuning is
    Better and Cheaper than In-Context Learning. NeurIPS 2022, section 3.3. Queries, keys and values of timm's networks
    come from one layer, `qkv`: all three get factors. Those of a perceptron are between its layers, before `fc2`.

    Equation:
        h = l * (W x),   before fc2: h = W (l * x);   l: 1 at first

    Args:
        layers: Last names of the layers; None takes `qkv` and `fc2` where there are such, else as `LoRA` does.
    """

    said = "IA3"

    def _found(self, backbone: nn.Module) -> list[str]:
        found = super()._found(backbone)
        of_paper = [name for name in found if _ends(name, ("qkv", "fc2"))]
        return of_paper if self.layers is None and of_paper else found

    def config(self, peft: Any, layers: Sequence[str]) -> Any:
        return peft.IA3Config(feedforward_modules=_exactly([name for name in layers if _ends(name, ["fc2"])]))


def merged(network: nn.Module) -> nn.Module:
    """A copy of a network in whose weights its adapters are contained; the network itself if it has none."""
    if not _adapters(network):
        return network
    copy = deepcopy(network)
    for name, layer in _adapters(copy).items():
        layer.merge()
        copy.set_submodule(name, layer.get_base_layer())
    return copy


def _adapters(network: nn.Module) -> dict[str, Any]:
    return {name: layer for name, layer in network.named_modules() if hasattr(layer, "get_base_layer")}


def _exactly(names: Iterable[str]) -> str:
    """An expression that the names match and no others; peft takes names by their ends."""
    return "|".join(map(re.escape, names))


def _ends(name: str, ends: Sequence[str]) -> bool:
    return f".{name}".endswith(tuple(f".{end}" for end in ends))


def _is_plain(layer: nn.Module) -> bool:
    """Whether a sum of weights gives the sum of outputs, and peft knows how: not where weights are standardised."""
    if type(layer) is not nn.Conv2d:
        return type(layer) is nn.Linear
    return layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros"


def _called(backbone: nn.Module, layers: dict[str, nn.Module]) -> list[str]:
    """Which layers a network calls; all of them if that cannot be seen.

    Of some, as in the attention of BEiT and EVA-02, it takes the weights without calling them, and what is beside them
    would never learn. Shapes alone go through the network.
    """
    called: set[str] = set()
    hooks = [layer.register_forward_pre_hook(lambda *_, name=name: called.add(name)) for name, layer in layers.items()]
    try:
        side, *_ = built_size(backbone) or config_of(backbone)["input_size"][1:]
        shape_of_features(backbone, side, 2)
    except Exception:  # each network has its own, such as of operations that need numbers
        called = set(layers)
    finally:
        for hook in hooks:
            hook.remove()
    return [name for name in layers if name in called]


def _some(backbone: nn.Module) -> str:
    """Some names that could be given."""
    names = [name.rpartition(".")[2] for name, layer in backbone.named_modules() if _is_plain(layer)]
    some = [name for name in dict.fromkeys(names) if not name.isdigit()][:4]
    return f", such as [{', '.join(some)}]" if some else ""
