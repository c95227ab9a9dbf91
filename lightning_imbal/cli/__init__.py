"""The `lightning_imbal` command: one file for each verb, what they share in `parts`."""

from lightning_imbal.cli.program import main

__all__ = ["main"]
