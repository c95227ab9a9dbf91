"""`lightning_imbal validate`: evaluates a checkpoint on the validation part."""

from lightning_imbal.cli.parts.evaluation import evaluate


def run(args: list[str]) -> int:
    """Runs `validate` and returns the exit status."""
    return evaluate("validate", "val", args)
