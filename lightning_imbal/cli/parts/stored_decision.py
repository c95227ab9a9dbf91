"""The decision that `predict` and `export` are given, checked against the checkpoint that it is for."""

from pathlib import Path

from lightning_imbal.decisions.file import StoredDecision, read_decision
from lightning_imbal.runs.digests import digest
from lightning_imbal.trained.settings import saved_fact


def decision_for(file: str, checkpoint: str) -> tuple[StoredDecision, str]:
    """Reads a decision for the classes of a checkpoint.

    Returns:
        The decision, and a sentence if it was fitted to what another checkpoint predicts; empty if not, or not known.

    Raises:
        UserError: The file is absent, damaged or of other classes.
    """
    stored = read_decision(Path(file), saved_fact(checkpoint, "class_names"))
    known = stored.fitted_on.get("checkpoint")
    if known in (None, digest(Path(checkpoint))):
        return stored, ""
    return stored, (
        f"{file} was fitted to the predictions of another checkpoint than {checkpoint}: what it promises, or is best "
        "in, need not hold. `lightning_imbal decide` fits one to this run."
    )
