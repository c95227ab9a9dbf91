"""A run's folder: its stages, what was kept of them, whether it is finished, and a name that is free."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning_imbal.runs.reading import check_keys, reading

RECORD = "command.json"
FEATURES = "features.json"


def first_free(folder: Path) -> Path:
    """`folder` itself if nothing is there, else `folder_2`, `folder_3` ..., counting on from a number at the end."""
    if not folder.exists():
        return folder
    counted = re.search(r"_(\d+)\Z", folder.name)
    stem, number = (folder.name[: counted.start()], int(counted[1])) if counted else (folder.name, 1)
    return first_free(folder.with_name(f"{stem}_{number + 1}"))


def is_finished(folder: Path) -> bool:
    """Whether the results are there: `metrics.json` is written last."""
    return (folder / "metrics.json").is_file()


def is_stored(folder: Path) -> bool:
    """Whether the features that `lightning_imbal features` stores are there."""
    return (folder / FEATURES).is_file()


def record_of(folder: Path) -> Path:
    """File with the command line that a table ran for a folder, and the seconds that it took."""
    return folder / RECORD


def read_record(folder: Path) -> dict[str, Any] | None:
    """`identity` and `seconds` of what a table ran for a folder; None if no table did.

    Raises:
        UserError: The file is damaged.
    """
    file = record_of(folder)
    if not file.is_file():
        return None
    with reading(file, "delete it; only how long the run took, and what for, is forgotten"):
        record = json.loads(file.read_text(encoding="utf-8"))
        check_keys(record, {"identity": dict, "seconds": float | int})
        check_keys(record["identity"], {"configs": list, "options": dict})
    return record


def holds_run(folder: Path) -> bool:
    """Whether there is something to lose: results, or a checkpoint of a stage. A start that failed leaves neither."""
    results = [name for name in ("metrics.json", "predictions.parquet") if (folder / name).exists()]
    return bool(results) or any(folder.glob("stage*/checkpoints/*"))


def stages_in(folder: Path) -> list[Path]:
    """Folders of the stages that a folder itself holds, first to last."""
    return sorted(folder.glob("stage*/"))


def stages_of(folder: Path) -> list[Path]:
    """Folders of the stages of a run, first to last; also for a folder inside a run, such as RUN/test/plain."""
    places = (folder.absolute(), *folder.absolute().parents[:2])
    return next(filter(None, map(stages_in, places)), [])


def stage_of(checkpoint: Path) -> Path:
    """Folder of the stage of a checkpoint; of one that was taken out of its run, the folder that it is in."""
    folder = checkpoint.absolute().parent
    return folder.parent if folder.name == "checkpoints" else folder


def best_checkpoint(folder: Path, stages: Sequence[Path]) -> Path:
    """The best checkpoint of the last of a run's stages; if there is none yet, where that of the first will be."""
    return [folder / "stage1", *stages][-1] / "checkpoints" / "best.ckpt"


def last_checkpoint(stage: Path) -> Path:
    """Where the last epoch of a stage is, from which it goes on."""
    return stage / "checkpoints" / "last.ckpt"
