"""What the contrastive losses share."""

from torch import Tensor


def masked_log_softmax(similarity: Tensor, keep: Tensor) -> Tensor:
    """Log-softmax of each row over its kept entries.

    Args:
        similarity: Scores, already divided by the temperature, shape (N, M).
        keep: True where an entry counts in the denominator, shape (N, M).

    Returns:
        Log-probabilities, shape (N, M); 0 without gradient where `keep` is False, so that they can be summed safely.
    """
    # A row that keeps nothing would have the logarithm 0 - (-inf) and a NaN gradient: normalise it over all entries.
    counted = keep | ~keep.any(dim=1, keepdim=True)
    log_denominator = similarity.masked_fill(~counted, -float("inf")).logsumexp(dim=1, keepdim=True)
    return (similarity - log_denominator).masked_fill(~keep, 0)
