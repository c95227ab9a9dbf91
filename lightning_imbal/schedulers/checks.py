"""What schedules refuse."""


def checked_epochs(max_epochs: int, least: int = 0) -> int:
    """Returns the number of epochs; ValueError if it is not known."""
    # Lightning's -1 means epochs without end.
    if max_epochs < least:
        raise ValueError(
            f"The schedule needs to know the number of epochs, but max_epochs is {max_epochs}: set trainer.max_epochs."
        )
    return max_epochs


def check_fraction(name: str, value: float) -> None:
    """Refuses, with a ValueError, what is outside 0..1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be in 0..1, but is {value}.")


def check_rate(name: str, value: float) -> None:
    """Refuses, with a ValueError, a negative learning rate, or one that is no number."""
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} must not be negative, but is {value}.")
