"""What a module has to know of a backbone of which only a part is trained."""

from collections.abc import Iterable
from typing import Any, Literal, Self

from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn

from lightning_imbal.backbones.tuning import Tuning
from lightning_imbal.backbones.tuning_blocks import (
    Unfreeze,
    frozen_tensors,
    keeps_statistics,
    layer_rates,
    unfreeze_parts,
)
from lightning_imbal.errors import UserError
from lightning_imbal.modules.base_checkpoint import FROZEN, completed, digest_of
from lightning_imbal.modules.base_logging import LogsLosses

Parts = Literal["all", "trained"]
STATES = ("state_dict", "current_model_state")  # in a checkpoint, the second where weights are averaged


class PartlyTrained(LogsLosses):
    """A module whose backbone may be trained in part, or at lower rates in its first layers."""

    backbone: nn.Module
    trained_of_backbone = ""  # what of it is trained; empty: all, and its BatchNorm learns statistics
    layer_decay: float | None = None
    checkpoint_parts: Parts = "all"
    _digest = ""  # of what a checkpoint leaves out

    def tune(
        self,
        tuning: Tuning | None,
        unfreeze: Unfreeze | None,
        layer_decay: float | None,
        checkpoint_parts: Parts,
        new_pooling: bool = False,
    ) -> None:
        """Freezes the backbone but for what the first two say; without both, all of it is trained."""
        if layer_decay is not None and not 0 < layer_decay <= 1:
            raise ValueError(f"layer_decay must be above 0 and at most 1, but is {layer_decay}.")
        self.layer_decay, self.checkpoint_parts = layer_decay, checkpoint_parts
        if tuning is not None or unfreeze is not None:
            self.backbone.requires_grad_(False)
            said = [] if tuning is None else [tuning(self.backbone)]
            said += [] if unfreeze is None else [unfreeze_parts(self.backbone, unfreeze)]
            if new_pooling:  # which may be random
                self.backbone.get_submodule("attn_pool").requires_grad_(True)
                said.append("attention pooling")
            self.trained_of_backbone = ", ".join(said)
            PartlyTrained.train(self)  # a child's may know parts that are not built yet
        if layer_decay is not None:
            layer_rates(self.backbone, layer_decay)  # refuses what has no layers

    def setup(self, stage: str) -> None:
        """Notes what the frozen part is, before a Trainer may change its precision."""
        super().setup(stage)
        if self.trained_of_backbone:
            self.train(self.training)  # of a part that was put into the network since
        if self.checkpoint_parts == "trained" and not self._digest:
            self._digest = digest_of(self.left_out())

    def on_fit_start(self) -> None:
        """Warns where little could be learned."""
        super().on_fit_start()
        random = not self.hparams.get("pretrained") and isinstance(self.hparams.get("backbone"), str)
        if self.trained_of_backbone and random and not (self.trainer.ckpt_path or self.hparams.get("backbone_ckpt")):
            rank_zero_warn("What is frozen of the backbone has random weights: give it others as model.pretrained.")

    def train(self, mode: bool = True) -> Self:
        """Sets the mode of all layers, but BatchNorm that is frozen keeps its statistics."""
        super().train(mode)
        for layer in self.backbone.modules() if self.trained_of_backbone else ():
            if keeps_statistics(layer):
                layer.eval()
        return self

    def frozen_tensors(self) -> dict[str, Tensor]:
        """What stays as it is while the module is trained, by its names in the state of the module."""
        return self.left_out()

    def left_out(self) -> dict[str, Tensor]:
        """What is as `pretrained` brings it, and a checkpoint of trained parts leaves out."""
        if not self.trained_of_backbone:
            return {}
        return {f"backbone.{name}": value for name, value in frozen_tensors(self.backbone).items()}

    def check_parts(self, pretrained: bool | str | None) -> None:
        """Refuses checkpoints that would leave out nothing, or what could never be found again; UserError says so."""
        if self.checkpoint_parts == "all":
            return
        if not self.left_out():
            raise UserError(
                "model.checkpoint_parts is trained, but the whole backbone is: leave it out, or choose model.tuning or "
                "model.unfreeze."
            )
        if not pretrained:
            raise UserError(
                "model.checkpoint_parts is trained, and the rest would be the random weights that this run begins "
                "with: give model.pretrained, or leave it out."
            )

    def check_left_out(self, source: str) -> None:
        """Refuses weights of another checkpoint that are not those which `pretrained` brings; UserError says so."""
        if self._digest and self._digest != digest_of(self.left_out()):
            raise UserError(
                f"model.checkpoint_parts is trained, but what would be left out is in {source} another than "
                "model.pretrained brings: give the weights that it began with, or leave model.checkpoint_parts out."
            )

    def about_trained(self) -> list[str]:
        """A sentence on what is trained, none if that is all."""
        if not self.trained_of_backbone:
            return []
        trained = {*self.trained_parameters()}
        named = {name: value for name, value in self.named_parameters() if value.requires_grad and value in trained}
        parts = list(dict.fromkeys(name.partition(".")[0] for name in named))
        said = ", ".join(self.trained_of_backbone if part == "backbone" else part for part in parts)
        numbers = [sum(value.numel() for value in values) for values in (named.values(), self.parameters())]
        return ["Trained: {:,} of {:,} parameters ({}).".format(*numbers, said)]

    def trained_parameters(self) -> Iterable[nn.Parameter]:
        """The parameters that the optimizer gets."""
        return self.parameters()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leaves out what was not trained, if that is asked for."""
        if self.checkpoint_parts == "all":
            return
        absent = self.left_out().keys()
        for key in STATES & checkpoint.keys():
            checkpoint[key] = {name: value for name, value in checkpoint[key].items() if name not in absent}
        checkpoint[FROZEN] = self._digest or digest_of(self.left_out())

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Puts in what was left out."""
        for key in STATES & checkpoint.keys():
            checkpoint[key] = completed(checkpoint, self.state_dict(), key=key, digest=self._digest)
