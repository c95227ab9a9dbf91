"""Which of the processes of a run this is."""

from lightning.pytorch.utilities import rank_zero_only


def is_first() -> bool:
    """Whether this process is the first of its run, or the only one."""
    return rank_zero_only.rank == 0  # type: ignore[attr-defined]  # Lightning sets it on the function
