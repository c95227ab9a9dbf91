"""Perturbed input at inference, Chen et al. 2021."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from lightning_imbal.contract import Batch
from lightning_imbal.factories.build import build
from lightning_imbal.metrics.report import ImbalReport
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.predictors.perturbed_input import PerturbedInput

PerturbedFactory = Callable[[Tensor], PerturbedInput]


class PerturbedClassifier(ImbalClassifier):
    """A classifier that is tested twice: as it is, and on input that is perturbed towards the rare classes.

    K. Chen, Y. Mao, H. Lu, C. Zeng, R. Wang, W.-S. Zheng. Alleviating Data Imbalance Issue with Perturbed Input During
    Inference. MICCAI 2021. Training is that of any classifier; validation sees the images as they are. The test's
    results are those with perturbed input, and beside them, in the folder `plain`, those of `predictor`.

    Equation:
        trained as any classifier; tested on x' of `PerturbedInput`

    Args:
        perturb: Built with the class counts.
        more_epsilons: Further sizes of the perturbation (Fig. 3), each tested beside the others with the same gradient.
        **kwargs: Arguments of `ImbalClassifier`.
    """

    def __init__(
        self, perturb: PerturbedFactory = PerturbedInput, more_epsilons: list[float] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.perturb = build(perturb, class_counts=self.class_counts)
        self.epsilons = [self.perturb.epsilon, *(more_epsilons or [])]
        # A dot would be an attribute of an attribute.
        names = ["plain", *(f"epsilon_{epsilon:g}".replace(".", "_") for epsilon in self.epsilons[1:])]
        about_classes = (kwargs["class_counts"], self.class_names, kwargs.get("class_groups"))
        self.side_reports.update({name: ImbalReport(*about_classes) for name in names})

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Collects predictions of the test part, perturbed and plain."""
        image, reports = batch["image"], [self.test_report, *self.side_reports.values()]
        perturbed, *more = self.perturb.sweep(self, image, self.epsilons)
        for report, logits in zip(reports, [perturbed, self.predictor(self, image), *more], strict=True):
            report.update(logits.float().softmax(dim=1), batch["label"], batch["index"])

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Returns class probabilities (B, C) of perturbed images."""
        return self.perturb(self, batch["image"]).float().softmax(dim=1)
