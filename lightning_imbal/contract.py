"""What crosses from data to modules: one batch."""

from torch import Tensor

# image (B, 3, H, W), or (B, V, 3, H, W) for V views; label (B,); index (B,) of the sample table; `other`: a second one.
Batch = dict[str, Tensor]
