"""What every method shares: backbone, optimizer, epochs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import torch
from lightning.pytorch import Callback
from lightning.pytorch.cli import OptimizerCallable
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_imbal.backbones.create import Network, Pooling, architecture_of, create_backbone, feature_size
from lightning_imbal.backbones.tuning import Tuning
from lightning_imbal.backbones.tuning_blocks import Unfreeze
from lightning_imbal.callbacks.frozen_network import FrozenNetwork
from lightning_imbal.callbacks.of_every_training import OfEveryTraining
from lightning_imbal.callbacks.of_training import averages
from lightning_imbal.contract import Batch, DeepData, ImbalData, data_of, image_count, known_data
from lightning_imbal.errors import UserError
from lightning_imbal.losses.base import ImbalancedLoss
from lightning_imbal.modules.base_batches import as_batch, as_floats
from lightning_imbal.modules.base_checkpoint import depth_of, forget_places, is_partial
from lightning_imbal.modules.base_checks import check_classes, check_counts, check_order, check_pairs, check_views
from lightning_imbal.modules.base_normalization import tell_weights_normalization
from lightning_imbal.modules.base_optimized import Optimized
from lightning_imbal.modules.base_optimizers import SchedulerFactory, check_optimizer
from lightning_imbal.modules.base_stored import refuse_stored
from lightning_imbal.modules.base_tuning import Parts


class ImbalModule(Optimized, ABC):
    """A network that is trained on imbalanced classes; a child says its `training_step`.

    Args:
        class_counts: Class sizes of the training part, ordered by label.
        class_names: Names of the classes, ordered by label.
        class_groups: Class names per group (major, middle, minor) whose mean scores are reported; None takes thirds.
        backbone: Name of a timm network, `hf-hub:owner/name`, `local-dir:folder`, or a network of your own that gives
            features (B, D) and has D as its attribute `num_features`.
        pretrained: True: timm's weights; a path: a local file; False: from scratch.
        optimizer: Built with the trained parameters.
        scheduler: Built with the optimizer and the Trainer's number of epochs, stepped once an epoch; one that waits
            for a validation score has its name as `monitor`.
        image_size: Side of the pictures that a ViT or Swin is built for, in pixels; the program fills it in.
        pooling: How its tokens become one feature: `token`, `avg` or `map` (attention); None is the backbone's own way.
        grad_checkpointing: Saves memory: computes activations again in the backward pass.
        architecture: What a `hf-hub:` or `local-dir:` backbone is; the program fills it in from a checkpoint.
        tuning: What is trained of the backbone in place of all its weights, such as `LoRA`; None trains all.
        unfreeze: What of the backbone is trained while the rest stays as it is: `last_block`, `last_stage`, a number of
            last blocks, or `norms`. Beside `tuning`, this too is trained. BatchNorm that is not keeps its statistics.
        layer_decay: Share of the rate of the layer behind it at which each layer of the backbone learns. The classifier
            and all else learn at the whole rate; None: all do.
        checkpoint_parts: `trained` leaves out of checkpoints what `pretrained` brings and is never trained.
    """

    classifies = False  # whether it can be tested, and a second stage may keep its classifier
    closed_form = False  # whether its classifier is computed, without steps of an optimizer
    freezes_backbone = False  # whether the backbone stays as it is, and training needs no backward pass through it
    whole_batches = False  # whether a batch is all that is drawn in an epoch
    needs_pairs = False  # whether a batch must hold a second batch, `other`, drawn by the data's `paired_sampler`
    min_views: int = 1  # views of each training image that it needs
    max_views: int | None = 1  # and how many it can use; None: any number
    transforms: Callable[[Any], Tensor] | None = None  # from a picture to what it takes, where that is known
    class_counts: Tensor

    def __init__(
        self,
        class_counts: list[int],
        class_names: list[str],
        class_groups: dict[str, list[str]] | None = None,
        backbone: str | Network = "resnet50",
        pretrained: bool | str = False,
        optimizer: OptimizerCallable = torch.optim.SGD,
        scheduler: SchedulerFactory | None = None,
        image_size: int | None = None,
        pooling: Pooling | None = None,
        grad_checkpointing: bool = False,
        architecture: dict[str, Any] | None = None,
        tuning: Tuning | None = None,
        unfreeze: Unfreeze | None = None,
        layer_decay: float | None = None,
        checkpoint_parts: Parts = "all",
    ) -> None:
        super().__init__()
        check_counts(class_counts, class_names)
        # Weights are in the checkpoint anyway, and the code of a network of one's own cannot be.
        self.save_hyperparameters(ignore=["backbone"] if isinstance(backbone, nn.Module) else [])
        # What is not plain data (built from Python rather than YAML) would make the checkpoint unsafe to load.
        for name in [name for name, value in self.hparams.items() if callable(value)]:
            del self.hparams[name]
        self.class_names = list(class_names)
        self.register_buffer("class_counts", torch.tensor(class_counts, dtype=torch.float64))
        self.backbone = create_backbone(backbone, pretrained, image_size, pooling, grad_checkpointing, architecture)
        self.hparams["architecture"] = architecture_of(self.backbone)
        self.tune(tuning, unfreeze, layer_decay, checkpoint_parts, new_pooling=pooling == "map")
        self.feature_size = feature_size(self.backbone)
        self.optimizer, self.scheduler = optimizer, scheduler
        self.normalization: dict[str, Tensor] | None = None  # of the pictures that it was trained on

    @property
    def datamodule(self) -> ImbalData | None:
        """The DataModule of its Trainer, if it may be asked what a module asks of its data."""
        return known_data(data_of(self._trainer)) if self._trainer else None

    def setup(self, stage: str) -> None:
        """Pictures are normalised as those that it was trained on, whatever the DataModule says."""
        super().setup(stage)
        if not (data := self.datamodule):
            return
        if stage != "predict":
            check_classes(self.class_names, data)
        if self.normalization:
            data.normalize.load_state_dict(self.normalization)
        elif self.hparams.get("pretrained"):
            tell_weights_normalization(self.backbone, data)
        if stage == "fit":
            try:
                self.check(data)
            except ValueError as error:
                raise UserError(str(error)) from error

    def _apply_batch_transfer_handler(
        self, batch: Any, device: torch.device | None = None, dataloader_idx: int = 0
    ) -> Batch:
        # Not in Lightning's hooks: beside those of a DataModule it warns of them.
        batch = super()._apply_batch_transfer_handler(as_batch(batch), device, dataloader_idx)
        return as_floats(batch, self.normalization, self.dtype)  # type: ignore[arg-type]  # no text, as declared

    def teardown(self, stage: str) -> None:
        """Keeps how the pictures were normalised."""
        if stage == "fit" and (data := self.datamodule):
            self.normalization = {name: value.cpu().clone() for name, value in data.normalize.state_dict().items()}

    @abstractmethod
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor | None:
        """Returns the loss of a batch; None if there is nothing to train."""

    def configure_callbacks(self) -> list[Callback]:
        """Brings the start of an epoch, the steps of schedules that wait for a score, the guard against divergence.

        Where weights are averaged, also what keeps those that are frozen.
        """
        averaged = self._trainer is not None and averages(self.trainer.callbacks)  # type: ignore[attr-defined]  # Lightning sets it
        return [OfEveryTraining(), *([FrozenNetwork()] if averaged and self.frozen_tensors() else [])]

    def check(self, data: ImbalData) -> None:
        """Refuses data that it cannot be trained on.

        Raises:
            UserError: A loss cannot learn from it, or wants grades, or a batch has too few or too many views, or no
                second image, or features are given to what trains a backbone.
            ValueError: Likewise.
        """
        refuse_stored(self, data)
        check_optimizer(self.optimizer, self.whole_batches)
        self.check_parts(self.hparams.get("pretrained"))
        for loss in self.losses():
            loss.check(image_count(data))
        check_order(self, data)
        check_views(self, data)
        check_pairs(self, data)

    def check_inference(self, data: ImbalData) -> None:
        """Refuses data that it cannot be tested on; ValueError says the mend."""

    def check_first(self) -> None:
        """Refuses to be the first stage, where there must be one before it; UserError says the mend."""

    def check_earlier(self, earlier: "ImbalModule") -> None:
        """Refuses a stage before it whose network it cannot take over; UserError says the mend."""

    def validation_scores(self) -> list[str]:
        """What an epoch can be chosen by, as it is logged."""
        return ["val/loss"]

    def losses(self) -> Iterator[ImbalancedLoss]:
        """The losses in it that know the class sizes, also those within others."""
        return (module for module in self.modules() if isinstance(module, ImbalancedLoss))

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Tells what has a schedule that `epoch` (1-based) of `max_epochs` begins; ValueError if that is no number."""
        for loss in self.losses():
            loss.set_epoch(epoch, max_epochs)

    def batches(self, loader: DataLoader[Any]) -> Iterator[Batch]:
        """Yields the batches of a loader outside of the Trainer's loops, as in them: on this device, normalised."""
        for batch in loader:
            yield self.trainer.strategy.batch_to_device(batch)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Stores the normalisation of the pictures, and forgets the files that weights once came from."""
        super().on_save_checkpoint(checkpoint)
        forget_places(checkpoint["hyper_parameters"], is_partial(checkpoint))
        if data := self.datamodule:
            checkpoint["normalize"] = data.normalize.state_dict()
        if isinstance(self.datamodule, DeepData):
            checkpoint["depth"] = self.datamodule.depth.kept

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Pictures are read and normalised as in training, whatever the DataModule says that they are tested with."""
        super().on_load_checkpoint(checkpoint)
        if isinstance(self.datamodule, DeepData):
            self.datamodule.take_depth(depth_of(checkpoint))
        if "normalize" not in checkpoint:
            return
        # Copies: what is mapped from a file goes with the file.
        self.normalization = {name: value.clone() for name, value in checkpoint["normalize"].items()}
        if data := self.datamodule:
            data.normalize.load_state_dict(self.normalization)
