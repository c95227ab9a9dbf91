"""`lightning_imbal test`: evaluates a checkpoint on the test part."""

from lightning_imbal.cli.parts.evaluation import evaluate


def run(args: list[str]) -> int:
    """Runs `test` and returns the exit status."""
    return evaluate("test", "test", args)
