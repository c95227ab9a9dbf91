"""Second stage: a classifier on a frozen backbone."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, Self

import torch
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_imbal.contract import Batch, ImbalData, data_of, image_count
from lightning_imbal.errors import UserError
from lightning_imbal.heads.base import ClosedFormHead
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_first_stage import check_backbone, check_head, check_metadata, load_parts
from lightning_imbal.modules.base_normalization import tell_checkpoint_normalization
from lightning_imbal.modules.base_on_features import OnFeatures
from lightning_imbal.modules.base_optimizers import check_search, searches
from lightning_imbal.modules.base_stored import with_features
from lightning_imbal.predictors.plain import Plain


class FrozenHead(OnFeatures):
    """Trains only the classifier; the backbone of the first stage is fixed, its BatchNorm statistics too.

    Stage two of Marrakchi et al. 2021 (section 3: balanced by copies), of Zeng et al. 2023 (cRW, cRS), and the
    classifiers of Kang et al. 2020: cRT, learnable weight scaling, tau-normalisation, nearest class mean.

    With `cache_views` the frozen backbone sees every training image that many times before training, and the classifier
    is trained on the stored features. That gives up augmentation: an image has `cache_views` versions, drawn once,
    instead of a new one in each epoch. Without a random augmentation nothing is given up. Features of the validation
    part are stored too, unless the predictor is another than `Plain`. Stored features take 4 bytes a number: 61 MB for
    7,500 images and ResNet-50. They stay on the GPU if they take no more than half of what is free there.

    With the data's `features`, the features of all parts were stored before by `lightning_imbal features`, and no
    picture is opened: `cache_views` then takes the first so many of the versions that are stored, None all of them.

    With `torch.optim.LBFGS`, which takes stored features, a batch is all that is drawn in an epoch, whatever the data's
    `batch_size` is: with a linear head, cross-entropy and `l2_penalty` that is logistic regression, solved in an epoch.

    Equation:
        L = loss(head(f), y) + l2_penalty / 2 ||W||^2
        f: feature of the first stage, which stays as it is
        W: weights of the head, without its bias

    Limits:
        What the features of the first stage do not tell apart, no classifier on them will.

    Args:
        backbone_ckpt: Checkpoint of the first stage; the program fills it in when it trains both stages.
        init: `new` starts from a random classifier, `keep` from that of the first stage.
        cache_views: Stored versions of each training image; None stores nothing. A `ClosedFormHead`, which is computed
            instead of trained, always has one.
        metadata_size: That of a first stage which looks at attributes of the images, whose perceptron is kept as the
            backbone is; the program fills it in.
        l2_penalty: Weight of the penalty; scikit-learn's C is 1 / (l2_penalty N) for N training images.
        **kwargs: Arguments of `ImbalClassifier`.
    """

    freezes_backbone = True

    def __init__(
        self,
        backbone_ckpt: str | None = None,
        init: Literal["new", "keep"] = "new",
        cache_views: int | None = None,
        metadata_size: int = 0,
        l2_penalty: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(metadata_size=metadata_size, **kwargs)
        if not 0 <= l2_penalty < float("inf"):
            raise ValueError(f"l2_penalty must be a number of at least 0, but is {l2_penalty}.")
        if cache_views is not None and cache_views < 1:
            raise ValueError(f"cache_views must be at least 1, or null to store no features, but is {cache_views}.")
        self.backbone_ckpt, self.init = backbone_ckpt, init
        self.closed_form = isinstance(self.head, ClosedFormHead)
        self.cache_views = 1 if self.closed_form and cache_views is None else cache_views
        self.l2_penalty, self.whole_batches = l2_penalty, searches(self.optimizer) and self.cache_views is not None
        self._left_out = [*super().left_out()]
        for part in self.frozen.values():
            part.requires_grad_(False).eval()
        self._drawn = self._changes()

    @property
    def frozen(self) -> dict[str, nn.Module]:
        """The parts of the first stage that stay as they are, by their names."""
        return {"backbone": self.backbone} | ({} if self.perceptron is None else {"perceptron": self.perceptron})

    def frozen_tensors(self) -> dict[str, Tensor]:
        """All tensors of the parts of the first stage, by their names in the state of the module."""
        states = {name: part.state_dict() for name, part in self.frozen.items()}
        return {f"{name}.{key}": value for name, state in states.items() for key, value in state.items()}

    def left_out(self) -> dict[str, Tensor]:
        """What of the backbone the first stage did not train either; without a first stage, all of it."""
        state = {f"backbone.{name}": value for name, value in self.backbone.state_dict().items()}
        every = self._left_out if self.trained_of_backbone or self.backbone_ckpt else state
        return {name: state[name] for name in every}

    def _changes(self) -> int:
        """How often the weights of the backbone were written: other weights may have been loaded since they were."""
        return sum(parameter._version for parameter in self.backbone.parameters())

    def setup(self, stage: str) -> None:
        """Loads the first stage before training; a resumed or tested checkpoint brings all weights itself."""
        super().setup(stage)
        stored = with_features(self.datamodule)
        if stored and stage != "predict":
            stored.read_features(self.cache_views, self.whole_batches)
        if stage != "fit":
            return
        if stored:
            rank_zero_info(f"Features: those in {stored.features}; no picture is opened.")
        if self.whole_batches:
            check_search(self.trainer)
        if self._trainer and not self._trainer.ckpt_path and self._changes() == self._drawn:
            self.check_first()
        if self.backbone_ckpt is not None:
            load_parts(Path(self.backbone_ckpt), self._taken_over)
            self.check_left_out(self.backbone_ckpt)
            tell_checkpoint_normalization(Path(self.backbone_ckpt), self.datamodule)
        if self.cache_views and not stored:
            data = self.datamodule
            if data is None:
                raise UserError("cache_views needs an ImbalDataModule to store features of: give the Trainer one.")
            of_val = self.closed_form or isinstance(self.predictor, Plain)
            data.store_features(self.encode, self.cache_views, of_val, self.whole_batches)
        if self.closed_form and self.trainer.world_size > 1:  # where Lightning asks for something to train
            next(self.backbone.parameters()).requires_grad_(True)

    def teardown(self, stage: str) -> None:
        """Leaves the data as it was, for other modules."""
        super().teardown(stage)
        self.backbone.requires_grad_(False)
        if (data := self.datamodule) and ((stage == "fit" and self.cache_views) or with_features(data)):
            data.forget_features()

    def check(self, data: ImbalData) -> None:
        if isinstance(self.head, ClosedFormHead):
            self.head.check(image_count(data))
        super().check(data)
        if stored := with_features(data):
            stored.versions(self.cache_views)
            stored.check_features({} if self.begins_trained else self.known_facts(stored.image_size))

    def check_first(self) -> None:
        if not (self.backbone_ckpt or self.hparams.get("pretrained")):
            raise UserError(
                "FrozenHead would train a classifier on a backbone of random weights: train one before it, as "
                "the first of two stages, or set model.backbone_ckpt=FILE (of a run) or model.pretrained=FILE."
            )
        if self.backbone_ckpt is not None:
            load_parts(Path(self.backbone_ckpt), self._taken_over, check_only=True)

    @property
    def _taken_over(self) -> dict[str, nn.Module]:
        """What a first stage has trained, by its names in its checkpoint."""
        return {**self.frozen, **({"head": self.head} if self.init == "keep" else {})}

    def check_earlier(self, earlier: ImbalModule) -> None:
        self.begins_trained = not earlier.freezes_backbone
        check_backbone(earlier, self.backbone)
        check_metadata(earlier, self)
        if self.init == "keep":
            check_head(earlier, self.head)

    def encode(self, loader: DataLoader[Any]) -> Tensor:
        """Returns the features (N, D) of a loader's images on the CPU, of all devices."""
        # What is made in inference mode, as in the check before training, could not be trained on.
        with torch.inference_mode(False), torch.no_grad(), self.trainer.precision_plugin.forward_context():
            batches = self.batches(loader)
            feature = torch.cat([self.feature(batch["image"], batch.get("metadata")) for batch in batches])
            return self.gather(feature.to(torch.promote_types(feature.dtype, torch.float32))).cpu()

    def train(self, mode: bool = True) -> Self:
        """Keeps what is frozen in evaluation mode, whatever the mode of the rest."""
        super().train(mode)
        for part in self.frozen.values():
            part.eval()
        return self

    def trained_parameters(self) -> Iterable[nn.Parameter]:
        return self.head.parameters()

    def build_optimizers(self, max_epochs: int, steps: Callable[[], int] | None = None) -> Any:
        """Builds optimizer and schedule; a head that is computed has none."""
        return None if self.closed_form else super().build_optimizers(max_epochs, steps)

    def on_train_start(self) -> None:
        """Computes a head that is not trained."""
        if not isinstance(self.head, ClosedFormHead):
            return
        train, val = (data_of(self.trainer).stored[part] for part in ("train", "val"))
        try:
            self.head.solve(train.samples(self.device), val.samples(self.device) if len(val) else None)
        except ValueError as error:
            raise UserError(str(error)) from error

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor | None:
        """Returns the loss of the logits of images or of stored features; None if there is nothing to train."""
        if self.closed_form:
            untrained = next(self.backbone.parameters())
            return 0 * untrained.sum() if untrained.requires_grad else None
        loss = self.batch_loss(self.logits(batch), batch["label"])
        self.log_loss("train/loss", loss)
        return loss + self.l2_penalty / 2 * self.squared_weights() if self.l2_penalty else loss

    def squared_weights(self) -> Tensor | int:
        """The sum of the squares of the head's weights, (), without biases and factors."""
        return sum(weight.square().sum() for weight in self.head.parameters() if weight.ndim > 1)
