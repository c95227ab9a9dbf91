"""A weight that falls as a parabola."""

from lightning_imbal.schedulers.checks import checked_epochs


def parabolic_decay(epoch: int, max_epochs: int) -> float:
    """The weight `1 - (epoch / max_epochs) ** 2`, which falls from 1 ever faster; 0 would come after the last epoch.

    Zhou et al. 2020, Eq. 5, with the epochs counted from 0 as in their code; also in Wang et al. 2021 (Hybrid-SC).

    Args:
        epoch: The present epoch, 0-based.
        max_epochs: Epochs of the run.

    Raises:
        ValueError: `max_epochs` is not positive.

    Example:
        >>> [parabolic_decay(epoch, max_epochs=4) for epoch in range(4)]
        [1.0, 0.9375, 0.75, 0.4375]
    """
    return 1 - (epoch / checked_epochs(max_epochs, least=1)) ** 2
