"""Digests of a run's files, which its results record: another run's file in the place of one's own is noticed."""

import json
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from lightning_imbal.errors import UserError
from lightning_imbal.runs.folder import RECORD, is_finished, read_record, stage_of, stages_in
from lightning_imbal.runs.reading import check_keys, reading

OF_STAGE = ("config.yaml", "split.csv", "metrics.csv", "checkpoints/best.ckpt", "checkpoints/last.ckpt")
OF_RESULTS = ("predictions.parquet", "predictions_val.parquet", "features.npz", "split.csv", RECORD)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of what lies beside a `metrics.json`, and in the stages below it, by the path from there.

    Of `command.json` it is that of the command alone: the seconds are added when the run has ended.

    Args:
        folder: Where `metrics.json` is, or is about to be written.
    """
    files = [folder / name for name in OF_RESULTS]
    files += [stage / name for stage in stages_in(folder) for name in OF_STAGE]
    return {file.relative_to(folder).as_posix(): digest(file) for file in files if file.is_file()}


def check_digest(file: Path, folder: Path) -> None:
    """Refuses a file that is not the one from which the results of its run were written.

    Args:
        file: That is read.
        folder: Of the results; without any there, or with results that recorded no digests, nothing is known.

    Raises:
        UserError: It is another one; or `metrics.json` is damaged.
    """
    name, results = file.relative_to(folder).as_posix(), folder / "metrics.json"
    known = recorded(folder)
    if name in known and known[name] != digest(file):
        raise UserError(
            f"{file} is not the one with which {results} was written: put that of this run back, or delete {results} "
            "and write it again with the run's own command (`fit` with --ckpt_path last, or `test`)."
        )


def check_checkpoint(file: Path) -> None:
    """Refuses another checkpoint in the place of one that a finished run has kept.

    Raises:
        UserError: It is another one.
    """
    stage = stage_of(file)
    if stage.name.startswith("stage"):
        check_digest(file.absolute(), stage.parent)


def recorded(folder: Path) -> dict[str, Any]:
    """The digests that the results in a folder have recorded; none before the run is finished, or of an older one.

    Raises:
        UserError: `metrics.json` is damaged.
    """
    if not is_finished(folder):
        return {}
    file = folder / "metrics.json"
    with reading(file):
        results = json.loads(file.read_text(encoding="utf-8"))
        check_keys({"files": {}, **results}, {"files": dict})
    return results.get("files", {})


def digest(file: Path) -> str:
    """SHA-256 of a file of a run; of `command.json` that of the command alone."""
    if file.name == RECORD and (record := read_record(file.parent)):
        return sha256(json.dumps(record["identity"], sort_keys=True).encode()).hexdigest()
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()
