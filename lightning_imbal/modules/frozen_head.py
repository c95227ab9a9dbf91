"""Second stage: a classifier on a frozen backbone."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from lightning_imbal.errors import UserError
from lightning_imbal.modules.base import Batch, ImbalClassifier


class FrozenHead(ImbalClassifier):
    """Trains only the classifier; the backbone of the first stage is fixed, its BatchNorm statistics too.

    Stage two of Marrakchi et al. 2021 (section 3: balanced by copies) and of Zeng et al. 2023 (re-weighted).

    Args:
        backbone_ckpt: Checkpoint of the first stage; the program fills it in when it trains both stages.
        init: `new` starts from a random classifier, `keep` from that of the first stage.
        **kwargs: Arguments of `ImbalClassifier`.
    """

    def __init__(self, backbone_ckpt: str | None = None, init: Literal["new", "keep"] = "new", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.backbone_ckpt, self.init = backbone_ckpt, init
        self.backbone.requires_grad_(False).eval()

    def setup(self, stage: str) -> None:
        """Loads the first stage before training; a resumed or tested checkpoint brings all weights itself."""
        if stage != "fit" or self.backbone_ckpt is None:
            return
        if not Path(self.backbone_ckpt).is_file():
            raise UserError(f"There is no checkpoint {self.backbone_ckpt}: give backbone_ckpt that of a first stage.")
        state = torch.load(self.backbone_ckpt, map_location="cpu", weights_only=True)["state_dict"]
        for part in ["backbone", "head"] if self.init == "keep" else ["backbone"]:
            weights = {
                key.removeprefix(f"{part}."): value for key, value in state.items() if key.startswith(f"{part}.")
            }
            try:
                getattr(self, part).load_state_dict(weights)
            except RuntimeError as error:
                raise UserError(
                    f"The {part} in {self.backbone_ckpt} is not the {part} of this stage: "
                    "set the same backbone and head in both stages, or init: new."
                ) from error

    def train(self, mode: bool = True) -> Self:
        """Keeps the backbone in evaluation mode, whatever the mode of the rest."""
        super().train(mode)
        self.backbone.eval()
        return self

    def trained_parameters(self) -> Iterable[nn.Parameter]:
        return self.head.parameters()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = self.loss(self(batch["image"]), batch["label"])
        self.log_loss("train/loss", loss)
        return loss
