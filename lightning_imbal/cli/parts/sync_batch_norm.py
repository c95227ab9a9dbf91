"""BatchNorm over the batch of all devices, also where a layer of timm has its activation within."""

from lightning.pytorch.plugins import TorchSyncBatchNorm
from timm.layers.norm_act import convert_sync_batchnorm
from torch import nn


class TimmSyncBatchNorm(TorchSyncBatchNorm):
    """Turns layers into those that see the whole batch, and after training back into what they were.

    That of Lightning loses the activations of EfficientNet, MobileNet and all other networks that have them within
    `BatchNormAct2d`, in training and once more after it.
    """

    def __init__(self) -> None:
        self._before: dict[str, nn.Module] = {}

    def apply(self, model: nn.Module) -> nn.Module:
        """Replaces the layers of a model; parameters stay the same."""
        self._before = {name: layer for name, layer in model.named_modules() if _is_batch_norm(layer)}
        return convert_sync_batchnorm(model)

    def revert(self, model: nn.Module) -> nn.Module:
        """Puts the layers back, with what they have learned."""
        for name, layer in self._before.items():
            learned = model.get_submodule(name)
            layer.load_state_dict(learned.state_dict(), assign=True)
            model.set_submodule(name, layer.train(learned.training))
        return model


def _is_batch_norm(layer: nn.Module) -> bool:
    return isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d)
