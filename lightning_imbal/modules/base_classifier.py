"""What every method with a classifier shares: loss, head, predictor, and an evaluation per class."""

from collections.abc import MutableMapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lightning_imbal.contract import Batch, ImbalData, data_of, image_count
from lightning_imbal.errors import UserError
from lightning_imbal.factories.build import build
from lightning_imbal.heads.base import ClosedFormHead
from lightning_imbal.heads.build import HeadFactory, build_head
from lightning_imbal.losses.base import LossFactory
from lightning_imbal.losses.cross_entropy import CrossEntropy
from lightning_imbal.metrics.report import ImbalReport
from lightning_imbal.metrics.scores import classification_scores
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_batches import index_of
from lightning_imbal.modules.base_loss import build_loss
from lightning_imbal.modules.base_scores import log_at_once
from lightning_imbal.modules.base_stored import refuse_stored
from lightning_imbal.predictors.base import PredictorFactory
from lightning_imbal.predictors.fit import calibrate, tell_normalization
from lightning_imbal.predictors.plain import Plain


class ImbalClassifier(ImbalModule):
    """An ImbalModule with a classifier on the backbone's feature, evaluated per class.

    Args:
        loss: Built with the class counts.
        head: Built with the feature size and the number of classes.
        predictor: Built with the class counts; how logits are obtained at inference.
        **kwargs: Arguments of `ImbalModule`.
    """

    classifies = True
    features_of_image = 1  # that its head gets side by side
    features_beside = 0  # numbers that its head gets of something else

    def __init__(
        self,
        loss: LossFactory = CrossEntropy,
        head: HeadFactory = nn.Linear,
        predictor: PredictorFactory = Plain,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.loss = build_loss(loss, self.class_counts)
        in_features = self.features_of_image * self.feature_size + self.features_beside
        self.head = build_head(head, in_features, len(self.class_names))
        self.predictor = build(predictor, class_counts=self.class_counts)
        about_classes = (kwargs["class_counts"], self.class_names, kwargs.get("class_groups"))
        self.val_report, self.test_report = ImbalReport(*about_classes), ImbalReport(*about_classes)
        # Further reports of the test part, by their names.
        self.side_reports: MutableMapping[str, ImbalReport] = nn.ModuleDict()  # type: ignore[assignment]  # torch does not say of what

    @property
    def asks_beside_image(self) -> Sequence[str]:
        """What it would know of an image beside the picture, such as the age."""
        return ()

    def check(self, data: ImbalData) -> None:
        self.check_inference(data)
        super().check(data)

    def check_inference(self, data: ImbalData) -> None:
        """Refuses data and losses that its predictor does not go with; ValueError says the mend."""
        refuse_stored(self, data)
        self.predictor.check(image_count(data), list(self.losses()))

    def validation_scores(self) -> list[str]:
        report = self.val_report
        one_each = torch.eye(len(self.class_names)), torch.arange(len(self.class_names))
        scores = classification_scores(*one_each, report.class_counts, report.class_names, report.class_groups)
        return [f"val/{name}" for name in scores]

    def chosen_on_validation(self) -> dict[str, str]:
        """What its training chooses by a score of the validation part, and by which one: the option of a head, ..."""
        weights = {"class weights": "F1"} if any(loss.needs_difficulty for loss in self.losses()) else {}
        return weights | (self.head.chosen_on_validation if isinstance(self.head, ClosedFormHead) else {})

    def forward(self, image: Tensor) -> Tensor:
        """Returns logits (B, C) of images (B, 3, H, W)."""
        return self.head(self.backbone(image))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor | None:
        """Returns the loss of a batch: that of its logits."""
        loss = self.batch_loss(self(batch["image"]), batch["label"])
        self.log_loss("train/loss", loss)
        return loss

    def batch_loss(self, logits: Tensor, label: Tensor) -> Tensor:
        """Returns the loss of the batch of all devices, the same on each of them.

        A mean over weights, or over the hardest images, is that of the whole batch: the mean of what devices find by
        themselves is another number.

        Args:
            logits: Of this device, (B, C).
            label: Its classes, (B,).
        """
        return self.loss(self.gather(logits), self.gather(label))

    def probability(self, batch: Batch) -> Tensor:
        """Returns class probabilities (B, C), as the predictor obtains them."""
        return self.predictor(self.network(batch), batch["image"]).float().softmax(dim=1)

    def network(self, batch: Batch) -> nn.Module:
        """What gives a predictor the logits of a batch's images: itself."""
        return self

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Returns class probabilities (B, C)."""
        return self.probability(batch)

    def on_validation_start(self) -> None:
        """Tells predictors how the pictures are normalised."""
        if data := self.datamodule:
            tell_normalization(self, data.normalize.get_buffer("mean"), data.normalize.get_buffer("std"))

    def on_test_start(self) -> None:
        """Tells predictors how the pictures are normalised, and fits one that learns from the validation part."""
        self.on_validation_start()
        if not self.predictor.needs_calibration:
            return
        data, name = data_of(self.trainer), type(self.predictor).__name__
        if data is None:
            raise UserError(f"{name} is fitted to validation images: give the Trainer a DataModule, not a loader.")
        loader = data.val_dataloader()
        if not loader:
            raise UserError(f"{name} needs a validation part: set data.split.val=0.1.")
        calibrate(self.predictor, self.network, self.batches(loader))

    on_predict_start = on_test_start

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Collects predictions of the validation part."""
        self._report(self.val_report, batch)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Collects predictions of the test part."""
        self._report(self.test_report, batch)

    def _report(self, report: ImbalReport, batch: Batch) -> None:
        index = index_of(batch, report, self.global_rank, self.trainer.world_size)
        report.update(self.probability(batch), batch["label"], index)

    def on_validation_epoch_end(self) -> None:
        """Logs every score of the validation part: `val/f1`, `val/f1/<class>`, ...; some losses wait for them."""
        if self.trainer.state.fn == "fit" and not self.trainer.sanity_checking:
            for loss in filter(lambda loss: loss.needs_difficulty, self.losses()):
                loss.set_difficulty(self._class_f1())
        self._log_report("val", self.val_report)

    def _class_f1(self) -> Tensor:
        """F1 of each class (C,) on the validation part; NaN for a class that it lacks."""
        scores, label = self.val_report.compute(), self.val_report.predictions()["label"]
        f1 = torch.tensor([scores[f"f1/{name}"] for name in self.class_names])
        return f1.masked_fill(label.bincount(minlength=len(f1)) == 0, torch.nan)

    def on_test_epoch_end(self) -> None:
        """Logs every score of the test part: `test/f1`, `test/f1/<class>`, ..."""
        self._log_report("test", self.test_report)
        for name, report in self.side_reports.items():
            self._log_report(f"test_{name}", report)

    def _log_report(self, part: str, report: ImbalReport) -> None:
        # The report has gathered all devices' predictions: its scores are the same on each of them.
        scores = {f"{part}/{name}": value for name, value in report.compute().items()}
        report.reset()
        self.log(f"{part}/f1", scores[f"{part}/f1"], prog_bar=True, logger=self.trainer.state.fn != "fit")
        log_at_once(self.trainer, scores)
