"""Metric learning beside the classifier, stage one of Zeng et al. 2023."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from lightning_imbal.contract import Batch
from lightning_imbal.errors import UserError
from lightning_imbal.factories.build import build
from lightning_imbal.losses.metric_terms import ContrastTerm, MetricFactory
from lightning_imbal.modules.base_classifier import ImbalClassifier


class MetricLearningClassifier(ImbalClassifier):
    """Cross-entropy (or any loss) on the logits plus a metric-learning term on the feature; a re-weighted head follows.

    C. Zeng, H. Lu, K. Chen, R. Wang, W.-S. Zheng. Learning Discriminative Representation via Metric Learning for
    Imbalanced Medical Image Classification. 2023, section 2.2: L = L_CE + w L_M, with w = 0.001 for `CenterTerm` and
    `TripletTerm`, 1 for `ContrastTerm` (section 3.1). The term sees the batch of all devices.

    A term may have parameters with an optimizer of their own (the centers): they take one step with every step of the
    network, on the gradient of the term without its weight. Clipping leaves them alone, accumulated batches add up, and
    the checkpoint keeps that optimizer.

    Equation:
        L = loss_weight loss(z, y) + metric_weight L_M(f, y)

    Limits:
        The second term compares the images of a batch: with few of rare classes in it, it mostly shapes the large ones.

    Args:
        metric: Built with the number of classes and the feature size.
        metric_weight: w.
        loss_weight: Multiplies the loss on the logits; 0 is the row "SC + cRW" of the ablation (Table 3).
        **kwargs: Arguments of `ImbalClassifier`.
    """

    def __init__(
        self, metric: MetricFactory = ContrastTerm, metric_weight: float = 1.0, loss_weight: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.metric = build(metric, num_classes=len(self.class_names), dim=self.feature_size)
        self.metric_weight, self.loss_weight = metric_weight, loss_weight
        self.metric_optimizer: Optimizer | None = self.metric.own_optimizer()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        feature = self.backbone(batch["image"])
        loss = self.batch_loss(self.head(feature), batch["label"])
        metric = self.metric(self.gather(feature), self.gather(batch["label"]))
        total = self.loss_weight * loss + self.metric_weight * metric
        self.log_losses(classification=loss, metric=metric, loss=total)
        return total

    def trained_parameters(self) -> Iterable[nn.Parameter]:
        apart = set(self.metric.parameters()) if self.metric_optimizer else set()
        return [parameter for parameter in self.parameters() if parameter not in apart]

    def on_fit_start(self) -> None:
        """Refuses the one precision in which the gradient of the centers would keep the scale of the loss."""
        super().on_fit_start()
        if self.metric_optimizer and self.trainer.precision == "16-mixed":
            raise UserError(
                f"{type(self.metric).__name__} has an optimizer of its own, which 16-mixed precision would mislead: "
                "set trainer.precision=bf16-mixed or 32-true."
            )

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Steps the parameters that have an optimizer of their own."""
        if self.metric_optimizer is None or self.metric_weight == 0:
            return
        for parameter in self.metric.parameters():
            if parameter.grad is not None:
                parameter.grad.div_(self.metric_weight)
        self.metric_optimizer.step()
        self.metric_optimizer.zero_grad()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        if self.metric_optimizer:
            checkpoint["metric_optimizer"] = self.metric_optimizer.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        if self.metric_optimizer and "metric_optimizer" in checkpoint:
            self.metric_optimizer.load_state_dict(checkpoint["metric_optimizer"])
