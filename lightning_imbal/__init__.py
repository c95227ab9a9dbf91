"""Class-imbalanced medical image classification in PyTorch Lightning."""

__version__ = "0.1.0"
