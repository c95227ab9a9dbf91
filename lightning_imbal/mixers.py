"""Mixing of the images of a batch, with labels that stay hard."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lightning_imbal.errors import UserError

Batch = dict[str, Tensor]
Mix = tuple[Tensor, list[tuple[Tensor, Tensor]]]


class Mixer(nn.Module, ABC):
    """Mixes the images of a batch with each other, or with those of a second batch.

    A mixed image has several labels, each with a weight. The sum of `loss(logits, label, sample_weight=weight)` over
    them is, for cross-entropy, the loss of the soft label; other losses need no soft label either. Random numbers come
    from torch's default generators: what decides for a whole batch from that of the CPU, so that nothing waits for the
    device, partners from that of the images' device.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,).

    Attributes:
        needs_pairs: Whether `forward` needs a second batch.
    """

    needs_pairs: bool = False

    def __init__(self, class_counts: Tensor) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, batch: Batch, other: Batch | None = None) -> Mix:
        """Mixes a batch, which itself is left as it is.

        Args:
            batch: `image` (B, 3, H, W) and `label` (B,).
            other: A second batch of the same size.

        Returns:
            The mixed images, shape and type as before, and pairs of labels (B,) and their weights (B,), float32 or
            better. The weights of an image sum to 1.
        """


MixerFactory = Callable[[Tensor], Mixer]


class MixUp(Mixer):
    """Mixup: every image is blended with a random partner of its batch.

    Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization": `lam * x_i + (1 - lam) * x_j`, the labels weighted
    alike, with one `lam ~ Beta(alpha, alpha)` per batch.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,).
        alpha: Parameter of the Beta distribution; 0 mixes nothing.

    Raises:
        ValueError: `alpha` is negative.
    """

    def __init__(self, class_counts: Tensor, alpha: float = 0.2) -> None:
        super().__init__(class_counts)
        self.alpha = _checked_alpha(alpha)

    def draw_lam(self) -> float:
        """Draws the share of an image itself."""
        return _draw_beta(self.alpha)

    def label_weight(self, lam: float, weight: Tensor, label: Tensor, partner_label: Tensor) -> Tensor:
        """Returns the weights (B,) of the images' own labels, given those of the blend, `weight` (B,)."""
        return weight

    def forward(self, batch: Batch, other: Batch | None = None) -> Mix:
        image, label = batch["image"], batch["label"]
        lam, partner = self.draw_lam(), _draw_partner(image)
        mixed = lam * image + (1 - lam) * image[partner]
        weight = self.label_weight(lam, _full_weight(image, lam), label, label[partner])
        return mixed, [(label, weight), (label[partner], 1 - weight)]


class Remix(MixUp):
    """Mixup whose label goes to the rarer class where the class sizes of a pair are far apart.

    Chou et al. 2020, "Remix: Rebalanced Mixup". With `lam ~ Beta(alpha, alpha)` the image of class i has the weight

    * 0 if `n_i / n_j >= kappa` and `lam < tau`,
    * 1 if `n_i / n_j <= 1 / kappa` and `1 - lam < tau`,
    * `lam` otherwise,

    for its own label, where n_j is the class size of its partner. Images are blended as by `MixUp`.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,).
        alpha: Parameter of the Beta distribution; 0 mixes nothing.
        kappa: Ratio of class sizes from which on the rarer class may take the label.
        tau: Share of the image below which the larger class gives its label away.

    Raises:
        ValueError: `alpha` is negative, `kappa` is below 1 or `tau` is outside 0..1.
    """

    class_counts: Tensor

    def __init__(self, class_counts: Tensor, alpha: float = 1.0, kappa: float = 3.0, tau: float = 0.5) -> None:
        super().__init__(class_counts, alpha)
        if not kappa >= 1:
            raise ValueError(f"kappa must be at least 1, but is {kappa}.")
        if not 0 <= tau <= 1:
            raise ValueError(f"tau must be in 0..1, but is {tau}.")
        self.register_buffer("class_counts", torch.as_tensor(class_counts, dtype=torch.float64), persistent=False)
        self.kappa, self.tau = kappa, tau

    def label_weight(self, lam: float, weight: Tensor, label: Tensor, partner_label: Tensor) -> Tensor:
        size, partner_size = self.class_counts[label], self.class_counts[partner_label]
        if 1 - lam < self.tau:
            weight = weight.masked_fill(partner_size >= self.kappa * size, 1.0)
        if lam < self.tau:
            weight = weight.masked_fill(size >= self.kappa * partner_size, 0.0)
        return weight


class CutMix(Mixer):
    """CutMix: a box of every image is replaced by that of a random partner of its batch.

    Yun et al. 2019, "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features", with the
    rounding of its code. The box has `sqrt(1 - lam)` of the sides, `lam ~ Beta(alpha, alpha)`, and a uniform center;
    what sticks out of the image is cut off. The label's weight is the share of the pixels that stay.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,).
        alpha: Parameter of the Beta distribution; 0 mixes nothing.
        probability: Share of the batches that are mixed.

    Raises:
        ValueError: `alpha` is negative or `probability` is outside 0..1.
    """

    def __init__(self, class_counts: Tensor, alpha: float = 1.0, probability: float = 0.5) -> None:
        super().__init__(class_counts)
        if not 0 <= probability <= 1:
            raise ValueError(f"probability must be in 0..1, but is {probability}.")
        self.alpha, self.probability = _checked_alpha(alpha), probability

    def draw_lam(self) -> float:
        """Draws the share of an image that stays, before rounding; 1 if the batch is not mixed."""
        mixes = float(torch.rand(())) < self.probability
        return _draw_beta(self.alpha) if mixes else 1.0

    def draw_center(self, height: int, width: int) -> tuple[int, int]:
        """Draws the pixel in the middle of the box: row and column."""
        return int(torch.randint(height, ())), int(torch.randint(width, ()))

    def forward(self, batch: Batch, other: Batch | None = None) -> Mix:
        image, label = batch["image"], batch["label"]
        height, width = image.shape[-2:]
        side = (1 - self.draw_lam()) ** 0.5
        row, column = self.draw_center(height, width)
        top, bottom = _interval(row, int(height * side), height)
        left, right = _interval(column, int(width * side), width)
        partner = _draw_partner(image)
        mixed = image.clone()
        mixed[..., top:bottom, left:right] = image[partner, :, top:bottom, left:right]
        weight = _full_weight(image, 1 - (bottom - top) * (right - left) / (height * width))
        return mixed, [(label, weight), (label[partner], 1 - weight)]


class BalancedMixUp(Mixer):
    """Balanced-MixUp: the k-th image of an instance-sampled batch is blended with that of a class-balanced batch.

    Galdran et al. 2021, "Balanced-MixUp for Highly Imbalanced Medical Image Classification", Eq. 3. One
    `lam ~ Beta(alpha, 1)` per batch weighs the class-balanced image: so do the paper's text, its Fig. 3 and its code,
    while the printed equation has it the other way round.

    Args:
        class_counts: Training images per class, ordered by label, shape (C,).
        alpha: Parameter of the Beta distribution: the mean of `lam` is `alpha / (1 + alpha)`; 0 mixes nothing.

    Raises:
        ValueError: `alpha` is negative.
        UserError: `forward` gets no second batch.
    """

    needs_pairs = True

    def __init__(self, class_counts: Tensor, alpha: float = 0.2) -> None:
        super().__init__(class_counts)
        self.alpha = _checked_alpha(alpha)

    def draw_lam(self) -> float:
        """Draws the share of the class-balanced image."""
        # The distribution function of Beta(alpha, 1) is lam ** alpha.
        return float(torch.rand((), dtype=torch.float64)) ** (1 / self.alpha) if self.alpha > 0 else 0.0

    def forward(self, batch: Batch, other: Batch | None = None) -> Mix:
        if other is None:
            raise UserError(
                "BalancedMixUp has no second batch to mix with: "
                "set --data.paired_sampler ClassPower --data.paired_sampler.q 0."
            )
        lam = self.draw_lam()
        mixed = (1 - lam) * batch["image"] + lam * other["image"]
        weight = _full_weight(mixed, lam)
        return mixed, [(batch["label"], 1 - weight), (other["label"], weight)]


def _checked_alpha(alpha: float) -> float:
    if not alpha >= 0:
        raise ValueError(f"alpha must not be negative, but is {alpha}.")
    return alpha


def _draw_beta(alpha: float) -> float:
    """Draws from Beta(alpha, alpha); 1 if alpha is 0."""
    if alpha == 0:
        return 1.0
    parameter = torch.tensor(alpha, dtype=torch.float64)
    return float(torch.distributions.Beta(parameter, parameter).sample())


def _draw_partner(image: Tensor) -> Tensor:
    """Draws which image (B,) of the batch each one is mixed with, possibly itself."""
    return torch.randperm(len(image), device=image.device)


def _full_weight(image: Tensor, value: float) -> Tensor:
    """The same weight for every image, shape (B,)."""
    dtype = torch.promote_types(image.dtype, torch.float32)
    return torch.full((len(image),), value, dtype=dtype, device=image.device)


def _interval(center: int, length: int, limit: int) -> tuple[int, int]:
    """Where a side of the box begins and ends (exclusive); an odd length loses a pixel, as in the code of CutMix."""
    return max(center - length // 2, 0), min(center + length // 2, limit)
